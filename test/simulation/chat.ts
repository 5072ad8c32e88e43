import type { Chat, ChatMessage, MessageAddress } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Dice } from './dice.ts';
import type { Scene } from './scene.ts';

const HOUR = 3_600_000;

export interface Posted {
  readonly address: MessageAddress;
  message: ChatMessage;
  readonly thread: MessageAddress | null;
}

/** Slack as it really stands, whoever thinks what of it. */
export class SimulatedChat {
  readonly messages = new Map<string, Posted>();
  /** What people deleted: nobody posts it again before there is something new to show. */
  readonly deleted = new Set<string>();
  readonly #byId = new Map<string, Posted>();
  readonly #scene: Scene;
  readonly #dice: Dice;
  #downUntilMs = 0;
  #count = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#dice = scene.dice('chat');
    this.#plan();
  }

  /** Cards that people can see, the newest last. */
  cards(): readonly Posted[] {
    return [...this.messages.values()].filter(({ message }) => message.content.kind === 'card');
  }

  byId(id: string): Posted | null {
    return this.#byId.get(id) ?? null;
  }

  port(): Chat {
    return {
      post: async (message) => {
        await this.#trouble();
        if (message.thread && !this.messages.has(message.thread.ts))
          throw new PortError('permanent', 'thread_not_found');
        if (this.#hits('slack-refused', 0.05)) throw new PortError('permanent', 'channel_not_found');
        if (this.#hits('slack-lost-call', 0.15)) return this.#giveUp();
        const address = this.#post(message);
        return this.#hits('slack-lost-reply', 0.2) ? this.#giveUp() : address;
      },
      update: async (address, message) => {
        await this.#trouble();
        const there = this.messages.get(address.ts);
        if (!there) throw new PortError('permanent', 'message_not_found');
        if (there.message.id !== message.id)
          this.#scene.breaks(`rule 11: ${message.id} was written over ${there.message.id}`);
        if (this.#hits('slack-lost-call', 0.15)) return this.#giveUp();
        there.message = message;
        if (this.#hits('slack-lost-reply', 0.2)) return this.#giveUp();
      },
      remove: async (address) => {
        await this.#trouble();
        const there = this.messages.get(address.ts);
        this.messages.delete(address.ts);
        if (there && this.#byId.get(there.message.id) === there) this.#byId.delete(there.message.id);
      },
      find: async (message) => {
        await this.#trouble();
        return this.byId(message.id)?.address ?? null;
      },
    };
  }

  /** Somebody tidies up. */
  #deleteOne(): void {
    const all = [...this.messages.values()];
    if (all.length === 0) return;
    const one = this.#dice.pick(all);
    this.#scene.struck('slack-deleted');
    this.#scene.log(`somebody deletes ${one.message.id}`);
    this.messages.delete(one.address.ts);
    this.#byId.delete(one.message.id);
    this.deleted.add(one.message.id);
  }

  #post(message: ChatMessage): MessageAddress {
    if (this.#byId.has(message.id)) this.#scene.breaks(`rule 11: ${message.id} stands in Slack twice`);
    this.#count += 1;
    const posted = { address: { channel: message.channel, ts: `${this.#count}.0` }, message, thread: message.thread };
    this.messages.set(posted.address.ts, posted);
    this.#byId.set(message.id, posted);
    return posted.address;
  }

  async #trouble(): Promise<void> {
    const { latencyMs } = this.#scene.swarm;
    if (latencyMs > 0) await this.#scene.time.pass(this.#dice.between(0, latencyMs));
    if (this.#scene.stormy && this.#scene.time.nowMs < this.#downUntilMs)
      throw new PortError('retryable', 'Slack answers 503.');
    if (this.#hits('slack-rate-limited', 0.3))
      throw new PortError('retryable', 'ratelimited', { retryAfterMs: this.#dice.pick([1_000, 30_000]) });
  }

  async #giveUp(): Promise<never> {
    await this.#scene.time.pass(this.#dice.pick([0, 10_000]));
    throw new PortError('ambiguous', 'Slack did not answer in time.');
  }

  #hits(fault: Parameters<Scene['hits']>[0], probability: number): boolean {
    return this.#scene.hits(fault, probability, this.#dice);
  }

  /** Outages, and tidy people. */
  #plan(): void {
    const outage = () => {
      if (this.#scene.strength('slack-down') > 0) {
        this.#scene.struck('slack-down');
        this.#downUntilMs = this.#scene.time.nowMs + this.#dice.magnitude(60_000, HOUR);
        this.#scene.log('Slack is down');
      }
      this.#scene.time.after(this.#dice.waitMs(this.#scene.swarm.strength['slack-down']), outage);
    };
    this.#scene.time.after(this.#dice.waitMs(this.#scene.swarm.strength['slack-down']), outage);
    const tidy = () => {
      if (this.#scene.strength('slack-deleted') > 0) this.#deleteOne();
      this.#scene.time.after(this.#dice.waitMs(this.#scene.swarm.strength['slack-deleted']), tidy);
    };
    this.#scene.time.after(this.#dice.waitMs(this.#scene.swarm.strength['slack-deleted']), tidy);
  }
}
