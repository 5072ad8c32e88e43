import { limits } from '../blockkit/limits.ts';
import { SlackError } from '../errors.ts';
import { copyOf, type Fields } from '../fields.ts';
import { authorFields, checkedContent, checkedMetadata, checkedThread, postAsApp, textOf } from '../posting.ts';
import type { Message } from '../types.ts';
import { type Call, channelOf, type Methods } from './method.ts';

/** A message as an answer shows it: with no `channel` in it. */
export function shown(message: Message, withMetadata = true): Fields {
  const { channel: _channel, metadata, ...rest } = copyOf(message);
  return { ...rest, ...(withMetadata && metadata !== undefined ? { metadata } : {}) };
}

function ownMessage(call: Call, channel: string, otherwise: string): Message {
  const message = call.state.findMessage(channel, call.args.required('ts'));
  if (message === undefined || message.subtype === 'tombstone') throw new SlackError('message_not_found');
  if (message.bot_id !== call.state.botId) throw new SlackError(otherwise);
  return message;
}

function update(call: Call): Fields {
  const { state, args } = call;
  const channel = channelOf(call);
  const message = ownMessage(call, channel.id, 'cant_update_message');
  const content = checkedContent(state, args.fields, limits.updateText);
  const metadata = checkedMetadata(args.fields.metadata);
  state.keepDrawing(message);
  // Text alone takes blocks and attachments away; otherwise what is not named stays.
  const textAlone = content.text !== undefined && content.blocks === undefined && content.attachments === undefined;
  if (textAlone || content.blocks !== undefined) replace(message, 'blocks', content.blocks);
  if (textAlone || content.attachments !== undefined) replace(message, 'attachments', content.attachments);
  if (content.text !== undefined && content.blocks === undefined) replace(message, 'blocks', undefined);
  if (metadata !== undefined) {
    if (metadata === null) delete message.metadata;
    else message.metadata = metadata;
  }
  message.text = content.text ?? textOf(content);
  message.edited = { user: state.botUserId, ts: state.nextTs() };
  state.recordPings(message, state.botUserId, 'update');
  state.changed({ kind: 'message', channel: channel.id });
  return { channel: channel.id, ts: message.ts, text: message.text, message: shown(message) };
}

function replace(message: Message, field: 'blocks' | 'attachments', value: Fields[] | undefined): void {
  if (value === undefined || value.length === 0) delete message[field];
  else message[field] = value;
}

function remove(call: Call): Fields {
  const { state } = call;
  const channel = channelOf(call);
  const message = ownMessage(call, channel.id, 'cant_delete_message');
  if ((message.reply_count ?? 0) > 0) {
    // A parent with replies leaves a stone that carries its thread.
    message.subtype = 'tombstone';
    message.text = 'This message was deleted.';
    for (const key of ['blocks', 'attachments', 'metadata', 'files'] as const) delete message[key];
  } else {
    const list = state.in(channel.id);
    list.splice(list.indexOf(message), 1);
    state.countReplies(message);
  }
  state.changed({ kind: 'message', channel: channel.id });
  return { channel: channel.id, ts: message.ts };
}

export const chatMethods: Methods = {
  'chat.postMessage': (call) => {
    const { state, args } = call;
    const channel = channelOf(call, { names: true });
    const content = checkedContent(state, args.fields, limits.postText);
    const message = postAsApp(state, channel, content, {
      thread: checkedThread(state, channel, args.text('thread_ts')),
      metadata: checkedMetadata(args.fields.metadata) ?? undefined,
      broadcast: args.flag('reply_broadcast'),
    });
    return { channel: channel.id, ts: message.ts, message: shown(message) };
  },
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': (call) => {
    const { state, args } = call;
    const channel = channelOf(call, { names: true });
    const user = args.required('user');
    if (!state.users.has(user)) throw new SlackError('user_not_in_channel');
    const content = checkedContent(state, args.fields, limits.postText);
    const thread = checkedThread(state, channel, args.text('thread_ts'));
    const stored = state.addEphemeral({
      channel: channel.id,
      user,
      from: 'app',
      text: content.text ?? textOf(content),
      ...(content.blocks === undefined ? {} : { blocks: content.blocks }),
      ...(content.attachments === undefined ? {} : { attachments: content.attachments }),
      ...(thread === undefined ? {} : { thread_ts: thread }),
    });
    return { message_ts: stored.ts };
  },
  'chat.getPermalink': (call) => {
    const channel = channelOf(call, { archived: 'allow', member: false });
    const message = call.state.findMessage(channel.id, call.args.required('message_ts'));
    if (message === undefined) throw new SlackError('message_not_found');
    const thread =
      message.thread_ts !== undefined && message.thread_ts !== message.ts
        ? `?thread_ts=${message.thread_ts}&cid=${channel.id}`
        : '';
    const permalink = `${call.url}/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
    return { channel: channel.id, permalink };
  },
  'reactions.add': (call) => {
    const { state, args } = call;
    const channel = channelOf(call);
    const name = args.required('name').replaceAll(':', '');
    if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackError('invalid_name');
    const message = state.findMessage(channel.id, args.required('timestamp'));
    if (message === undefined) throw new SlackError('message_not_found');
    message.reactions ??= [];
    const reaction = message.reactions.find((one) => one.name === name);
    const user = authorFields(state).user;
    if (reaction?.users.includes(user)) throw new SlackError('already_reacted');
    if (reaction === undefined) message.reactions.push({ name, users: [user], count: 1 });
    else {
      reaction.users.push(user);
      reaction.count += 1;
    }
    state.changed({ kind: 'message', channel: channel.id });
    return {};
  },
};
