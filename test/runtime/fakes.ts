import type { Effect } from '../../src/domain/effect.ts';
import type { Observed } from '../../src/domain/event.ts';
import type { Split } from '../../src/domain/state.ts';
import type { Chat, ChatMessage, MessageAddress } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { MetricRequest, MetricSource } from '../../src/ports/metric-source.ts';
import type { Page, Pager } from '../../src/ports/pager.ts';
import type { Job, Store } from '../../src/ports/store.ts';
import type { Target } from '../../src/ports/target.ts';
import type { World } from '../../src/runtime/performers/performer.ts';
import type { VirtualClock } from '../support/clock.ts';
import { policiesOf, policy, recordingTelemetry, service, t0 } from './support.ts';

type Trouble = (call: number) => PortError | 'lost-reply' | 'lost-call' | null;
const none: Trouble = () => null;

/** A target that does what it is told, at once or later, and can lose calls and replies. */
export class FakeTarget implements Target {
  readonly kind = 'fake';
  readonly steps = 'any';
  readonly landingMs = 10_000;
  split: Split = { stable: 'v41', candidate: 'v42', exposurePercent: 10 };
  ready: Observed['ready'] = { v41: { ready: true, detail: '' }, v42: { ready: true, detail: '' } };
  readonly shifts: Split[] = [];
  observations = 0;
  shiftTrouble: Trouble = none;
  observeTrouble: Trouble = none;
  /** Observations until an accepted split is in force. */
  slowness = 0;
  #pending: { split: Split; in: number } | null = null;

  async observe(): Promise<Observed> {
    this.observations += 1;
    const trouble = this.observeTrouble(this.observations);
    if (trouble instanceof PortError) throw trouble;
    if (this.#pending && this.#pending.in-- <= 0) {
      this.split = this.#pending.split;
      this.#pending = null;
    }
    const { stable, candidate, exposurePercent } = this.split;
    return { stable, candidate, exposurePercent, ready: this.ready, revision: `rev${this.shifts.length}` };
  }

  async shift(split: Split, revision: string | null): Promise<void> {
    if (revision !== `rev${this.shifts.length}`)
      throw new Error(`shifted with ${revision}, which was not observed last`);
    const trouble = this.shiftTrouble(this.shifts.length + 1);
    this.shifts.push(split);
    if (trouble instanceof PortError) throw trouble;
    if (trouble !== 'lost-call') this.#pending = { split, in: this.slowness };
    if (trouble) throw new PortError('ambiguous', 'The router did not answer in time.');
  }
}

/** A chat that refuses what a real one would: a post twice, an update or a thread of what is not there. */
export class FakeChat implements Chat {
  readonly messages = new Map<string, ChatMessage & { address: MessageAddress; updates: number }>();
  readonly calls: string[] = [];
  trouble: (call: string) => PortError | 'lost-reply' | null = () => null;

  async post(message: ChatMessage): Promise<MessageAddress> {
    const trouble = this.#called(`post ${message.id}`);
    if (this.messages.has(message.id)) throw new Error(`${message.id} was posted twice`);
    if (message.thread) this.#at(message.thread);
    const address = { channel: 'C1', ts: `${this.messages.size + 1}.0` };
    this.messages.set(message.id, { ...message, address, updates: 0 });
    if (trouble) throw new PortError('ambiguous', 'Slack did not answer in time.');
    return address;
  }

  async update(address: MessageAddress, message: ChatMessage): Promise<void> {
    this.#called(`update ${message.id}`);
    const there = this.#at(address);
    if (there.id !== message.id) throw new Error(`${address.ts} is ${there.id}, not ${message.id}`);
    this.messages.set(message.id, { ...there, ...message, updates: there.updates + 1 });
  }

  async find(message: ChatMessage): Promise<MessageAddress | null> {
    this.#called(`find ${message.id}`);
    return this.messages.get(message.id)?.address ?? null;
  }

  #called(call: string): 'lost-reply' | null {
    this.calls.push(call);
    const trouble = this.trouble(call);
    if (trouble instanceof PortError) throw trouble;
    return trouble;
  }

  #at(address: MessageAddress) {
    const there = [...this.messages.values()].find((message) => message.address.ts === address.ts);
    if (!there || address.channel !== 'C1') throw new PortError('permanent', 'message_not_found');
    return there;
  }
}

export class FakePager implements Pager {
  readonly pages: Page[] = [];
  async send(page: Page): Promise<void> {
    this.pages.push(page);
  }
}

export class FakeSource implements MetricSource {
  readonly requests: MetricRequest[] = [];
  error: Error | null = null;
  async read(request: MetricRequest) {
    this.requests.push(request);
    if (this.error) throw this.error;
    return request.metrics.map(({ name }) => ({
      metric: name,
      stableNow: null,
      stableBefore: null,
      candidateNow: null,
      missing: 'nothing was recorded',
    }));
  }
}

export function fakeWorld(store: Store, clock: VirtualClock) {
  const target = new FakeTarget();
  const chat = new FakeChat();
  const pager = new FakePager();
  const source = new FakeSource();
  const told = recordingTelemetry();
  const asked: { targets: string[]; sources: string[] } = { targets: [], sources: [] };
  const world: World = {
    store,
    policies: policiesOf(policy()),
    targets: (of) => {
      asked.targets.push(of.revision);
      return target;
    },
    sources: (of) => {
      asked.sources.push(of.revision);
      return source;
    },
    alertSources: () => null,
    chat,
    pager,
    clock,
    telemetry: told.telemetry,
    instance: 'prod',
  };
  return { world, target, chat, pager, source, asked, ...told };
}

/** A job as a worker would hand it over. */
export function jobOf<E extends Effect>(effect: E, over: Partial<Job> = {}): Job & { effect: E } {
  const attempt = over.attempt ?? 1;
  return {
    id: 1,
    service,
    key: null,
    lane: null,
    dueAtMs: t0,
    priority: 0,
    createdAtMs: t0,
    attempt,
    lease: { jobId: over.id ?? 1, owner: 'w', attempt },
    progress: null,
    stateVersion: null,
    ...over,
    effect,
  };
}
