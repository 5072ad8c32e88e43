import { lagOneCorrelation } from '../evidence/dispersion.ts';

/**
 * The always-valid t test of values (mixture over the effect size; Lindon et al., avlm with g = 1): how far the mean of a stretch
 * is from something, and how surely, where values remember the ones before them.
 */
const G = 1;
/** Fewer values than this have no scatter worth the name. */
export const FEWEST = 6;
/** As many values of the past tell how long a value is remembered. */
const FEWEST_BEFORE = 24;
/** A short series hides its memory: this many times 1/sqrt(n) is added. Simulated: halves the false alarms with AR .5 to .7. */
const HIDDEN = 0.7;
/**
 * Of two arms' differences the past of one is believed only so many times 1/sqrt(n) beyond what they themselves show: a course that
 * both arms share is remembered by each and not by the difference. Simulated with noise CV .1: with AR .6 a shift of 30 % is found in 10,
 * 13, 15 minutes with 1, 1.5, 2 here, with .3 %, none, none of the runs wrong; with AR .9 16, 8, 4 % are (analysis.md's own
 * formula: 8 minutes, 1.3 and 24 %).
 */
const BELIEVED = 1.5;
/** Beyond this a series says nothing. */
const MOST_MEMORY = 0.95;

/** The mean of one stretch, how well it is known, and on how many independent values that rests. */
export interface Level {
  readonly mean: number;
  readonly error: number;
  readonly n: number;
  /** Degrees of freedom of the error: of a scatter less is lost to memory than of a mean, (1-a^2)/(1+a^2) (Bayley and Hammersley 1946). */
  readonly nu: number;
}

/** ln of the evidence of a two-sided t statistic with `n` observations and `nu` degrees of freedom (analysis.md). */
export function lnMixtureT(t: number, n: number, nu: number): number {
  const r = G / (G + n);
  const t2 = t * t;
  return 0.5 * Math.log(r) + 0.5 * (nu + 1) * (Math.log1p(t2 / nu) - Math.log1p((r * t2) / nu));
}

/** |t| beyond which the evidence is at least 1/alpha; null where no t is enough with so few observations. */
export function mixtureRadius(alpha: number, n: number, nu: number): number | null {
  const r = G / (G + n);
  const root = (alpha * alpha * r) ** (1 / (nu + 1));
  return root > r ? Math.sqrt((nu * (1 - root)) / (root - r)) : null;
}

/** How much of a value is remembered by the next, as the past shows it; 0 where it is too short to show it. */
export function memoryBefore(values: readonly number[]): number {
  return values.length >= FEWEST_BEFORE ? lagOneCorrelation(withoutRise(values)) : 0;
}

/** The memory to allow one arm's values: what they show and may hide, and no less than what is usual (`memoryBefore`). */
export function memoryOfArm(values: readonly number[], usual: number): number {
  return Math.max(usual, mayRemember(values));
}

/** The same of two arms' differences. */
export function memoryOfDifferences(values: readonly number[], usual: number): number {
  if (usual === 0) return mayRemember(values);
  const shown = lagOneCorrelation(withoutRise(values));
  return Math.max(shown, Math.min(usual, shown + BELIEVED / Math.sqrt(values.length)));
}

function mayRemember(values: readonly number[]): number {
  return lagOneCorrelation(withoutRise(values)) + HIDDEN / Math.sqrt(values.length);
}

/** `memory`: correlation of neighbours to allow for; null where the stretch has too few independent values. */
export function levelOf(values: readonly number[], memory: number): Level | null {
  const count = values.length;
  if (count < FEWEST) return null;
  const a = Math.min(MOST_MEMORY, memory);
  const n = (count * (1 - a)) / (1 + a);
  if (n < 2) return null;
  const mean = meanOf(values);
  let squares = 0;
  for (const v of values) squares += (v - mean) ** 2;
  const deviation = Math.sqrt(squares / (count - 1));
  // Values that hardly vary (two counters in step) are not known with infinite precision.
  const error = Math.max(deviation / Math.sqrt(n), 1e-9 * Math.abs(mean), 1e-12);
  return { mean, error, n, nu: Math.max(n, (count * (1 - a * a)) / (1 + a * a)) - 1 };
}

/** One-sided: a mean on the other side is no evidence. */
export function lnBeyond(level: Level | null, distance: (mean: number) => number): number {
  if (level === null) return 0;
  return lnMixtureT(Math.max(0, distance(level.mean) / level.error), level.n, level.nu);
}

/**
 * The values without their straight rise in the bad direction: a leak is no memory. Its rise stays in their scatter, which makes the
 * mean less certain, never more.
 */
function withoutRise(values: readonly number[]): readonly number[] {
  const middle = (values.length - 1) / 2;
  const mean = meanOf(values);
  let together = 0;
  let alone = 0;
  values.forEach((v, i) => {
    together += (i - middle) * (v - mean);
    alone += (i - middle) ** 2;
  });
  const slope = together / alone;
  return slope > 0 ? values.map((v, i) => v - slope * (i - middle)) : values;
}

function meanOf(values: readonly number[]): number {
  let mean = 0;
  for (const v of values) mean += v / values.length;
  return mean;
}
