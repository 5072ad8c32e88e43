import { copyOf, type Fields } from './fields.ts';
import type { Channel, State } from './state.ts';

/** The fields that every interaction carries. */
export function interactionBase(state: State, user: string): Fields {
  const name = state.users.get(user)?.name ?? user;
  return {
    user: { id: user, username: name, name, team_id: state.teamId },
    api_app_id: state.appId,
    token: 'local-verification-token',
    team: { id: state.teamId, domain: 'local' },
    enterprise: null,
    is_enterprise_install: false,
  };
}

export function channelName(channel: Channel): string {
  return channel.directTo === undefined ? channel.name : 'directmessage';
}

/** The flat fields of a slash command. */
export function commandFields(
  state: State,
  command: { user: string; channel: Channel; command: string; text: string; responseUrl: string; triggerId: string },
): Record<string, string> {
  return {
    token: 'local-verification-token',
    team_id: state.teamId,
    team_domain: 'local',
    channel_id: command.channel.id,
    channel_name: channelName(command.channel),
    user_id: command.user,
    user_name: state.users.get(command.user)?.name ?? command.user,
    command: command.command,
    text: command.text,
    api_app_id: state.appId,
    is_enterprise_install: 'false',
    response_url: command.responseUrl,
    trigger_id: command.triggerId,
  };
}

/** One entry of `actions`: the element without what only draws it, plus what was chosen. */
export function actionFields(element: Fields, block: Fields, chosen: Fields, ts: string): Fields {
  const { options: _o, option_groups: _g, confirm, initial_option: _i, initial_options: _s, ...rest } = copyOf(element);
  return {
    ...rest,
    ...(confirm === undefined ? {} : { confirm }),
    ...chosen,
    block_id: block.block_id,
    action_ts: ts,
  };
}

/** An Events API envelope. */
export function eventEnvelope(state: State, event: Fields): Fields {
  return {
    token: 'local-verification-token',
    team_id: state.teamId,
    enterprise_id: null,
    context_team_id: state.teamId,
    api_app_id: state.appId,
    event,
    type: 'event_callback',
    event_id: state.nextId('Ev'),
    event_time: Math.floor(state.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: state.teamId,
        user_id: state.botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: state.nextId('EC'),
  };
}
