import type { Kind } from '../scenarios.ts';
import type { Method } from './method.ts';
import { lookAt, looks } from './readings.ts';

/** Of a two-sided interval of 98 %: the .99 quantile of the normal distribution. */
const Z98 = 2.3263478740408408;
/** The share of the estimate that the interval must be away from zero. */
const TOLERANCE = 0.25;
/** `allowedIncrease`: the means' ratio must be as large, too. Kayenta's default is 1; here it is what the others tolerate. */
const ALLOWED_INCREASE: Readonly<Record<Kind, number>> = { errors: 1.25, accuracy: 1.25, latency: 1.1, gauge: 1.1 };
/** The score under which an analysis is ended early; a metric that is High adds nothing to the score. */
const MARGINAL = 75;
/** With fewer points an arm no two samples differ at 98 % (z of five against five wholly apart: 2.51; of four: 2.17). */
const FEWEST_POINTS = 5;

/** An arm's values so far, rising. */
type Sorted = readonly number[];

/**
 * z of the rank sum of x - shift against y, with R's continuity correction and correction for ties; it falls as `shift` rises.
 * NaN where all values are tied.
 */
export function shiftedZ(x: Sorted, y: Sorted, shift: number, correct = true): number {
  let wins = 0;
  let ties = 0;
  let below = 0;
  let i = 0;
  let j = 0;
  // One pass over both: runs of equal values are ties.
  while (i < x.length) {
    const value = (x[i] ?? 0) - shift;
    while (j < y.length && (y[j] ?? 0) < value) {
      const run = runOf(y, j);
      ties += run ** 3 - run;
      j += run;
      below = j;
    }
    const mine = runOf(x, i);
    const others = j < y.length && y[j] === value ? runOf(y, j) : 0;
    wins += mine * (below + others / 2);
    ties += (mine + others) ** 3 - (mine + others);
    i += mine;
    j += others;
    below = j;
  }
  while (j < y.length) {
    const run = runOf(y, j);
    ties += run ** 3 - run;
    j += run;
  }
  const n = x.length + y.length;
  const apart = wins - (x.length * y.length) / 2;
  const sigma = Math.sqrt(((x.length * y.length) / 12) * (n + 1 - ties / (n * (n - 1))));
  return sigma > 0 ? (apart - (correct ? 0.5 * Math.sign(apart) : 0)) / sigma : Number.NaN;
}

function runOf(values: Sorted, from: number): number {
  let end = from + 1;
  while (end < values.length && values[end] === values[from]) end += 1;
  return end - from;
}

/** The shift at which z is `z`: a bound of R's asymptotic interval, or with z = 0 the Hodges-Lehmann estimate. */
export function shiftAt(x: Sorted, y: Sorted, z: number): number {
  let low = (x[0] ?? 0) - (y.at(-1) ?? 0);
  let high = (x.at(-1) ?? 0) - (y[0] ?? 0);
  if (!(shiftedZ(x, y, low) > z)) return low;
  if (!(shiftedZ(x, y, high) < z)) return high;
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (shiftedZ(x, y, middle) > z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Kayenta's classification `High`: surely above by more than a quarter of the estimate, and by ratio beyond what is allowed. */
export function isHigh(candidate: Sorted, stable: Sorted, allowedIncrease: number): boolean {
  const mean = (values: Sorted) => values.reduce((sum, v) => sum + v, 0) / values.length;
  // R cannot give an interval where all values are tied; Kayenta reports an error, which fails nothing here.
  if (Number.isNaN(shiftedZ(candidate, stable, 0))) return false;
  if (!(mean(candidate) >= allowedIncrease * mean(stable))) return false;
  return shiftAt(candidate, stable, Z98) > TOLERANCE * Math.abs(shiftAt(candidate, stable, 0));
}

/**
 * A Mann-Whitney U test of everything since the warm-up, repeated at every look, as Kayenta's judge does in its retrospective or
 * real-time analyses: https://spinnaker.io/docs/guides/user/canary/judge/ and NetflixACAJudge-v1.0 in
 * https://github.com/spinnaker/kayenta (98 % confidence, two-sided; High where the whole interval is above a quarter of the
 * Hodges-Lehmann estimate and the means' ratio is at least `allowedIncrease`). One value a minute and arm, direction `increase`.
 * Kinder than the original: never asked with fewer than five points, roots found exactly.
 */
export const mannWhitney: Method = {
  name: 'Mann-Whitney',
  firstAlarm({ scenario, metrics }) {
    const allowed = ALLOWED_INCREASE[scenario.kind];
    const seen = metrics.map(() => ({ stable: [] as number[], candidate: [] as number[] }));
    for (const minute of looks()) {
      let high = 0;
      metrics.forEach((counts, m) => {
        const { stable = [], candidate = [] } = seen[m] ?? {};
        insert(stable, lookAt(scenario, counts.stable, minute));
        insert(candidate, lookAt(scenario, counts.candidate, minute));
        const enough = Math.min(stable.length, candidate.length) >= FEWEST_POINTS;
        if (enough && isHigh(candidate, stable, allowed)) high += 1;
      });
      if (100 * (1 - high / metrics.length) < MARGINAL) return minute;
    }
    return null;
  },
};

/** Into its place; a minute without traffic has no value. */
function insert(sorted: number[], value: number | null): void {
  if (value === null) return;
  let at = sorted.length;
  while (at > 0 && (sorted[at - 1] ?? 0) > value) at -= 1;
  sorted.splice(at, 0, value);
}
