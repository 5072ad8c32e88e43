import { randomBytes } from 'node:crypto';
import { type Fields, isFields, objectsOf } from './fields.ts';
import { mentionsIn } from './mentions.ts';
import type {
  ApiCall,
  ChannelOptions,
  Ephemeral,
  Message,
  Ping,
  SentRequest,
  UserOptions,
  View,
  WorkspaceOptions,
} from './types.ts';

export interface Channel {
  id: string;
  name: string;
  topic: string;
  archived: boolean;
  botIsMember: boolean;
  /** The user of a direct message with the app. */
  directTo?: string;
}

export interface StoredFile {
  id: string;
  name: string;
  title: string;
  bytes: Buffer | null;
  expectedLength: number;
  uploadToken: string;
  completed: boolean;
  readyAt: number | null;
}

/** What changed, for the page. */
export interface Change {
  kind: 'message' | 'ephemeral' | 'view' | 'home' | 'channel' | 'notice';
  channel?: string;
  user?: string;
  text?: string;
}

/** What of a message can be pressed. */
export type Drawing = Pick<Message, 'blocks' | 'attachments'>;

/** A card is seldom drawn anew more often than this while a press is on its way. */
const formerDrawings = 8;

/** Everything the workspace knows, in memory, and who wants to hear of changes. */
export class State {
  readonly options: WorkspaceOptions;
  readonly teamId: string;
  readonly teamName: string;
  readonly appId = 'A0000000001';
  readonly botId = 'B0000000001';
  readonly botUserId: string;
  readonly botName: string;
  readonly users: Map<string, UserOptions>;
  readonly channels = new Map<string, Channel>();
  readonly messages = new Map<string, Message[]>();
  readonly ephemerals: Ephemeral[] = [];
  readonly views = new Map<string, View>();
  /** Open modals of each user, the topmost last. */
  readonly stacks = new Map<string, string[]>();
  readonly homes = new Map<string, View>();
  readonly files = new Map<string, StoredFile>();
  readonly pings: Ping[] = [];
  readonly calls: ApiCall[] = [];
  readonly deliveries: SentRequest[] = [];
  /** What people chose in inputs of messages: ts → block id → action id → value. */
  readonly messageValues = new Map<string, Record<string, Record<string, Fields>>>();
  /** What messages looked like before they were drawn anew, the newest last: a press of that may still be on its way. */
  private readonly former = new Map<string, Drawing[]>();
  tokenRevoked = false;
  private readonly listeners = new Set<(change: Change) => void>();
  private counter = 0;
  private lastTs = { second: 0, part: 0 };

  constructor(options: WorkspaceOptions) {
    this.options = options;
    this.teamId = options.teamId ?? 'T0000000001';
    this.teamName = options.teamName ?? 'Local workspace';
    this.botUserId = options.botUserId ?? 'U0000000BOT';
    this.botName = options.botName ?? 'App';
    this.users = new Map(options.users.map((user) => [user.id, user]));
    for (const channel of options.channels) this.addChannel(channel);
    for (const user of options.users) {
      const id = `D${user.id.slice(1)}`;
      this.channels.set(id, {
        id,
        name: id,
        topic: '',
        archived: false,
        botIsMember: true,
        directTo: user.id,
      });
      this.messages.set(id, []);
    }
  }

  private addChannel(channel: ChannelOptions): void {
    this.channels.set(channel.id, {
      id: channel.id,
      name: channel.name.replace(/^#/, ''),
      topic: channel.topic ?? '',
      archived: channel.archived ?? false,
      botIsMember: channel.botIsMember ?? true,
    });
    this.messages.set(channel.id, []);
  }

  now(): number {
    return this.options.now?.() ?? Date.now();
  }

  /** Ids that are the same in every run: what tests compare stays stable. */
  nextId(prefix: string): string {
    this.counter += 1;
    return `${prefix}${String(this.counter).padStart(10, '0')}`;
  }

  /** What must not be guessable: triggers, response_urls, uploads. */
  secret(): string {
    return randomBytes(12).toString('hex');
  }

  /** A message's time and id: seconds and six digits, never twice the same, never backwards. */
  nextTs(): string {
    const ms = Math.floor(this.now());
    let second = Math.floor(ms / 1000);
    let part = (ms % 1000) * 1000;
    if (second < this.lastTs.second || (second === this.lastTs.second && part <= this.lastTs.part)) {
      second = this.lastTs.second;
      part = this.lastTs.part + 1;
      if (part > 999_999) {
        second += 1;
        part = 0;
      }
    }
    this.lastTs = { second, part };
    return `${second}.${String(part).padStart(6, '0')}`;
  }

  listen(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(change: Change): void {
    for (const listener of [...this.listeners]) listener(change);
  }

  /** By id, `#name` or name; also a user's id for the direct message with the app. */
  findChannel(wanted: string): Channel | undefined {
    const byId = this.channels.get(wanted);
    if (byId !== undefined) return byId;
    const name = wanted.replace(/^#/, '');
    for (const channel of this.channels.values()) {
      if (channel.name === name && channel.directTo === undefined) return channel;
      if (channel.directTo === wanted) return channel;
    }
    return undefined;
  }

  in(channel: string): Message[] {
    return this.messages.get(channel) ?? [];
  }

  findMessage(channel: string, ts: string): Message | undefined {
    return this.in(channel).find((message) => message.ts === ts);
  }

  /** To be called before a message is drawn anew: people may just be pressing what stands there. */
  keepDrawing({ ts, blocks, attachments }: Pick<Message, 'ts'> & Drawing): void {
    const kept = [...(this.former.get(ts) ?? []), { blocks, attachments }];
    this.former.set(ts, kept.slice(-formerDrawings));
  }

  /** The drawings before the present one, the newest first. */
  formerDrawingsOf(ts: string): Drawing[] {
    return (this.former.get(ts) ?? []).toReversed();
  }

  /** Adds a message, and to its parent the reply's count. */
  add(message: Message): void {
    this.in(message.channel).push(message);
    if (message.thread_ts !== undefined && message.thread_ts !== message.ts) this.countReplies(message);
    this.recordPings(message, message.user, 'post');
    this.changed({ kind: 'message', channel: message.channel });
  }

  /** Writes a parent's reply fields anew after a reply came or went. */
  countReplies(reply: { channel: string; thread_ts?: string }): void {
    const parent = this.findMessage(reply.channel, reply.thread_ts ?? '');
    if (parent === undefined) return;
    const replies = this.in(reply.channel).filter((one) => one.thread_ts === parent.ts && one.ts !== parent.ts);
    const last = replies.at(-1);
    if (last === undefined) {
      for (const key of ['thread_ts', 'reply_count', 'reply_users', 'reply_users_count', 'latest_reply'] as const) {
        delete parent[key];
      }
      return;
    }
    parent.thread_ts = parent.ts;
    parent.reply_count = replies.length;
    parent.reply_users = [...new Set(replies.map((one) => one.user))];
    parent.reply_users_count = parent.reply_users.length;
    parent.latest_reply = last.ts;
  }

  recordPings(
    message: { text: string; blocks?: unknown; attachments?: unknown; channel: string; ts: string },
    by: string,
    via: Ping['via'],
  ): void {
    for (const target of mentionsIn(message)) {
      this.pings.push({ target, channel: message.channel, ts: message.ts, by, via });
    }
  }

  addEphemeral(ephemeral: Omit<Ephemeral, 'ts'>): Ephemeral {
    const stored = { ...ephemeral, ts: this.nextTs() };
    this.ephemerals.push(stored);
    if (stored.from === 'app') this.recordPings(stored, this.botUserId, 'ephemeral');
    this.changed({ kind: 'ephemeral', channel: stored.channel, user: stored.user });
    return stored;
  }

  /** Gives every block a block_id and every element an action_id, as Slack does with those that have none. */
  withIds(blocks: unknown): Fields[] {
    const copy = objectsOf(structuredClone(blocks));
    for (const block of copy) this.giveIds(block);
    return copy;
  }

  private giveIds(block: Fields): void {
    block.block_id ??= randomBytes(3).toString('hex').slice(0, 5);
    for (const key of ['accessory', 'element', 'elements', 'actions']) {
      const value = block[key];
      for (const element of Array.isArray(value) ? value : [value]) {
        if (isFields(element) && interactive.has(String(element.type))) {
          element.action_id ??= randomBytes(3).toString('hex').slice(0, 5);
        }
        if (isFields(element) && element.type === 'card') this.giveIds(element);
      }
    }
    for (const key of ['child_blocks', 'tasks']) {
      for (const child of objectsOf(block[key])) this.giveIds(child);
    }
  }

  fileReady(id: string): boolean {
    const file = this.files.get(id);
    return file?.readyAt !== undefined && file.readyAt !== null && file.readyAt <= this.now();
  }
}

const interactive = new Set([
  'button',
  'static_select',
  'users_select',
  'overflow',
  'radio_buttons',
  'checkboxes',
  'datetimepicker',
  'plain_text_input',
  'number_input',
  'feedback_buttons',
  'icon_button',
]);
