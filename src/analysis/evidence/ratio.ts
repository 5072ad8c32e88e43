import type { CountPair } from '../arms/windows.ts';
import { excessScatter, type RatioColumns } from './dispersion.ts';
import { crossingFrom } from './numbers.ts';
import { mixRestarts } from './restarts.ts';

/**
 * The ratio e-process (analysis.md): given how many events both arms had together in a window, the suspect's share of them is
 * binomial, whatever the common rate does. Betting on ratios g times the one asked about gives evidence that may be looked at
 * at any time (Ville's inequality). phi and kappa temper it for noise beyond counting noise; without them 30 % noise made one
 * rollback in five a false one.
 */

/** Coefficient of variation that is allowed to each window and arm. */
const NOISE = 0.3;
/** The alternatives that are bet on, as multiples of the ratio asked about. */
export const BETS: readonly number[] = [1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20];
/** Ratios are held to [1/RATIO_CAP, RATIO_CAP]; an upper bound of RATIO_CAP says that none is known. */
export const RATIO_CAP = 10_000;
/** With this many windows before it a restart trusts what they said about scatter. */
const PREFIX_WINDOWS = 12;

export interface RatioTest {
  readonly columns: RatioColumns;
  /** First window of every copy of the test; more than one: mixed. */
  readonly starts: readonly number[];
  /** kappa of every copy. */
  readonly scatter: readonly number[];
}

/** `starts` null: one run over everything, not mixed. */
export function ratioTest(pairs: readonly CountPair[], starts: readonly number[] | null): RatioTest {
  const columns = columnsOf(pairs, 0);
  const at = starts ?? [0];
  const scatter = at.map((start) => {
    const own = excessScatter(columns, start, pairs.length);
    return start >= PREFIX_WINDOWS ? Math.max(own, excessScatter(columns, 0, start)) : own;
  });
  return { columns, starts: at, scatter };
}

/**
 * The same test with `allowance` events per exposure added to the reference: evidence at ratio 1 is then evidence that the
 * suspect is more than `allowance` above the reference. Fixed added counts only lower the expectation of the evidence
 * (-ln A <= 1/A - 1), so it stays valid, and it works where the reference has no events at all.
 */
export function withAllowance(test: RatioTest, pairs: readonly CountPair[], allowance: number): RatioTest {
  return { ...test, columns: columnsOf(pairs, allowance) };
}

function columnsOf(pairs: readonly CountPair[], allowance: number): RatioColumns {
  const n = pairs.length;
  const columns = {
    events: new Float64Array(n),
    together: new Float64Array(n),
    share: new Float64Array(n),
    phi: new Float64Array(n),
    suspectExposure: new Float64Array(n),
    referenceExposure: new Float64Array(n),
  };
  pairs.forEach((p, i) => {
    const rho = p.suspectExposure / (p.suspectExposure + p.referenceExposure);
    const m = p.suspectEvents + p.referenceEvents + allowance * p.referenceExposure;
    columns.events[i] = p.suspectEvents;
    columns.together[i] = m;
    columns.share[i] = rho;
    columns.phi[i] = 1 + NOISE * NOISE * m * rho;
    columns.suspectExposure[i] = p.suspectExposure;
    columns.referenceExposure[i] = p.referenceExposure;
  });
  return columns;
}

/**
 * Natural log of the evidence that suspect/reference is above (`worse`) or below (`ok`) `ratio`.
 * `mixed`: over the restarts; otherwise the run over everything alone.
 */
export function lnEvidence(test: RatioTest, ratio: number, side: 'worse' | 'ok', mixed: boolean): number {
  const starts = mixed ? test.starts : test.starts.slice(0, 1);
  const sums = sumsOfBets(test.columns, starts, ratio, side);
  const each = starts.map((_, k) => {
    const kappa = test.scatter[k] ?? 1;
    let top = Number.NEGATIVE_INFINITY;
    for (let b = 0; b < BETS.length; b += 1) top = Math.max(top, (sums[k * BETS.length + b] ?? 0) / kappa);
    let total = 0;
    for (let b = 0; b < BETS.length; b += 1) total += Math.exp((sums[k * BETS.length + b] ?? 0) / kappa - top);
    return top + Math.log(total / BETS.length);
  });
  return mixed ? mixRestarts(each) : (each[0] ?? 0);
}

/** Row per copy, column per bet: sum over the copy's windows of (1/phi)(x ln g - m ln((1-rho+rho r g)/(1-rho+rho r))). */
function sumsOfBets(columns: RatioColumns, starts: readonly number[], ratio: number, side: 'worse' | 'ok') {
  const { events, together, share, phi } = columns;
  const n = events.length;
  const bets = BETS.length;
  const sums = new Float64Array(starts.length * bets);
  const base = new Float64Array(n);
  const worth = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    base[i] = Math.log(1 - (share[i] ?? 0) + (share[i] ?? 0) * ratio);
    worth[i] = (together[i] ?? 0) / (phi[i] ?? 1);
  }
  for (let b = 0; b < bets; b += 1) {
    const g = side === 'worse' ? (BETS[b] ?? 1) : 1 / (BETS[b] ?? 1);
    const lnG = Math.log(g);
    const stake = ratio * g;
    let sum = 0;
    let end = n;
    // From the last copy to the first: a copy's sum is its own windows and those of all copies after it.
    for (let copy = starts.length - 1; copy >= 0; copy -= 1) {
      const start = starts[copy] ?? 0;
      for (let i = start; i < end; i += 1) {
        const m = worth[i] ?? 0;
        if (m === 0) continue;
        const rho = share[i] ?? 0;
        const lift = Math.log(1 - rho + rho * stake) - (base[i] ?? 0);
        sum += ((events[i] ?? 0) * lnG) / (phi[i] ?? 1) - m * lift;
      }
      sums[copy * bets + b] = sum;
      end = start;
    }
  }
  return sums;
}

/** Largest ratio that is ruled out from below: evidence against "at most this" is at least e^lnNeeded. 0: none. */
export function lowerBound(evidence: (ratio: number) => number, estimate: number, lnNeeded: number): number {
  const f = (u: number) => evidence(Math.exp(u)) - lnNeeded;
  const u = crossingFrom(f, startAt(estimate), -0.25, -Math.log(RATIO_CAP), 2e-3);
  return u === null ? 0 : Math.exp(u);
}

/** Smallest ratio that is ruled out from above; RATIO_CAP: none. */
export function upperBound(evidence: (ratio: number) => number, estimate: number, lnNeeded: number): number {
  const f = (u: number) => evidence(Math.exp(u)) - lnNeeded;
  const u = crossingFrom(f, startAt(estimate), 0.25, Math.log(RATIO_CAP), 2e-3);
  return u === null ? RATIO_CAP : Math.exp(u);
}

function startAt(estimate: number): number {
  return Math.log(Math.min(RATIO_CAP / 2, Math.max(2 / RATIO_CAP, estimate)));
}
