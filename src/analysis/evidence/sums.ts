import { BETS } from './bets.ts';
import type { RatioColumns } from './dispersion.ts';

/** Which bets a running sum is of. */
export interface Stake {
  readonly ratio: number;
  readonly side: 'worse' | 'ok';
  readonly cvSquared: number;
}

/**
 * Running sums of the bets: one row of them for each stop, over all windows before it, so that windows [a, b) are the row of b less
 * that of a. The stops rise; the last one is the number of windows.
 */
export interface Sums {
  /** How many stops there are; the arrays may have room for more. */
  count: number;
  readonly stops: number[];
  rows: number[];
}

/** What the sums are made of, for each window. */
export interface Terms {
  /** ln((1-rho+rho r g)/(1-rho+rho r)), bet by bet. */
  readonly lifts: readonly number[];
  /** 1/phi. */
  readonly weights: readonly number[];
}

function betsOf(factors: readonly number[]) {
  return { factors, lnFactors: factors.map(Math.log) };
}
const SIDES = { worse: betsOf(BETS), ok: betsOf(BETS.map((bet) => 1 / bet)) };

/** Room for the lifts of so many windows. */
export function liftsFor(windows: number): number {
  return windows * BETS.length;
}

/** The lifts of the windows from `from` on. */
export function lift(into: number[], { share, length }: RatioColumns, { ratio, side }: Stake, from: number): void {
  const { factors } = SIDES[side];
  for (let i = from; i < length; i += 1) {
    const rho = share[i] ?? 0;
    const rest = 1 - rho;
    const part = rho * ratio;
    const base = rest + part;
    for (let b = 0; b < factors.length; b += 1) {
      into[b * length + i] = Math.log((rest + part * (factors[b] ?? 1)) / base);
    }
  }
}

/** The weights of all windows. */
export function weigh(into: number[], { spread, length }: RatioColumns, cvSquared: number): void {
  for (let i = 0; i < length; i += 1) into[i] = 1 / (1 + cvSquared * (spread[i] ?? 0));
}

/** Per window and bet g: (1/phi)(x ln g - m ln((1-rho+rho r g)/(1-rho+rho r))). The first `known` rows are there already. */
export function sumUp(
  { count, stops, rows }: Sums,
  known: number,
  columns: RatioColumns,
  side: Stake['side'],
  terms: Terms,
) {
  const { length, suspectEvents, together } = columns;
  const { lifts, weights } = terms;
  const { lnFactors } = SIDES[side];
  const bets = lnFactors.length;
  for (let b = 0; b < bets; b += 1) {
    const lnFactor = lnFactors[b] ?? 0;
    const row = b * length;
    let sum = known > 0 ? (rows[(known - 1) * bets + b] ?? 0) : 0;
    let i = known > 0 ? (stops[known - 1] ?? 0) : 0;
    for (let k = known; k < count; k += 1) {
      for (const stop = stops[k] ?? 0; i < stop; i += 1) {
        const m = together[i] ?? 0;
        // Nothing was bet on a window without events, whatever the ratio.
        const expected = m === 0 ? 0 : m * (lifts[row + i] ?? 0);
        sum += ((suspectEvents[i] ?? 0) * lnFactor - expected) * (weights[i] ?? 0);
      }
      rows[k * bets + b] = sum;
    }
  }
}
