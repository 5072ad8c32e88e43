import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DomainEvent, Observed } from '../../src/domain/event.ts';
import { isInForce } from '../../src/domain/in-force.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { EffectOf, Outcome } from '../../src/runtime/performers/performer.ts';
import { shiftPerformer } from '../../src/runtime/performers/shift.ts';
import { openStore } from '../../src/runtime/store.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { fakeWorld, jobOf } from './fakes.ts';
import { policiesOf, policy, rollout, saveState, service, state, t0 } from './support.ts';

const to50: EffectOf<'shift'> = {
  kind: 'shift',
  shiftId: `${service}-s3`,
  split: { stable: 'v41', candidate: 'v42', exposurePercent: 50 },
  gaining: 'v42',
};
const shifted = (uncertain: boolean): DomainEvent => ({
  type: 'shifted',
  shiftId: to50.shiftId,
  exposurePercent: 50,
  uncertain,
});

const shift = { id: to50.shiftId, split: to50.split, orderedAtMs: t0, next: null };

let store: Store;
let clock: VirtualClock;
let fake: ReturnType<typeof fakeWorld>;
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  fake = fakeWorld(store, clock);
  await saveState(store, state({ shift }));
});
afterEach(() => store.close());

/** Tries until there is an outcome, as the worker does; answers it and when each try was. */
async function perform(effect = to50, tries = 100): Promise<{ event: DomainEvent; atMs: number[] }> {
  const performer = shiftPerformer(fake.world);
  const atMs: number[] = [];
  let progress: string | null = null;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    atMs.push(clock.now() - t0);
    const job = jobOf(effect, { attempt, progress });
    const outcome: Outcome = await performer.perform(effect, job, new AbortController().signal);
    if (outcome.kind === 'event') return { event: outcome.event, atMs };
    if (outcome.kind !== 'again') throw new Error('a shift has an outcome');
    expect(outcome.atMs).toBeGreaterThan(clock.now());
    progress = outcome.progress;
    clock.jump(outcome.atMs - clock.now());
  }
  throw new Error(`no outcome after ${tries} tries`);
}

describe('a shift', () => {
  it('is ordered once and read back', async () => {
    expect(await perform()).toEqual({ event: shifted(false), atMs: [0] });
    expect(fake.target.shifts).toEqual([to50.split]);
  });

  it.each([
    ['dropped, as where a backup was put back that was made while it ran', null],
    ['replaced by another', { ...shift, id: `${service}-s4` }],
  ])('that was %s moves nothing', async (_, present) => {
    await saveState(store, state({ shift: present }));
    const performer = shiftPerformer(fake.world);
    expect(await performer.perform(to50, jobOf(to50, { attempt: 2 }), new AbortController().signal)).toEqual({
      kind: 'done',
    });
    expect(fake.target.shifts).toEqual([]);
  });

  it('that is in force already is not ordered', async () => {
    fake.target.split = { ...to50.split, exposurePercent: 50.4 };
    expect((await perform()).event).toEqual(shifted(false));
    expect(fake.target.shifts).toEqual([]);
  });

  it('from 0 to 0 is told to the target all the same: a shadow begins, and has to be ready', async () => {
    const shadow = { ...to50, split: { ...to50.split, exposurePercent: 0 } };
    fake.target.split = shadow.split;
    expect((await perform(shadow)).event).toEqual({ ...shifted(false), exposurePercent: 0 });
    expect(fake.target.shifts).toEqual([shadow.split]);
    fake.target.ready = { v42: { ready: false, detail: '1 of 3 instances' } };
    expect((await perform(shadow)).event).toMatchObject({ type: 'shift_failed', problem: 'not-ready' });
    expect(fake.target.shifts).toHaveLength(1);
  });

  it('waits until the target has come there, without telling it again', async () => {
    fake.target.slowness = 6;
    const { event, atMs } = await perform();
    expect(event).toEqual(shifted(false));
    expect(atMs).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 12_750]);
    expect(fake.target.shifts).toHaveLength(1);
  });

  it('is told again to a target that accepted and did not come there', async () => {
    fake.target.slowness = Number.POSITIVE_INFINITY;
    const { event, atMs } = await perform();
    expect(event).toEqual({
      type: 'shift_failed',
      shiftId: to50.shiftId,
      uncertain: true,
      problem: 'failed',
      reason: 'After 120 s the target still shows v42 at 10 % beside v41, not v42 at 50 %',
    });
    expect(atMs.at(-1)).toBe(120_000);
    expect(fake.target.shifts).toHaveLength(4);
  });

  it('whose reply was lost is looked for before anything else, and stays uncertain', async () => {
    fake.target.shiftTrouble = (call) => (call === 1 ? 'lost-reply' : null);
    expect(await perform()).toEqual({ event: shifted(true), atMs: [0, 1_000] });
    expect(fake.target.shifts).toHaveLength(1);
  });

  it('whose call was lost is ordered again', async () => {
    fake.target.shiftTrouble = (call) => (call === 1 ? 'lost-call' : null);
    expect((await perform()).event).toEqual(shifted(true));
    expect(fake.target.shifts).toHaveLength(2);
  });

  it('taken over from a worker that died counts as uncertain: its call may be on the way', async () => {
    const job = jobOf(to50, { attempt: 2 });
    const outcome = await shiftPerformer(fake.world).perform(to50, job, new AbortController().signal);
    expect(outcome).toEqual({ kind: 'event', event: shifted(true) });
  });

  it('onto a version that is not ready is never ordered', async () => {
    fake.target.ready = { v42: { ready: false, detail: '1 of 3 instances' } };
    const reason = 'v42 is not ready: 1 of 3 instances';
    expect((await perform()).event).toMatchObject({ type: 'shift_failed', problem: 'not-ready', reason });
    expect(fake.target.shifts).toEqual([]);
  });

  it('onto a version the target does not know is never ordered', async () => {
    fake.target.ready = {};
    expect((await perform()).event).toMatchObject({ type: 'shift_failed', problem: 'not-ready' });
    expect(fake.target.shifts).toEqual([]);
  });

  it('asserted again asks nobody whether he is ready', async () => {
    fake.target.ready = {};
    expect((await perform({ ...to50, gaining: null })).event).toEqual(shifted(false));
  });

  it('back to stable that Lastgood was away for is carried out when it is back, whenever that is', async () => {
    const back = { ...to50, split: { ...to50.split, exposurePercent: 0 }, gaining: 'v41' };
    clock.jump(3_600_000);
    fake.target.observeTrouble = (call) => (call === 1 ? new PortError('retryable', 'unreachable') : null);
    const first = await shiftPerformer(fake.world).perform(back, jobOf(back), new AbortController().signal);
    expect(first).toMatchObject({ kind: 'again', atMs: t0 + 3_601_000 });
    clock.jump(1_000);
    const job = jobOf(back, {
      attempt: 2,
      dueAtMs: t0 + 3_601_000,
      progress: first.kind === 'again' ? first.progress : '',
    });
    const outcome = await shiftPerformer(fake.world).perform(back, job, new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'event', event: { type: 'shifted', exposurePercent: 0 } });
  });

  it('forward that Lastgood was away for is not made up for: what it was decided on is old', async () => {
    clock.jump(3_600_000);
    expect((await perform()).event).toMatchObject({
      type: 'shift_failed',
      reason: expect.stringContaining('After 3600 s'),
    });
    expect(fake.target.shifts).toEqual([]);
  });

  it('respects Retry-After, and fails at the end of its time', async () => {
    fake.target.shiftTrouble = () => new PortError('retryable', 'The router is busy.', { retryAfterMs: 40_000 });
    const { event, atMs } = await perform();
    expect(event).toMatchObject({
      type: 'shift_failed',
      problem: 'failed',
      reason: expect.stringContaining('The router is busy.'),
    });
    expect(atMs).toEqual([0, 40_000, 80_000, 120_000]);
  });

  it('fails at once where it will never work', async () => {
    fake.target.shiftTrouble = () => new PortError('permanent', 'The router refused the token (401).');
    expect((await perform()).event).toMatchObject({ problem: 'failed', reason: 'The router refused the token (401).' });
  });

  it('outlives a target that does not answer for a while', async () => {
    fake.target.observeTrouble = (call) => (call <= 4 ? new PortError('retryable', 'unreachable') : null);
    const { event, atMs } = await perform();
    expect(event).toEqual(shifted(false));
    expect(atMs).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
  });

  it('goes to the target its rollout began with', async () => {
    const [begun, edited] = [policy(), policy({ revision: 'rev2' })];
    const policies = policiesOf(begun, edited);
    fake.world = { ...fake.world, policies: { ...policies, get: () => edited } };
    await perform();
    expect(fake.asked.targets).toEqual(['rev1']);
    expect(fake.problems).toEqual([]);
  });

  it('goes to the present target where that policy is lost, and says so', async () => {
    await saveState(store, state({ shift, rollout: rollout({ plan: { ...rollout().plan, revision: 'lost' } }) }));
    await perform();
    expect(fake.asked.targets).toEqual(['rev1']);
    expect(fake.problems).toEqual([expect.stringContaining('fraud-scorer@lost')]);
  });
});

describe('what is in force', () => {
  const seen = (over: Partial<Observed>): Observed => {
    return { stable: 'v41', candidate: 'v42', exposurePercent: 50, ready: {}, revision: null, ...over };
  };
  const split = (exposurePercent: number) => ({ stable: 'v41', candidate: 'v42', exposurePercent });
  it.each([
    ['the same', seen({}), 50, true],
    ['rounded weights', seen({ exposurePercent: 49.6 }), 50, true],
    ['too far off', seen({ exposurePercent: 49.4 }), 50, false],
    ['almost nothing is not nothing', seen({ exposurePercent: 0.4 }), 0, false],
    ['nothing', seen({ exposurePercent: 0 }), 0, true],
    ['only stable is there', seen({ candidate: null, exposurePercent: null }), 0, true],
    ['another candidate without traffic', seen({ candidate: 'v40', exposurePercent: 0 }), 0, true],
    ['another candidate with traffic', seen({ candidate: 'v40' }), 50, false],
    ['another stable', seen({ stable: 'v40' }), 50, false],
    ['the candidate is the stable now', seen({ stable: 'v42', candidate: null, exposurePercent: 0 }), 100, true],
    ['the candidate is both', seen({ stable: 'v42', exposurePercent: 0 }), 100, true],
    ['the old one is still everything', seen({ candidate: null, exposurePercent: 0 }), 100, false],
    ['the other way round', seen({ stable: 'v42', candidate: 'v41', exposurePercent: 10 }), 90, true],
    ['versions not told', seen({ stable: null, candidate: null }), 50, true],
    ['exposure not told', seen({ exposurePercent: null }), 50, false],
  ])('%s', (_name, observed, exposure, expected) => {
    expect(isInForce(observed, split(exposure))).toBe(expected);
  });
});
