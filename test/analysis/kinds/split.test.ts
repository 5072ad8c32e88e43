import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import type { LookPeriod, Series } from '../../../src/analysis/types.ts';
import { chance, counts, period, START_MS, samples, settings, WINDOW_MS } from '../support.ts';
import { ask, firstLook, of, seeds } from './support.ts';

const split = of({ kind: 'split', requests: 'n', slack: 0 }, { title: 'Traffic split', weight: 0 });
const slack = of({ kind: 'split', requests: 'n', slack: 0.1 }, { title: 'Traffic split', weight: 0 });
const errors = of({ kind: 'proportion', bad: 'b', good: null, total: 't' }, { name: 'errors' });

interface Arms {
  readonly candidate: Series;
  readonly stable: Series;
}

/** Requests by a coin for each, `users` requests a throw: users who stay with one arm. */
function arms(seed: number, n: number, share: (i: number) => number, perWindow: number, users = 1): Arms {
  const c = chance(seed);
  const drawn = Array.from({ length: n }, (_, i) => {
    const throws = perWindow / users;
    const mine = c.poisson(throws * share(i)) * users;
    return { mine, theirs: c.poisson(throws * (1 - share(i))) * users };
  });
  const of = (at: (i: number) => number) => counts(n, (i) => ({ events: at(i), exposure: at(i) }));
  return { candidate: of((i) => drawn[i]?.mine ?? 0), stable: of((i) => drawn[i]?.theirs ?? 0) };
}

const at = (windows: number) => START_MS + windows * WINDOW_MS;
const since = (percent: number, fromMs = START_MS - 600_000) => ({ fromMs, percent });
const configured = (n: number, exposures: LookPeriod['exposures'] = [since(50)]) => period(n, { exposures });

function look({ candidate, stable }: Arms, over: Partial<LookPeriod> = {}, metric = split, whole?: LookPeriod) {
  const healthy = counts(40, () => ({ events: 10, exposure: 1000 }));
  return compare({
    metrics: [errors, metric],
    settings,
    period: whole ?? { ...configured(40), ...over },
    samples: [
      samples({ metric: 'errors', candidateNow: healthy, stableNow: healthy, stableBefore: null }),
      samples({ metric: 'm', candidateNow: candidate, stableNow: stable }),
    ],
    hasCandidate: true,
  });
}

describe('the traffic split', () => {
  it('that is not as configured warns, and says how it is', () => {
    const result = look(arms(1, 40, () => 0.431, 1000));
    const found = result.metrics[1];
    expect(found?.verdict).toBe('inconclusive');
    expect(result.warnings).toEqual(['m']);
    expect(found?.basis).toBe('split');
    expect(found?.limitText).toBe('50 %');
    expect(found?.candidateNow.value).toBeCloseTo(0.431, 1);
    expect(found?.candidateNow.samples).toBeGreaterThan(16_000);
    expect(found?.candidateNow.samples).toBeLessThan(18_000);
    expect((found?.candidateNow.value ?? 0) + (found?.stableNow.value ?? 0)).toBeCloseTo(1, 9);
    expect(found?.sentence).toMatch(
      /^Traffic split: the split is not as configured: 43\.\d % instead of 50 % of (39|40),\d{3} requests\.$/,
    );
    expect(result.verdict).toBe('healthy');
  });

  it('that is as configured is healthy', () => {
    const result = look(arms(1, 40, () => 0.5, 1000));
    expect(result.warnings).toEqual([]);
    expect(result.metrics[1]?.verdict).toBe('healthy');
    expect(result.metrics[1]?.sentence).toMatch(
      /^Traffic split: (49|50)\.\d % of (39|40),\d{3} requests to the candidate, 50 % configured\.$/,
    );
  });

  it('keeps a rollout from going on where the policy gives it weight', () => {
    const result = look(
      arms(1, 40, () => 0.431, 1000),
      {},
      { ...split, weight: 0.2 },
    );
    expect(result.verdict).toBe('inconclusive');
    expect(result.stableVerdict).toBe('no-data');
  });

  it('is asked of no service alone and of no candidate that has all traffic', () => {
    const weighty = { ...split, weight: 0.5 };
    const result = look(
      arms(1, 40, () => 0.5, 1000),
      { against: 'past' },
      weighty,
    );
    expect(result.metrics[1]?.verdict).toBe('no-data');
    expect(result.missing).not.toContain('Traffic split');
    for (const exposures of [[since(0)], [since(100)], [], undefined]) {
      const one = period(40, exposures === undefined ? {} : { exposures });
      const shadow = look(
        arms(1, 40, () => 0.5, 1000),
        {},
        weighty,
        one,
      );
      expect(shadow.verdict).toBe('healthy');
      expect(shadow.metrics[1]?.verdict).toBe('no-data');
      expect(shadow.missing).toBeNull();
    }
  });

  it('says that the configuration is not known', () => {
    const { candidate, stable } = arms(1, 40, () => 0.5, 1000);
    expect(ask(split, candidate, { reference: stable }).missing).toBe('the configured split is not known');
  });

  it('is multiplied over stretches of one share each; windows around a change are left out', () => {
    // 10 % for 20 windows, then 50 %: as configured, but for the two windows around the change.
    const exposures = [since(10), since(50, at(20) - 1000)];
    const { candidate, stable } = arms(2, 40, (i) => (i < 20 ? 0.1 : i === 20 ? 0.2 : 0.5), 1000);
    const outcome = ask(split, candidate, { reference: stable, period: configured(40, exposures) });
    expect(outcome.verdict).toBe('healthy');
    expect(outcome.note.found).toMatchObject({ kind: 'split', configured: 0.5 });
    const wrong = ask(split, candidate, { reference: stable, period: configured(40, [since(10)]) });
    expect(wrong.warning).toBe('the split is not as configured');
    // Wrong in the first stretch alone: that is the one told of.
    const first = arms(3, 40, (i) => (i < 20 ? 0.15 : 0.5), 1000);
    const told = ask(split, first.candidate, { reference: first.stable, period: configured(40, exposures) });
    expect(told.warning).not.toBeNull();
    expect(told.note.found).toMatchObject({ kind: 'split', configured: 0.1 });
  });

  it('has nothing to say of 0 and of 100 %', () => {
    const { candidate, stable } = arms(1, 40, () => 0.5, 1000);
    for (const percent of [0, 100]) {
      const outcome = ask(split, candidate, { reference: stable, period: configured(40, [since(percent)]) });
      expect(outcome.verdict).toBe('inconclusive');
      expect(outcome.warning).toBeNull();
    }
  });

  it('of replicas may be off by its slack', () => {
    // One of three replicas where 36 % were asked for, and far beyond the slack.
    const third = arms(4, 40, () => 1 / 3, 1000);
    const asked = configured(40, [since(36)]);
    expect(ask(split, third.candidate, { reference: third.stable, period: asked }).warning).not.toBeNull();
    expect(ask(slack, third.candidate, { reference: third.stable, period: asked }).verdict).toBe('healthy');
    const half = configured(40, [since(50)]);
    expect(ask(slack, third.candidate, { reference: third.stable, period: half }).warning).not.toBeNull();
  });

  it('of users who stay with their arm is not called wrong', () => {
    const wrong = seeds(60).filter((seed) => {
      const { candidate, stable } = arms(seed, 60, () => 0.5, 1000, 20);
      return ask(split, candidate, { reference: stable, period: configured(60) }).warning !== null;
    });
    expect(wrong).toEqual([]);
  });
});

describe('the split, looked at after every one of 120 windows', () => {
  it.each([
    [0.5, 1000],
    [0.05, 300],
    [0.1, 10],
  ])('as configured (%d, %d requests a window): no false alarm in 200 runs', (share, perWindow) => {
    const wrong = seeds(200).filter((seed) => {
      const { candidate, stable } = arms(seed, 120, () => share, perWindow);
      return (
        firstLook(split, candidate, 120, (o) => o.warning !== null, {
          reference: stable,
          period: (n) => configured(n, [since(share * 100)]),
        }) !== null
      );
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ['too few', 0.43],
    ['too many', 0.57],
  ])('%s at 33 requests a second: found within 10 minutes in all of 40 runs', (_name, share) => {
    for (const seed of seeds(40)) {
      const { candidate, stable } = arms(seed, 20, () => share, 1000);
      const found = firstLook(split, candidate, 20, (o) => o.warning !== null, {
        reference: stable,
        period: (n) => configured(n),
      });
      expect(found).not.toBeNull();
    }
  });

  it('that goes wrong after an hour is found within the next half hour', () => {
    for (const seed of seeds(20)) {
      const { candidate, stable } = arms(seed, 180, (i) => (i < 120 ? 0.5 : 0.43), 1000);
      const found = firstLook(split, candidate, 180, (o) => o.warning !== null, {
        reference: stable,
        period: (n) => configured(n),
      });
      expect(found).toBeGreaterThan(120);
    }
  });
});
