import { limits } from './blockkit/limits.ts';
import { validateMessage } from './blockkit/validate.ts';
import { SlackError } from './errors.ts';
import { type Fields, isFields, objectsOf } from './fields.ts';
import type { Channel, State } from './state.ts';
import type { Message } from './types.ts';

/** What a message says, as it came from the app and was checked. */
export interface Content {
  text: string | undefined;
  blocks: Fields[] | undefined;
  attachments: Fields[] | undefined;
}

/** Reads and checks text, blocks and attachments; throws Slack's error. Blocks come back with ids. */
export function checkedContent(state: State, fields: Fields, maxText: number): Content {
  const text = fields.text === undefined ? undefined : String(fields.text);
  const blocks = parsedList(fields.blocks, 'invalid_blocks_format');
  const attachments = parsedList(fields.attachments, 'invalid_attachments');
  if (!text && (blocks?.length ?? 0) === 0 && (attachments?.length ?? 0) === 0) throw new SlackError('no_text');
  if ((text?.length ?? 0) > maxText) throw new SlackError('msg_too_long');
  if ((attachments?.length ?? 0) > limits.attachments) throw new SlackError('too_many_attachments');
  const refused = validateMessage(blocks, attachments, (id) => state.fileReady(id));
  if (refused !== null) throw new SlackError(refused.code, { errors: refused.errors });
  return {
    text,
    blocks: blocks === undefined ? undefined : state.withIds(blocks),
    attachments: attachments === undefined ? undefined : withAttachmentIds(state, attachments),
  };
}

/** A JSON list that came as itself or as a string. */
function parsedList(value: unknown, code: string): unknown[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  let list = value;
  if (typeof value === 'string') {
    try {
      list = JSON.parse(value);
    } catch {
      throw new SlackError(code);
    }
  }
  if (!Array.isArray(list)) throw new SlackError(code);
  return list;
}

function withAttachmentIds(state: State, attachments: unknown[]): Fields[] {
  return objectsOf(structuredClone(attachments)).map((attachment, index) => ({
    id: index + 1,
    fallback: '[no preview available]',
    ...attachment,
    ...(attachment.blocks === undefined ? {} : { blocks: state.withIds(attachment.blocks) }),
  }));
}

/** Message metadata: checked as Slack does. An empty object removes what was there. */
export function checkedMetadata(value: unknown): Message['metadata'] | null | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  let metadata = value;
  if (typeof value === 'string') {
    try {
      metadata = JSON.parse(value);
    } catch {
      throw new SlackError('invalid_metadata_format');
    }
  }
  if (!isFields(metadata)) throw new SlackError('invalid_metadata_format');
  if (Object.keys(metadata).length === 0) return null;
  if (typeof metadata.event_type !== 'string' || metadata.event_type === '' || !isFields(metadata.event_payload)) {
    throw new SlackError('invalid_metadata_schema');
  }
  if (Buffer.byteLength(JSON.stringify(metadata)) > limits.metadataBytes) throw new SlackError('metadata_too_large');
  return { event_type: metadata.event_type, event_payload: structuredClone(metadata.event_payload) };
}

/** The parent a reply belongs to. */
export function checkedThread(state: State, channel: Channel, threadTs: string | undefined): string | undefined {
  if (threadTs === undefined || threadTs === '') return undefined;
  const parent = state.findMessage(channel.id, threadTs);
  if (parent === undefined) throw new SlackError('thread_not_found');
  if (parent.thread_ts !== undefined && parent.thread_ts !== parent.ts) throw new SlackError('cannot_reply_to_message');
  return threadTs;
}

/** Who wrote it: the fields of a message by the app. */
export function authorFields(state: State): Pick<Message, 'user' | 'team' | 'bot_id' | 'app_id' | 'bot_profile'> {
  return {
    user: state.botUserId,
    team: state.teamId,
    bot_id: state.botId,
    app_id: state.appId,
    bot_profile: {
      id: state.botId,
      app_id: state.appId,
      user_id: state.botUserId,
      name: state.botName,
      icons: { image_36: '', image_48: '', image_72: '' },
      deleted: false,
      updated: 0,
      team_id: state.teamId,
    },
  };
}

/** Puts a message of the app into a channel. */
export function postAsApp(
  state: State,
  channel: Channel,
  content: Content,
  extra: { thread?: string; metadata?: Message['metadata']; broadcast?: boolean; files?: Fields[] } = {},
): Message {
  const parent = extra.thread === undefined ? undefined : state.findMessage(channel.id, extra.thread);
  const message: Message = {
    type: 'message',
    ts: state.nextTs(),
    channel: channel.id,
    ...authorFields(state),
    text: content.text ?? textOf(content),
    ...(content.blocks === undefined ? {} : { blocks: content.blocks }),
    ...(content.attachments === undefined ? {} : { attachments: content.attachments }),
    ...(extra.metadata === undefined ? {} : { metadata: extra.metadata }),
    ...(extra.thread === undefined ? {} : { thread_ts: extra.thread, parent_user_id: parent?.user ?? '' }),
    ...(extra.broadcast === true ? { subtype: 'thread_broadcast' } : {}),
    ...(extra.files === undefined ? {} : { files: extra.files }),
  };
  state.add(message);
  return message;
}

/** Slack fills a missing text from the blocks. */
export function textOf(content: Content): string {
  for (const block of [...(content.blocks ?? []), ...objectsOf(content.attachments?.[0]?.blocks)]) {
    if (isFields(block.text) && typeof block.text.text === 'string') return block.text.text;
  }
  const fallback = content.attachments?.[0]?.fallback;
  return typeof fallback === 'string' ? fallback : '';
}
