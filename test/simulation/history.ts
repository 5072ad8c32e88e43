import type { Decide } from '../../src/application/submit.ts';
import { decide as domainDecide } from '../../src/domain/decide.ts';
import type { Observed } from '../../src/domain/event.ts';
import type { ServiceState, Split } from '../../src/domain/state.ts';
import type { Job, Store, Unit } from '../../src/ports/store.ts';
import { brokenRules, type Decided } from '../support/decision-rules.ts';
import { Promoted } from './promoted.ts';
import type { Scene } from './scene.ts';
import { alertKey } from './taken.ts';

/** What one unit of work did, kept only if it is committed. */
interface Draft {
  readonly decided: Decided[];
  readonly changes: (() => void)[];
}

/** Everything that was ever committed, seen from outside of the process that did it; and the rules about it. */
export class History {
  /** As committed last. */
  readonly states = new Map<string, ServiceState>();
  readonly journalled = new Map<string, number>();
  /** Alerts that were decided on, by `alertKey`. */
  readonly heard = new Set<string>();
  /** Told of everything committed. */
  readonly onDecided: ((decided: Decided) => void)[] = [];
  readonly #scene: Scene;
  /** Timers that a job waits for, by service and key: their epochs. */
  readonly #timers = new Map<string, number>();
  readonly #fired = new Set<string>();
  readonly #claimed = new Map<number, Job>();
  readonly #gaining = new Map<string, string | null>();
  readonly #promoted: Promoted;
  #draft: Draft | null = null;

  readonly #decide: Decide;

  constructor(scene: Scene, decide: Decide = domainDecide) {
    this.#scene = scene;
    this.#decide = decide;
    this.#promoted = new Promoted(scene);
  }

  /** The real decisions, written down. */
  readonly decide: Decide = (before, event, context) => {
    const decision = this.#decide(before, event, context);
    this.#scene.reach(`event ${event.type === 'command' ? event.command.name : event.type} ${decision.outcome}`);
    if (decision.outcome === 'accepted') {
      const { state, effects, journal } = decision;
      this.#draft?.decided.push({ before, event, state, effects, journal, policy: context.policy });
    }
    return decision;
  };

  /** The real store, written down. */
  over(store: Store): Store {
    return {
      ...store,
      transaction: async (work) => {
        let draft: Draft = { decided: [], changes: [] };
        const done = await store.transaction((unit) => {
          draft = { decided: [], changes: [] };
          this.#draft = draft;
          return work(this.#unit(unit, draft));
        });
        this.#commit(draft);
        return done;
      },
      jobs: {
        ...store.jobs,
        claim: async (request) => {
          const jobs = await store.jobs.claim(request);
          for (const job of jobs) this.#claimed.set(job.id, job);
          return jobs;
        },
        postpone: async (lease, next) => {
          const done = await store.jobs.postpone(lease, next);
          const stage = this.states.get(next.service)?.degradation?.stage;
          if (done && stage?.name === 'asking' && stage.measuring)
            this.#scene.breaks(`rule 10: ${next.service} is past its deadline, and the look it waits for is put off`);
          return done;
        },
        complete: async (lease) => {
          const done = await store.jobs.complete(lease);
          if (done) this.#ended(lease.jobId);
          return done;
        },
      },
    };
  }

  /** Rule 10, 11: what the state counts on is on its way. Looked at when nothing is going on. */
  check(): void {
    for (const [service, state] of this.states)
      for (const [key, timer] of Object.entries(state.timers))
        if (this.#timers.get(`${service}/${key}`) !== timer.epoch)
          this.#scene.breaks(`rule 10: ${service} waits for its timer ${key}, and no job does`);
  }

  /** Rule 10: and whoever asks the table itself finds it there. */
  checkTable(jobs: ReadonlySet<string>): void {
    for (const [service, state] of this.states)
      for (const key of Object.keys(state.timers))
        if (!jobs.has(`${service}/${key}`))
          this.#scene.breaks(`rule 10: the job of ${service}'s timer ${key} is not in the table`);
  }

  /** Rules 3 and 11: what the target is told is what was ordered last, and onto what it said is ready. */
  checkOrder(service: string, split: Split, lastSeen: Observed | null): void {
    const shift = this.states.get(service)?.shift;
    if (!shift || JSON.stringify(shift.split) !== JSON.stringify(split))
      this.#scene.breaks(
        `rule 11: ${service} is told ${JSON.stringify(split)}, ordered is ${JSON.stringify(shift?.split)}`,
      );
    if (!lastSeen) this.#scene.breaks(`rule 11: ${service} is told where to go without having been looked at`);
    const gaining = shift ? (this.#gaining.get(shift.id) ?? null) : null;
    if (gaining !== null && lastSeen?.ready[gaining]?.ready !== true)
      this.#scene.breaks(`rule 3: ${service} is moved onto ${gaining}, which is not ready`);
  }

  #unit(unit: Unit, draft: Draft): Unit {
    return {
      ...unit,
      insertEvent: async (stored) => {
        const { service, event } = stored;
        if (event.type === 'alert') draft.changes.push(() => this.heard.add(alertKey(service, event.alert)));
        return unit.insertEvent(stored);
      },
      enqueue: async (job) => {
        await unit.enqueue(job);
        const { effect, service } = job;
        if (effect.kind === 'timer')
          draft.changes.push(() => this.#timers.set(`${service}/${effect.key}`, effect.epoch));
        if (effect.kind === 'shift') draft.changes.push(() => this.#gaining.set(effect.shiftId, effect.gaining));
        draft.changes.push(() => this.#scene.reach(`effect ${effect.kind}`));
      },
      cancel: async (service, key) => {
        await unit.cancel(service, key);
        draft.changes.push(() => this.#timers.delete(`${service}/${key.replace(/^timer\//, '')}`));
      },
      complete: async (lease) => {
        const done = await unit.complete(lease);
        if (done) draft.changes.unshift(() => this.#ended(lease.jobId));
        return done;
      },
      claim: async (request) => {
        const job = await unit.claim(request);
        if (job) draft.changes.push(() => this.#claimed.set(job.id, job));
        return job;
      },
      append: async (service, entries) => {
        await unit.append(service, entries);
        draft.changes.push(() => {
          this.journalled.set(service, (this.journalled.get(service) ?? 0) + entries.length);
        });
      },
      save: async (state, version) => {
        await unit.save(state, version);
        draft.changes.push(() => this.states.set(state.service, state));
      },
    };
  }

  #ended(jobId: number): void {
    const effect = this.#claimed.get(jobId)?.effect;
    const service = this.#claimed.get(jobId)?.service;
    this.#claimed.delete(jobId);
    if (effect?.kind !== 'timer') return;
    const name = `${service}/${effect.key}`;
    if (this.#timers.get(name) === effect.epoch) this.#timers.delete(name);
  }

  #commit({ decided, changes }: Draft): void {
    for (const change of changes) change();
    for (const one of decided) {
      this.#tell(one);
      this.#once(one);
      this.#asks(one);
      this.#promoted.look(one);
      for (const broken of brokenRules(one)) this.#scene.breaks(`${one.before.service}, ${one.event.type}: ${broken}`);
      for (const listener of this.onDecided) listener(one);
    }
  }

  #once({ before, event }: Decided): void {
    if (event.type !== 'timer') return;
    const name = `${before.service}/${event.key}/${event.epoch}`;
    if (this.#fired.has(name)) this.#scene.breaks(`rule 10: the timer ${name} fired twice`);
    this.#fired.add(name);
  }

  /** Rule 3: whoever is to take more traffic is asked first. What is only said again moves nobody onto anything. */
  #asks({ before, event, effects }: Decided): void {
    if (event.type === 'timer' && event.key === 'reassert') return;
    for (const effect of effects)
      if (effect.kind === 'shift' && effect.gaining === null)
        this.#scene.breaks(`rule 3: ${event.type} moves ${before.service} and asks nobody whether it is ready`);
  }

  #tell({ state, journal, event, before }: Decided): void {
    const { rollout, degradation } = state;
    const phase = rollout?.phase.name;
    const stage = degradation?.stage.name;
    if (phase !== before.rollout?.phase.name) this.#scene.reach(`phase ${phase}`);
    if (stage !== before.degradation?.stage.name) this.#scene.reach(`stage ${stage}`);
    for (const entry of journal) this.#scene.reach(`journal ${entry.what}`);
    if (event.type === 'measured') this.#scene.reach(`verdict ${event.comparison.verdict}`);
    const lines = journal.map((entry) => `${entry.what}: ${entry.text}`);
    if (lines.length === 0 && phase === before.rollout?.phase.name && stage === before.degradation?.stage.name) return;
    const where = `${phase ?? '-'}${rollout ? ` ${rollout.exposurePercent} %` : ''}, ${stage ?? 'no question'}`;
    this.#scene.log(`${state.service} ${what(event)} → ${where}${lines.map((line) => `\n      ${line}`).join('')}`);
  }
}

function what(event: Decided['event']): string {
  switch (event.type) {
    case 'timer':
      return `timer ${event.key}`;
    case 'command':
      return `${event.actor.name} ${event.command.name}`;
    case 'measured':
      return `measured ${event.comparison.verdict}, stable ${event.comparison.stableVerdict}`;
    case 'alert':
      return `alert ${event.alert.name} ${event.alert.status}${event.found ? ' (found)' : ''}`;
    default:
      return event.type;
  }
}
