import { SlackError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import type { Channel, State } from '../state.ts';
import type { Message } from '../types.ts';
import { shown } from './chat.ts';
import { type Call, channelOf, type Methods, page } from './method.ts';

/** A channel as the API shows it. */
function channelFields(state: State, channel: Channel): Fields {
  const direct = channel.directTo !== undefined;
  return {
    id: channel.id,
    ...(direct ? { user: channel.directTo } : { name: channel.name, name_normalized: channel.name }),
    is_channel: !direct,
    is_group: false,
    is_im: direct,
    is_mpim: false,
    is_private: false,
    created: 0,
    is_archived: channel.archived,
    is_general: false,
    unlinked: 0,
    is_shared: false,
    is_org_shared: false,
    is_ext_shared: false,
    is_pending_ext_shared: false,
    pending_shared: [],
    pending_connected_team_ids: [],
    parent_conversation: null,
    context_team_id: state.teamId,
    shared_team_ids: [state.teamId],
    creator: state.options.users[0]?.id ?? state.botUserId,
    is_member: channel.botIsMember,
    updated: 0,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    purpose: { value: '', creator: '', last_set: 0 },
    previous_names: [],
    num_members: state.users.size + (channel.botIsMember ? 1 : 0),
  };
}

const tsPattern = /^\d+(\.\d+)?$/;

/** Compares two ts as the ids they are: seconds, then digits. */
function compareTs(a: string, b: string): number {
  const [aSecond = '', aPart = ''] = a.split('.');
  const [bSecond = '', bPart = ''] = b.split('.');
  return Number(aSecond) - Number(bSecond) || Number(aPart.padEnd(6, '0')) - Number(bPart.padEnd(6, '0'));
}

function within(call: Call, messages: Message[]): Message[] {
  const oldest = call.args.text('oldest');
  const latest = call.args.text('latest');
  const inclusive = call.args.flag('inclusive');
  for (const [name, ts] of [
    ['oldest', oldest],
    ['latest', latest],
  ]) {
    if (ts !== undefined && !tsPattern.test(ts)) throw new SlackError(`invalid_ts_${name}`);
  }
  return messages.filter((message) => {
    const fromOldest = oldest === undefined ? 1 : compareTs(message.ts, oldest);
    const toLatest = latest === undefined ? 1 : compareTs(latest, message.ts);
    return inclusive ? fromOldest >= 0 && toLatest >= 0 : fromOldest > 0 && toLatest > 0;
  });
}

function history(call: Call): Fields {
  const channel = channelOf(call, { archived: 'allow' });
  const top = call.state
    .in(channel.id)
    .filter((one) => one.thread_ts === undefined || one.thread_ts === one.ts || one.subtype === 'thread_broadcast');
  const newestFirst = within(call, top).toReversed();
  const { items, more, response_metadata } = page(newestFirst, call.args, 100, 999);
  const withMetadata = call.args.flag('include_all_metadata');
  return {
    ...(call.args.text('oldest') === undefined ? {} : { oldest: call.args.text('oldest') }),
    ...(call.args.text('latest') === undefined ? {} : { latest: call.args.text('latest') }),
    messages: items.map((message) => shown(message, withMetadata)),
    has_more: more,
    pin_count: 0,
    channel_actions_ts: null,
    channel_actions_count: 0,
    response_metadata,
  };
}

function replies(call: Call): Fields {
  const channel = channelOf(call, { archived: 'allow' });
  const ts = call.args.required('ts');
  const asked = call.state.findMessage(channel.id, ts);
  if (asked === undefined) throw new SlackError('thread_not_found');
  const root = asked.thread_ts ?? asked.ts;
  const all = call.state.in(channel.id);
  const parent = all.filter((one) => one.ts === root);
  const rest = within(
    call,
    all.filter((one) => one.thread_ts === root && one.ts !== root),
  );
  const { items, more, response_metadata } = page([...parent, ...rest], call.args, 1000, 1000);
  const withMetadata = call.args.flag('include_all_metadata');
  return { messages: items.map((one) => shown(one, withMetadata)), has_more: more, response_metadata };
}

export const conversationMethods: Methods = {
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.info': (call) => ({
    channel: channelFields(call.state, channelOf(call, { member: false, archived: 'allow' })),
  }),
  'conversations.list': (call) => {
    const withoutArchived = call.args.flag('exclude_archived');
    const all = [...call.state.channels.values()].filter(
      (channel) => channel.directTo === undefined && !(withoutArchived && channel.archived),
    );
    const { items, response_metadata } = page(all, call.args, 100, 1000);
    return { channels: items.map((channel) => channelFields(call.state, channel)), response_metadata };
  },
  'conversations.join': (call) => {
    const channel = channelOf(call, { member: false });
    if (channel.directTo !== undefined) throw new SlackError('method_not_supported_for_channel_type');
    const already = channel.botIsMember;
    channel.botIsMember = true;
    call.state.changed({ kind: 'channel', channel: channel.id });
    return {
      channel: channelFields(call.state, channel),
      ...(already ? { warning: 'already_in_channel', response_metadata: { warnings: ['already_in_channel'] } } : {}),
    };
  },
};
