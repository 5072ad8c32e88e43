import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workOf } from '../../src/application/jobs.ts';
import type { Effect, EffectKind } from '../../src/domain/effect.ts';
import type { NewJob, Store } from '../../src/ports/store.ts';
import type { Outcome, Performers } from '../../src/runtime/performers/performer.ts';
import { performedKinds } from '../../src/runtime/schema.ts';
import { defaultSlots, freePlaces } from '../../src/runtime/slots.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import { virtualClock } from '../support/clock.ts';
import { enqueue, recordingTelemetry, t0 } from './support.ts';

const done: Outcome = { kind: 'done' };
const period = { fromMs: t0, against: 'stable' } as Extract<Effect, { kind: 'measure' }>['period'];

/** One job of each kind as the application makes it, of a service of its own. */
function jobOf(kind: EffectKind, service: string): NewJob {
  const card = { kind: 'degradation', id: `${service}-d1` } as const;
  const split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
  const effects: Partial<Record<EffectKind, Effect>> = {
    shift: { kind: 'shift', shiftId: 's1', split, gaining: null },
    timer: { kind: 'timer', key: 'deadline', atMs: t0, epoch: 1 },
    measure: { kind: 'measure', lookId: 1, stable: 'v41', candidate: 'v42', period },
    probe: { kind: 'probe', probeId: 1, version: 'v41' },
    silence: { kind: 'silence', action: 'lift', degradationId: `${service}-d1`, untilMs: t0, comment: '' },
    page: { kind: 'page', action: 'trigger', degradationId: `${service}-d1`, summary: 's' },
    card: { kind: 'card', card, urgent: false },
    say: { kind: 'say', card, entry: { text: 'line' } as never },
    report: { kind: 'report', card },
  };
  const effect = effects[kind];
  const [job] = effect ? workOf(service, [effect], t0 - 1_000).enqueue : [];
  if (!job) throw new Error(`no job of ${kind}`);
  return { ...job, dueAtMs: Math.min(job.dueAtMs, t0) };
}

let store: Store;
let worker: Worker | null;
beforeEach(async () => {
  store = await openStore(':memory:');
  worker = null;
});
afterEach(async () => {
  await worker?.stop(0);
  await store.close();
});

/** Whatever is of a kind in `hung` begins and never ends. */
async function begin(hung: ReadonlySet<EffectKind>, slots = defaultSlots) {
  const begun: EffectKind[] = [];
  const performer = {
    limitMs: 60_000,
    retry: { firstMs: 1_000, capMs: 1_000, giveUpAfterMs: null },
    perform: async (effect: Effect) => {
      begun.push(effect.kind);
      return hung.has(effect.kind) ? new Promise<Outcome>(() => undefined) : done;
    },
    givenUp: () => null,
  };
  worker = createWorker({
    store,
    performers: Object.fromEntries(performedKinds.map((kind) => [kind, performer])) as unknown as Performers,
    clock: virtualClock(t0),
    telemetry: recordingTelemetry().telemetry,
    owner: 'w',
    alone: true,
    recorder: { record: async () => true },
    slots,
  });
  await worker.start();
  return begun;
}

describe('the places of a worker', () => {
  it('are those of the kind that are not taken, and never more than there are altogether', () => {
    const slots = [
      { kinds: ['shift', 'probe'], jobs: 2 },
      { kinds: ['card'], jobs: 3 },
    ] as const;
    expect(freePlaces(slots, [], 9)).toEqual([
      { kinds: ['shift', 'probe'], free: 2 },
      { kinds: ['card'], free: 3 },
    ]);
    expect(freePlaces(slots, ['probe', 'shift', 'card'], 9)).toEqual([{ kinds: ['card'], free: 2 }]);
    expect(freePlaces(slots, ['probe'], 2)).toEqual([
      { kinds: ['shift', 'probe'], free: 1 },
      { kinds: ['card'], free: 1 },
    ]);
    expect(freePlaces(slots, ['card', 'card'], 2)).toEqual([]);
  });

  it('are there for every kind of work', () => {
    expect(defaultSlots.flatMap(({ kinds }) => kinds).sort()).toEqual([...performedKinds].sort());
  });
});

describe('of a flood', () => {
  it('what moves traffic is begun first, then what decides, what wakes, what is read', async () => {
    const kinds: EffectKind[] = ['report', 'card', 'say', 'page', 'measure', 'timer', 'shift'];
    const jobs = kinds.flatMap((kind) => Array.from({ length: 3 }, (_, i) => jobOf(kind, `${kind}${i}`)));
    await enqueue(store, ...jobs);
    const begun = await begin(new Set(), [{ kinds: performedKinds, jobs: 1 }]);
    await worker?.settled();
    expect(begun).toEqual([...kinds].reverse().flatMap((kind) => [kind, kind, kind]));
  });

  it.each(performedKinds)('that hangs, all of it %s, nothing else waits', async (kind) => {
    const others = performedKinds.filter((other) => !sharesSlots(kind, other));
    await enqueue(store, ...Array.from({ length: 200 }, (_, i) => jobOf(kind, `many${i}`)));
    const begun = await begin(new Set([kind]));
    await until(() => begun.length === (defaultSlots.find(({ kinds }) => kinds.includes(kind))?.jobs ?? 0));
    await enqueue(store, ...others.map((other) => jobOf(other, `late-${other}`)));
    worker?.wake();
    await until(() => others.every((other) => begun.includes(other)));
    // And no more of the flood was begun meanwhile.
    expect(begun).toHaveLength((defaultSlots.find(({ kinds }) => kinds.includes(kind))?.jobs ?? 0) + others.length);
  });
});

function sharesSlots(one: EffectKind, other: EffectKind): boolean {
  return defaultSlots.some(({ kinds }) => kinds.includes(one) && kinds.includes(other));
}

/** Waits for a condition, against hanging only. */
async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error('waited a minute in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
