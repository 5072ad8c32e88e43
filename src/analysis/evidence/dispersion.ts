import type { CountPairs } from '../arms/pairs.ts';
import { clamp } from './numbers.ts';
import type { Room } from './room.ts';

/**
 * Autocorrelation of neighbours, corrected for the bias of short series; 0 where it cannot be told from none.
 * At most .9: beyond that a series of this length says nothing anyway. `n`: how many of the values are meant.
 */
export function lagOneCorrelation(values: readonly number[], n = values.length): number {
  if (n < 2) return 0;
  let mean = 0;
  for (let i = 0; i < n; i += 1) mean += (values[i] ?? 0) / n;
  let together = 0;
  let alone = 0;
  for (let i = 0; i < n; i += 1) {
    const at = (values[i] ?? 0) - mean;
    alone += at * at;
    if (i > 0) together += at * ((values[i - 1] ?? 0) - mean);
  }
  if (!(alone > 0)) return 0;
  const raw = together / alone;
  const corrected = clamp(raw + (1 + 3 * clamp(raw, 0, 1)) / n, 0, 0.9);
  return corrected <= 2 / Math.sqrt(n) ? 0 : corrected;
}

/** How many times fewer independent observations there are than observations: (1+a)/(1-a). */
export function redundancy(values: readonly number[], n = values.length): number {
  const a = lagOneCorrelation(values, n);
  return (1 + a) / (1 - a);
}

/** Columns of a comparison, window by window; see ratio.ts for the letters' meaning. */
export interface RatioColumns extends CountPairs {
  /** The windows it is of, and how many events per exposure were added to the reference. */
  readonly pairs: CountPairs;
  readonly allowance: number;
  /** Events of both arms. */
  readonly together: readonly number[];
  /** The suspect's share of the exposure. */
  readonly share: readonly number[];
  /** What the squared coefficient of variation is multiplied with: phi = 1 + cv^2 * spread. */
  readonly spread: readonly number[];
}

/** How the windows scatter about their own ratio: 1 as much as phi allows for; and how much that lasts from one to the next. */
export interface Scatter {
  readonly dispersion: number;
  /** kappa of analysis.md, at least 1. */
  readonly kappa: number;
}

/** Fewer windows than this cannot tell how they scatter. */
export const FEWEST_TO_SCATTER = 6;

/** Scatter of the windows [from, to) beside the noise allowed for; null where they are too few to tell. */
export function scatterOf(
  columns: RatioColumns,
  from: number,
  to: number,
  cvSquared: number,
  room: Room,
): Scatter | null {
  const n = to - from;
  if (n < FEWEST_TO_SCATTER) return null;
  const { suspectEvents, together, share, spread } = columns;
  const ratio = ratioWithin(columns, from, to);
  const residuals = room.brief(n);
  let squares = 0;
  for (let i = from; i < to; i += 1) {
    const rho = share[i] ?? 0;
    const m = together[i] ?? 0;
    const theta = (ratio * rho) / (1 - rho + ratio * rho);
    const variance = m * theta * (1 - theta) * (1 + cvSquared * (spread[i] ?? 0));
    const residual = ((suspectEvents[i] ?? 0) - theta * m) / Math.sqrt(Math.max(variance, 0.25));
    residuals[i - from] = residual;
    squares += residual * residual;
  }
  const dispersion = squares / (n - 1);
  const kappa = dispersion * redundancy(residuals, n);
  return { dispersion, kappa: Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12 };
}

function ratioWithin(columns: RatioColumns, from: number, to: number): number {
  const { suspectEvents, together, suspectExposure, referenceExposure } = columns;
  let xc = 0.5;
  let xs = 0.5;
  let nc = 0;
  let ns = 0;
  for (let i = from; i < to; i += 1) {
    const x = suspectEvents[i] ?? 0;
    xc += x;
    xs += (together[i] ?? 0) - x;
    nc += suspectExposure[i] ?? 0;
    ns += referenceExposure[i] ?? 0;
  }
  return xc / nc / (xs / ns);
}
