import type { KnownBlock, WebClient } from '@slack/web-api';
import type { Breaker } from '../outbound/breaker.ts';
import type { Chat, ChatMessage, MessageAddress } from '../ports/chat.ts';
import type { Clock } from '../ports/clock.ts';
import { PortError } from '../ports/failure.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Drawing } from './cards/blocks.ts';
import { draw } from './cards/index.ts';
import { plainer } from './cards/simplify.ts';
import { BlocksRefused, type Call, notFromSlack, RateLimited, reachedSlack, slackFailure } from './errors.ts';
import type { Identity } from './identity.ts';
import { Pace } from './pace.ts';

const EVENT_TYPE = 'lastgood_message';
const PAGE = 200;
/** An ambiguous post is looked for soon after; a thousand messages back is further than any channel gets by then. */
const PAGES = 5;
const CHANNEL_PAGES = 20;
const CHANNEL_ID = /^[CGD][A-Z0-9]{2,}$/;

interface Parts {
  readonly client: WebClient;
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Keeps messages, which can wait, off a Slack that does not answer; what a person waits for does not go through it. */
  readonly breaker: Breaker;
}

/** The Chat port on Slack: every message carries our own id in its metadata, by which an uncertain post is found again. */
export class SlackChat implements Chat {
  private readonly client: WebClient;
  private readonly identity: Identity;
  private readonly telemetry: Telemetry;
  private readonly breaker: Breaker;
  private readonly pace: Pace;
  /** Channel ids by name, as learned. */
  private readonly channels = new Map<string, string>();

  constructor(parts: Parts) {
    this.client = parts.client;
    this.identity = parts.identity;
    this.telemetry = parts.telemetry;
    this.pace = new Pace(parts.clock);
    this.breaker = parts.breaker;
  }

  async post(message: ChatMessage, signal: AbortSignal): Promise<MessageAddress> {
    const channel = message.thread?.channel ?? message.channel;
    const call = this.call('chat.postMessage', 'post', message);
    const posted = await this.cardsFirst(message, () =>
      this.inPlainerClothes(message, (drawing) =>
        this.asked(call, signal, () =>
          this.client.chat.postMessage({
            channel: this.channels.get(channel) ?? channel,
            ...(message.thread ? { thread_ts: message.thread.ts } : {}),
            ...content(drawing, message.id),
            unfurl_links: false,
            unfurl_media: false,
          }),
        ),
      ),
    );
    if (!isText(posted.ts) || !isText(posted.channel)) {
      throw new PortError('ambiguous', 'Slack accepted a message without saying where it stands.');
    }
    if (!CHANNEL_ID.test(channel)) this.channels.set(channel, posted.channel);
    return { channel: posted.channel, ts: posted.ts };
  }

  async update(address: MessageAddress, message: ChatMessage, signal: AbortSignal): Promise<void> {
    const call = this.call('chat.update', 'repeatable', message);
    await this.inPlainerClothes(message, (drawing) =>
      this.asked(call, signal, () =>
        this.client.chat.update({
          channel: address.channel,
          ts: address.ts,
          ...content(drawing, message.id),
          attachments: [],
        }),
      ),
    );
  }

  async remove({ channel, ts }: MessageAddress, message: ChatMessage, signal: AbortSignal): Promise<void> {
    const call = this.call('chat.delete', 'repeatable', message);
    await this.asked(call, signal, () => this.client.chat.delete({ channel, ts }));
  }

  async find(message: ChatMessage, signal: AbortSignal): Promise<MessageAddress | null> {
    const { thread } = message;
    const channel = thread?.channel ?? (await this.channelId(message, signal));
    const call = this.call(thread ? 'conversations.replies' : 'conversations.history', 'repeatable', message);
    let cursor: string | undefined;
    for (let page = 0; page < PAGES; page += 1) {
      const query = { channel, include_all_metadata: true, limit: PAGE, ...(cursor ? { cursor } : {}) };
      const answer = await this.asked(call, signal, () =>
        thread
          ? this.client.conversations.replies({ ...query, ts: thread.ts })
          : this.client.conversations.history(query),
      );
      const found = listed(answer.messages, call).find((candidate) => this.isOurs(candidate, message.id));
      if (isText(found?.ts)) return { channel, ts: found.ts };
      cursor = nextOf(answer);
      if (cursor === undefined) return null;
    }
    return null;
  }

  /** Asks Slack whether it knows us; throws PortError where it does not, or does not answer. */
  async ping(signal: AbortSignal): Promise<void> {
    const call: Call = { method: 'auth.test', intent: 'repeatable', channel: 'Slack', botName: this.identity.bot.name };
    await this.asked(call, signal, () => this.client.auth.test());
  }

  /** How long a line of a thread would have to wait for its place; a card is always tried. */
  waitMs(message: ChatMessage): number {
    return message.thread ? this.pace.lineWaitMs(this.placeOf(message)) : 0;
  }

  /** Lines leave the next place to a card that waits for one. */
  private async cardsFirst<T>(message: ChatMessage, send: () => Promise<T>): Promise<T> {
    const channel = this.placeOf(message);
    const waitMs = message.thread ? this.pace.cardWaitMs(channel) : 0;
    if (waitMs > 0)
      throw new PortError('retryable', `${message.id} waits: Slack limits posts, and a card goes first.`, {
        retryAfterMs: waitMs,
      });
    try {
      const sent = await send();
      this.pace.posted(channel);
      return sent;
    } catch (error) {
      if (error instanceof RateLimited) this.pace.refused(channel, error.retryAfterMs ?? 0, message.thread === null);
      throw error;
    }
  }

  private placeOf({ thread, channel }: ChatMessage): string {
    return thread?.channel ?? this.channels.get(channel) ?? channel;
  }

  /** Anybody can put metadata on a message: only our own bot's counts. */
  private isOurs(candidate: Readonly<Record<string, unknown>>, id: string): boolean {
    const metadata = candidate.metadata as { event_type?: unknown; event_payload?: { id?: unknown } } | undefined;
    const { botId } = this.identity.bot;
    const byUs = botId === undefined || candidate.bot_id === undefined || candidate.bot_id === botId;
    return byUs && metadata?.event_type === EVENT_TYPE && metadata.event_payload?.id === id;
  }

  /** History wants an id where posting takes a name. */
  private async channelId(message: ChatMessage, signal: AbortSignal): Promise<string> {
    const { channel } = message;
    const known = CHANNEL_ID.test(channel) ? channel : this.channels.get(channel);
    if (known) return known;
    const call = this.call('conversations.list', 'repeatable', message);
    let cursor: string | undefined;
    for (let page = 0; page < CHANNEL_PAGES; page += 1) {
      const answer = await this.asked(call, signal, () =>
        this.client.conversations.list({
          types: 'public_channel,private_channel',
          exclude_archived: true,
          limit: PAGE,
          ...(cursor ? { cursor } : {}),
        }),
      );
      const found = listed(answer.channels, call).find((c) => c.name === channel.replace(/^#/, ''));
      if (isText(found?.id)) {
        this.channels.set(channel, found.id);
        return found.id;
      }
      cursor = nextOf(answer);
      if (cursor === undefined) break;
    }
    throw new PortError(
      'permanent',
      `Slack knows no channel ${channel} that Lastgood can see. Check \`channel\` in the policy; if it is private, invite @${this.identity.bot.name} there.`,
    );
  }

  /** Slack refusing newer blocks must not keep the buttons from people: sent again, each time plainer. */
  private async inPlainerClothes<T>(message: ChatMessage, send: (drawing: Drawing) => Promise<T>): Promise<T> {
    let refused: BlocksRefused | null = null;
    for (const next of clothes(draw(message.content))) {
      try {
        return await send(next);
      } catch (error) {
        if (!(error instanceof BlocksRefused)) throw error;
        this.telemetry.problem(`slack message ${message.id}`, error);
        refused = error;
      }
    }
    throw refused ?? new PortError('permanent', `Nothing was drawn for ${message.id}.`);
  }

  private call(method: string, intent: Call['intent'], message: ChatMessage): Call {
    return { method, intent, channel: message.channel, botName: this.identity.bot.name };
  }

  /** One call: classed when it fails, given up when the signal says so. */
  private async asked<T>(call: Call, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw new PortError('retryable', `${call.method} was not sent: the work was stopped before.`);
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason ?? new Error('stopped'));
    signal.addEventListener('abort', stop, { once: true });
    const race = () => Promise.race([send(), stopped.promise]);
    try {
      return await this.breaker.run(race, (end) => {
        if ('value' in end) return { answered: true };
        return signal.aborted ? { unknown: true } : reachedSlack(end.error, slackFailure(end.error, call));
      });
    } catch (error) {
      this.identity.note(error);
      throw slackFailure(error, call);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** The plainer ones are drawn only where they are needed. */
function* clothes(drawing: Drawing): Generator<Drawing> {
  yield drawing;
  yield* plainer(drawing);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** What Slack lists. Anything else than a list is no "there is none": a message would be posted a second time. */
function listed(list: unknown, call: Call): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(list)) throw notFromSlack(call);
  return list.filter((one) => typeof one === 'object' && one !== null);
}

/** Where the next page is; undefined: there is none. */
function nextOf({ response_metadata: page }: { response_metadata?: { next_cursor?: unknown } }): string | undefined {
  return isText(page?.next_cursor) ? page.next_cursor : undefined;
}

/** Text, blocks and metadata together: an update without blocks would take them away. */
function content(drawing: Drawing, id: string) {
  return {
    text: drawing.text,
    blocks: drawing.blocks as unknown as KnownBlock[],
    metadata: { event_type: EVENT_TYPE, event_payload: { id } },
  };
}
