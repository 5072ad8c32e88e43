import { clamp } from './numbers.ts';

/**
 * Autocorrelation of neighbours, corrected for the bias of short series; 0 where it cannot be told from none.
 * At most .9: beyond that a series of this length says nothing anyway.
 */
export function lagOneCorrelation(values: ArrayLike<number>): number {
  const n = values.length;
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
export function redundancy(values: ArrayLike<number>): number {
  const a = lagOneCorrelation(values);
  return (1 + a) / (1 - a);
}

/** Columns of a comparison, window by window; see ratio.ts for the letters' meaning. */
export interface RatioColumns {
  readonly events: Float64Array;
  readonly together: Float64Array;
  readonly share: Float64Array;
  readonly phi: Float64Array;
  readonly suspectExposure: Float64Array;
  readonly referenceExposure: Float64Array;
}

/**
 * By how much the windows [from, to) scatter more than phi allows for, never less than 1 (analysis.md: kappa).
 * Fewer than six windows cannot tell.
 */
export function excessScatter(columns: RatioColumns, from: number, to: number): number {
  const n = to - from;
  if (n < 6) return 1;
  let xc = 0.5;
  let xs = 0.5;
  let nc = 0;
  let ns = 0;
  for (let i = from; i < to; i += 1) {
    const events = columns.events[i] ?? 0;
    xc += events;
    xs += (columns.together[i] ?? 0) - events;
    nc += columns.suspectExposure[i] ?? 0;
    ns += columns.referenceExposure[i] ?? 0;
  }
  const ratio = xc / nc / (xs / ns);
  const residuals = new Float64Array(n);
  let squares = 0;
  for (let i = from; i < to; i += 1) {
    const rho = columns.share[i] ?? 0;
    const m = columns.together[i] ?? 0;
    const theta = (ratio * rho) / (1 - rho + ratio * rho);
    const variance = m * theta * (1 - theta) * (columns.phi[i] ?? 1);
    const residual = ((columns.events[i] ?? 0) - theta * m) / Math.sqrt(Math.max(variance, 0.25));
    residuals[i - from] = residual;
    squares += residual * residual;
  }
  const kappa = (squares / (n - 1)) * redundancy(residuals);
  return Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12;
}
