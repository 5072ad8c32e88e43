import { SlackError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import type { State } from '../state.ts';
import { type Methods, page } from './method.ts';

interface Somebody {
  id: string;
  name: string;
  realName: string;
  color?: string;
  bot: boolean;
}

function everybody(state: State): Somebody[] {
  const people = [...state.users.values()].map((user) => ({ ...user, bot: false }));
  return [...people, { id: state.botUserId, name: state.botName.toLowerCase(), realName: state.botName, bot: true }];
}

function userFields(state: State, user: Somebody): Fields {
  return {
    id: user.id,
    team_id: state.teamId,
    name: user.name,
    deleted: false,
    color: (user.color ?? '#9f69e7').replace('#', ''),
    real_name: user.realName,
    tz: 'Etc/UTC',
    tz_label: 'Coordinated Universal Time',
    tz_offset: 0,
    profile: {
      title: '',
      phone: '',
      real_name: user.realName,
      real_name_normalized: user.realName,
      display_name: user.name,
      display_name_normalized: user.name,
      status_text: '',
      status_emoji: '',
      status_expiration: 0,
      avatar_hash: '',
      image_24: '',
      image_32: '',
      image_48: '',
      image_72: '',
      image_192: '',
      image_512: '',
      team: state.teamId,
      ...(user.bot ? { bot_id: state.botId, api_app_id: state.appId } : { email: `${user.name}@example.com` }),
    },
    is_admin: false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: false,
    is_ultra_restricted: false,
    is_bot: user.bot,
    is_app_user: false,
    updated: 0,
    is_email_confirmed: true,
    who_can_share_contact_card: 'EVERYONE',
  };
}

export const peopleMethods: Methods = {
  'users.info': (call) => {
    const id = call.args.required('user');
    const user = everybody(call.state).find((one) => one.id === id);
    if (user === undefined) throw new SlackError('user_not_found');
    return { user: userFields(call.state, user) };
  },
  'users.list': (call) => {
    const { items, response_metadata } = page(everybody(call.state), call.args, 100, 1000);
    return {
      members: items.map((user) => userFields(call.state, user)),
      cache_ts: Math.floor(call.state.now() / 1000),
      response_metadata,
    };
  },
  'usergroups.list': (call) => ({
    usergroups: (call.state.options.usergroups ?? []).map((group) => ({
      id: group.id,
      team_id: call.state.teamId,
      is_usergroup: true,
      is_subteam: true,
      name: group.name,
      description: '',
      handle: group.handle,
      is_external: false,
      date_create: 0,
      date_update: 0,
      date_delete: 0,
      auto_type: null,
      auto_provision: false,
      enterprise_subteam_id: '',
      created_by: group.users[0] ?? '',
      updated_by: group.users[0] ?? '',
      deleted_by: null,
      prefs: { channels: [], groups: [] },
      channel_count: 0,
      ...(call.args.flag('include_users') ? { users: [...group.users] } : {}),
      user_count: group.users.length,
    })),
  }),
  'usergroups.users.list': (call) => {
    const id = call.args.required('usergroup');
    const group = (call.state.options.usergroups ?? []).find((one) => one.id === id);
    if (group === undefined) throw new SlackError('no_such_subteam');
    return { users: [...group.users] };
  },
};
