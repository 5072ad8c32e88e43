import type { Fields } from './fields.ts';

/** How a local workspace is set up. Ids look like Slack's: U…, C…, T…, S…. */
export interface WorkspaceOptions {
  /** 0 (the default) takes a free port. */
  port?: number;
  host?: '127.0.0.1';
  /** Where the app listens: its origin (then `/slack/events` is added) or the whole address. Settable later: `connect`. */
  appUrl?: string | null;
  signingSecret: string;
  botToken: string;
  botUserId?: string;
  botName?: string;
  teamId?: string;
  teamName?: string;
  users: readonly UserOptions[];
  channels: readonly ChannelOptions[];
  commands: readonly CommandOptions[];
  usergroups?: readonly UsergroupOptions[];
  /** Milliseconds since 1970: message times, rate limits, and how long triggers and response_urls live unless `lifetimeNow` says otherwise. */
  now?: () => number;
  /** Milliseconds since 1970 for the signature's timestamp; the real time unless said otherwise, as Bolt compares with it. */
  signatureNow?: () => number;
  /** Milliseconds since 1970 for how long triggers and response_urls live; `now` unless said otherwise. */
  lifetimeNow?: () => number;
  /** Posts a channel takes a second before it answers 429. Slack: about 1. */
  postsPerSecondPerChannel?: number;
  /** Posts a channel that was quiet takes at once. Default 1: the strictest reading of Slack's "about one a second". */
  postBurst?: number;
  /** How long the app may take to acknowledge. Slack: 3 s. */
  ackTimeoutMs?: number;
  /** How long after its completion an uploaded file cannot be used yet. */
  fileReadyAfterMs?: number;
  /** Another page shown in a pane on the right. */
  panel?: { title: string; url: string };
}

export interface UserOptions {
  id: string;
  name: string;
  realName: string;
  /** A CSS hex colour (`#e01e5a`) for the avatar. */
  color?: string;
  /** What they may do, in a word or two: `approver`. Shown beside their name. */
  role?: string;
}

export interface ChannelOptions {
  id: string;
  name: string;
  archived?: boolean;
  /** Whether the app was invited. Default true. */
  botIsMember?: boolean;
  topic?: string;
}

export interface CommandOptions {
  /** With the slash: `/rollout`. */
  command: string;
  description: string;
  usageHint: string;
  /** What the page offers while somebody types this command; asked for whenever a line begins. Without it: the hint's words. */
  completion?: () => CommandCompletion | Promise<CommandCompletion>;
}

/** What can be typed after a command. */
export interface CommandCompletion {
  readonly subcommands: readonly SubcommandOptions[];
  /** What a usage's capital words stand for now: `SERVICE` → the services there are. */
  readonly words: Readonly<Record<string, readonly CompletionWord[]>>;
}

export interface SubcommandOptions {
  readonly name: string;
  /** `SERVICE VERSION [--reason TEXT]`: capitals stand for words, `a|b` for either, brackets for what may be left out. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
}

export interface CompletionWord {
  readonly value: string;
  readonly note?: string;
}

export interface UsergroupOptions {
  id: string;
  handle: string;
  name: string;
  users: readonly string[];
}

/** A message as Slack's API shows it. */
export interface Message {
  type: 'message';
  subtype?: string;
  ts: string;
  channel: string;
  user: string;
  team: string;
  text: string;
  bot_id?: string;
  app_id?: string;
  bot_profile?: Fields;
  blocks?: Fields[];
  attachments?: Fields[];
  metadata?: { event_type: string; event_payload: Fields };
  thread_ts?: string;
  parent_user_id?: string;
  reply_count?: number;
  reply_users?: string[];
  reply_users_count?: number;
  latest_reply?: string;
  edited?: { user: string; ts: string };
  reactions?: { name: string; users: string[]; count: number }[];
  files?: Fields[];
}

/** A message that one person alone sees. `from` says who speaks: the app, or Slack itself about a failure. */
export interface Ephemeral {
  ts: string;
  channel: string;
  user: string;
  from: 'app' | 'slackbot';
  text: string;
  blocks?: Fields[];
  attachments?: Fields[];
  thread_ts?: string;
}

/** An open modal or a Home tab, as the API shows it, and what is typed into it. */
export interface View {
  id: string;
  user: string;
  wire: Fields;
  hash: string;
  callbackId: string;
  title: string;
  privateMetadata: string;
  blocks: Fields[];
  values: Record<string, Record<string, Fields>>;
}

/** A notification that a mention caused. `target`: channel, here, everyone, a user's id or a user group's id. */
export interface Ping {
  target: string;
  channel: string;
  ts: string;
  by: string;
  via: 'post' | 'update' | 'ephemeral';
}

/** One call of the Web API, without its token. */
export interface ApiCall {
  at: number;
  method: string;
  arguments: Fields;
  status: number;
  ok: boolean;
  error?: string;
}

/** What came back when something was sent to the app. `error` is what Slack would show the person. */
export interface Delivery {
  ok: boolean;
  status: number | null;
  error?: 'operation_timeout' | 'dispatch_failed' | 'app_not_connected' | 'not_a_command' | 'not_in_thread' | 'refused';
  body: string;
}

/** The outcome of a modal's submission. */
export interface Submission extends Delivery {
  /** What the app, or the client before it was sent, says is wrong: block id → sentence. */
  errors?: Record<string, string>;
  action: 'close' | 'clear' | 'update' | 'push' | 'errors' | 'none';
}

export interface FaultOptions {
  /** A Web API method, or `*`. */
  method: string;
  mode: 'accept-then-drop' | 'hang' | '500' | '429' | 'refused';
  /** Of `refused`: Slack's error and what goes with it, as `{ error: 'missing_scope', needed: 'chat:write' }`. */
  refusal?: { readonly error: string } & Readonly<Record<string, string>>;
  /** How often. Default 1. */
  times?: number;
  retryAfterSeconds?: number;
}

export interface PressOptions {
  /** Look at an older drawing of the message instead of what is there now: a press that comes late. */
  asSeen?: { blocks?: Fields[]; attachments?: Fields[] };
  /** Which channel, where two channels have a message with the same ts. */
  channel?: string;
  /** What is answered to the confirm dialog. Default true. */
  confirm?: boolean;
}

/** One person using the workspace, without a page. Everything resolves when the app has acknowledged (or failed to). */
export interface Person {
  readonly id: string;
  /** A slash command or a plain message; `@name` and `#channel` become mentions as in Slack's composer. */
  type(channel: string, text: string, options?: { thread?: string }): Promise<Delivery>;
  /** Presses a button: by the message's ts (or an ephemeral's, or a view's id) and its action_id or text. */
  press(target: string, button: string, options?: PressOptions): Promise<Delivery>;
  /** Chooses in a select, overflow, radio, checkboxes or date picker: by option value or text. */
  choose(target: string, element: string, value: string | readonly string[], options?: PressOptions): Promise<Delivery>;
  /** Open modals, the topmost last. */
  openViews(): View[];
  /** Fills and submits a modal. Keys are block ids, action ids or labels; values option values, option texts or text. */
  submit(viewId: string, values?: Record<string, string | readonly string[]>): Promise<Submission>;
  close(viewId: string): Promise<Delivery>;
  ephemerals(channel?: string): Ephemeral[];
  openHome(): Promise<Delivery>;
  home(): View | null;
}

/** The local, strict, Slack-like workspace: Web API, page, interactions, and a programmatic side for tests. */
export interface Workspace {
  start(): Promise<{ url: string; apiUrl: string }>;
  stop(): Promise<void>;
  /** Where it is; throws before `start`. */
  readonly url: string;
  connect(appUrl: string | null): void;
  /** Sends the `url_verification` event; true when the app echoes the challenge. */
  verifyUrl(): Promise<boolean>;

  user(id: string): Person;
  /** Top-level messages of a channel, oldest first. By id, `#name` or name. */
  messages(channel: string): Message[];
  /** A parent message and its replies, oldest first. */
  thread(channel: string, ts: string): Message[];
  readonly calls: readonly ApiCall[];
  readonly pings: readonly Ping[];
  readonly deliveries: readonly SentRequest[];
  /** Waits until the predicate gives something truthy, which it returns; looks again at every change. */
  waitFor<T>(predicate: () => T | undefined | null | false, timeoutMs?: number): Promise<T>;

  fault(options: FaultOptions): void;
  clearFaults(): void;
  revokeToken(): void;
  restoreToken(): void;
  archive(channel: string): void;
  unarchive(channel: string): void;
  /** Takes the app out of a channel, as `/remove` does. */
  removeBot(channel: string): void;
}

/** Something that was sent to the app. */
export interface SentRequest {
  kind: 'command' | 'block_actions' | 'view_submission' | 'view_closed' | 'event';
  at: number;
  headers: Record<string, string>;
  body: string;
  payload: Fields;
  status: number | null;
}
