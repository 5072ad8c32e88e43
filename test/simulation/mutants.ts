import type { Decide } from '../../src/application/submit.ts';
import type { Effect } from '../../src/domain/effect.ts';
import type { Store, Unit } from '../../src/ports/store.ts';
import type { Performers, World } from '../../src/runtime/performers/performer.ts';
import type { Fault, Swarm } from './swarm.ts';

/** Parts of Lastgood that are put in the place of the real ones, broken on purpose: the simulation has to notice. */
export interface Mutant {
  readonly decide?: (real: Decide) => Decide;
  readonly store?: (real: Store) => Store;
  readonly world?: (real: World) => World;
  readonly performers?: (real: Performers, world: World) => Performers;
}

export const sound: Mutant = {};

export interface Breakage extends Mutant {
  readonly name: string;
  /** Found within so many seeds, with room: what finds it is mostly the first or the second. */
  readonly within: number;
  /** What has to go wrong for it to show; the seed says the rest. */
  readonly faults?: Partial<Record<Fault, number>>;
  readonly swarm?: Partial<Swarm>;
}

const MINUTE = 60_000;

/** One unit of work in which one call is another. */
function inUnit(change: (unit: Unit) => Partial<Unit>): (store: Store) => Store {
  return (store) => ({
    ...store,
    transaction: (work) => store.transaction((unit) => work({ ...unit, ...change(unit) })),
  });
}

function inEffects(change: (effects: readonly Effect[]) => readonly Effect[]): (real: Decide) => Decide {
  return (real) => (state, event, context) => {
    const decision = real(state, event, context);
    return decision.outcome === 'accepted' ? { ...decision, effects: change(decision.effects) } : decision;
  };
}

/** One in so many. */
function everyNth(n: number): () => boolean {
  let count = 0;
  return () => {
    count += 1;
    return count % n === 0;
  };
}

/** Each made anew, because some count. */
export const breakages: readonly (() => Breakage)[] = [
  () => ({
    name: 'the deadline is not cancelled',
    within: 10,
    decide: inEffects((effects) => effects.filter((one) => one.kind !== 'cancel_timer' || one.key !== 'deadline')),
  }),
  () => ({
    name: 'the way back asks nobody whether it is ready (decided so)',
    within: 5,
    decide: inEffects((effects) =>
      effects.map((one) =>
        one.kind === 'shift' && one.gaining === one.split.stable ? { ...one, gaining: null } : one,
      ),
    ),
  }),
  () => ({
    name: 'the way back goes where nothing is ready (performed so)',
    within: 20,
    faults: { 'not-ready': 1 },
    performers: (real) => ({
      ...real,
      shift: {
        ...real.shift,
        perform: (effect, ...rest) =>
          real.shift.perform(effect.gaining === effect.split.stable ? { ...effect, gaining: null } : effect, ...rest),
      },
    }),
  }),
  () => {
    const isLost = everyNth(40);
    return {
      name: 'the store loses a job now and then',
      within: 10,
      store: inUnit((unit) => ({ enqueue: async (job) => (isLost() ? undefined : unit.enqueue(job)) })),
    };
  },
  () => ({
    name: 'a shift is sent without a look at what is in force',
    within: 5,
    performers: (real, world) => ({
      ...real,
      shift: {
        ...real.shift,
        async perform(effect, job, signal, stillOurs) {
          const policy = world.policies.get(job.service);
          if (policy)
            await world
              .targets(policy)
              .shift(effect.split, null, signal)
              .catch(() => undefined);
          return real.shift.perform(effect, job, signal, stillOurs);
        },
      },
    }),
  }),
  () => ({
    name: 'a message is posted without its intent written down',
    within: 10,
    faults: { 'slack-lost-reply': 1 },
    world: (real) => ({
      ...real,
      store: { ...real.store, messages: { ...real.store.messages, begin: async () => undefined } },
    }),
  }),
  () => ({
    name: 'a post whose reply was lost is not looked for',
    within: 10,
    faults: { 'slack-lost-reply': 1 },
    world: (real) => ({ ...real, chat: { ...real.chat, find: async () => null } }),
  }),
  () => ({
    name: 'what a dead process may have posted is not looked for',
    within: 20,
    faults: { death: 1 },
    swarm: { replicas: 1, latencyMs: 2_000, pressesPerHour: 10 },
    store: (real) => ({ ...real, messages: { ...real.messages, beginLeftBehind: async () => undefined } }),
  }),
  () => ({
    name: 'a lease that is lost is taken for held',
    within: 40,
    faults: { freeze: 1, 'slack-lost-call': 1 },
    swarm: { replicas: 3, latencyMs: 2_000 },
    store: (real) => ({
      ...real,
      jobs: {
        ...real.jobs,
        async extend(lease, untilMs) {
          await real.jobs.extend(lease, untilMs);
          return true;
        },
      },
    }),
  }),
  () => ({
    name: 'jobs are taken over whoever holds them',
    within: 20,
    swarm: { replicas: 3, latencyMs: 2_000 },
    store: (real) => ({
      ...real,
      jobs: {
        ...real.jobs,
        async claim(request) {
          await real.jobs.voidLeases();
          return real.jobs.claim(request);
        },
      },
    }),
  }),
  () => {
    let tries = 0;
    return {
      name: 'a page sent again has another dedup key',
      within: 10,
      faults: { 'pager-lost-reply': 1 },
      world: (real) => ({
        ...real,
        pager: {
          send: (page, signal) => {
            tries += 1;
            return real.pager.send({ ...page, dedupKey: tries % 2 ? page.dedupKey : `${page.dedupKey}/again` }, signal);
          },
        },
      }),
    };
  },
  () => ({
    name: 'a look that says degraded is taken for one that says nothing new',
    within: 10,
    swarm: { degradationsPerHour: 1 },
    performers: (real, world) => ({
      ...real,
      measure: {
        ...real.measure,
        async perform(effect, job, signal, stillOurs) {
          const outcome = await real.measure.perform(effect, job, signal, stillOurs);
          const event = outcome.kind === 'event' ? outcome.event : null;
          const stored = await world.store.load(job.service);
          if (event?.type !== 'measured' || event.comparison.verdict !== 'degraded' || !stored) return outcome;
          const dueAtMs = world.clock.now() + 5 * MINUTE;
          const backstop = { key: 'timer/look', dueAtMs: dueAtMs + 5 * MINUTE, progress: String(dueAtMs) };
          return { kind: 'postponed', version: stored.version, dueAtMs, progress: '1', backstop };
        },
      },
    }),
  }),
  () => ({
    name: 'an incident is never resolved',
    within: 20,
    world: (real) => ({
      ...real,
      pager: { send: async (page, signal) => (page.action === 'resolve' ? undefined : real.pager.send(page, signal)) },
    }),
  }),
  () => ({
    name: 'anybody may do anything',
    within: 10,
    faults: { 'press-stranger': 1 },
    decide: (real) => (state, event, context) =>
      real(state, event, {
        ...context,
        policy: { ...context.policy, approvers: { ...context.policy.approvers, users: ['*'] } },
      }),
  }),
  () => ({
    name: 'a stale button is as good as a fresh one',
    within: 10,
    faults: { 'press-stale': 1 },
    swarm: { pressesPerHour: 10 },
    decide: (real) => (state, event, context) =>
      real(state, event.type === 'command' ? { ...event, binding: undefined } : event, context),
  }),
  () => ({
    name: 'the journal loses its last line now and then',
    within: 10,
    store: inUnit((unit) => ({ append: async (service, entries) => unit.append(service, entries.slice(0, 1)) })),
  }),
  () => ({
    name: 'what is not there yet of a dead process is taken for never sent',
    within: 40,
    faults: { 'death-sending': 40 },
    swarm: { replicas: 1, pressesPerHour: 10 },
    store: (real) => ({
      ...real,
      messages: {
        ...real.messages,
        async get(id) {
          const entry = await real.messages.get(id);
          return entry && { ...entry, atMs: 0 };
        },
      },
    }),
  }),
  () => ({
    name: "what a dead process accepted is nobody's",
    within: 20,
    faults: { death: 10, 'webhook-burst': 1 },
    swarm: { degradationsPerHour: 4 },
    store: (real) => ({ ...real, accepted: { ...real.accepted, list: async () => [] } }),
  }),
  () => ({
    name: 'a version starts where it has to have succeeded elsewhere first',
    within: 10,
    swarm: { services: 2 },
    decide: (real) => (state, event, context) =>
      real(state, event, { ...context, policy: { ...context.policy, requires: null } }),
  }),
];
