import type { CountPairs } from '../arms/pairs.ts';
import { BETS, mixBets } from './bets.ts';
import { FEWEST_TO_SCATTER, type RatioColumns, type Scatter, scatterOf } from './dispersion.ts';
import type { Memory } from './memory.ts';
import { NOISE_UNKNOWN } from './noise.ts';
import { crossingFrom } from './numbers.ts';
import { mixRestarts } from './restarts.ts';
import { numbers, type Room } from './room.ts';
import type { Stake } from './sums.ts';

/**
 * The ratio e-process (analysis.md): given how many events both arms had together in a window, the suspect's share of them is
 * binomial, whatever the common rate does. Betting on ratios g times the one asked about gives evidence that may be looked at
 * at any time (Ville's inequality). phi and kappa temper it for noise beyond counting noise; without them 30 % noise made one
 * rollback in five a false one.
 */

/** Ratios are held to [1/RATIO_CAP, RATIO_CAP]; an upper bound of RATIO_CAP says that none is known. */
export const RATIO_CAP = 10_000;
/** With this many windows before it a restart trusts what they said about scatter. */
const PREFIX_WINDOWS = 12;
/**
 * What the past says of the noise is believed as long as the rollout's own windows scatter no more than this many standard errors
 * beyond it. Low on purpose: where they do, the ordinary allowance holds again, which costs time and no mistake.
 */
const DOUBT = 0.5;

/** One copy of the test: from `start` on, with the noise it allows for. */
interface Copy {
  readonly start: number;
  readonly cvSquared: number;
  readonly kappa: number;
}

export interface RatioTest {
  readonly columns: RatioColumns;
  readonly copies: readonly Copy[];
  /** Where the copies begin, rising. */
  readonly starts: readonly number[];
  /** The copies are mixed; otherwise there is one, over everything it has. */
  readonly mixed: boolean;
  readonly memory: Memory;
}

/** What a test is made of besides its windows. */
export interface Allowance {
  /** Squared coefficient of variation learned from the past; null: not known. */
  readonly noise: number | null;
  readonly memory: Memory;
}

/** `starts`: the first window of every copy. */
export function ratioTest(pairs: CountPairs, starts: readonly number[], { noise, memory }: Allowance): RatioTest {
  const columns = columnsOf(pairs, memory.room);
  const copies = starts.map((start) => copyFrom(columns, start, noise, memory.room));
  return { columns, copies, starts, mixed: true, memory };
}

/** The same windows as one run from `start` on, not mixed. `noise`: as the test was made with. */
export function runFrom({ columns, copies, memory }: RatioTest, start: number, noise: number | null): RatioTest {
  // Usually what is recent begins with a step of the rollout, where a copy begins too.
  const copy = copies.find((known) => known.start === start) ?? copyFrom(columns, start, noise, memory.room);
  return { columns, copies: [copy], starts: [start], mixed: false, memory };
}

/**
 * The same test with `allowance` events per exposure added to the reference: evidence at ratio 1 is then evidence that the
 * suspect is more than `allowance` above the reference. Fixed added counts only lower the expectation of the evidence
 * (-ln A <= 1/A - 1), so it stays valid, and it works where the reference has no events at all.
 */
export function withAllowance(test: RatioTest, allowance: number): RatioTest {
  return { ...test, columns: withMore(test.columns, allowance, test.memory.room) };
}

function copyFrom(columns: RatioColumns, start: number, learned: number | null, room: Room): Copy {
  const n = columns.length;
  const prefix = start >= PREFIX_WINDOWS ? start : 0;
  if (learned !== null && n >= FEWEST_TO_SCATTER) {
    const own = scatterOf(columns, start, n, learned, room);
    if (isAsLearned(own, n - start)) {
      const before = scatterOf(columns, 0, prefix, learned, room);
      if (isAsLearned(before, prefix)) return copyOf(start, learned, own, before);
    }
  }
  const cvSquared = Math.max(learned ?? 0, NOISE_UNKNOWN ** 2);
  const own = scatterOf(columns, start, n, cvSquared, room);
  return copyOf(start, cvSquared, own, scatterOf(columns, 0, prefix, cvSquared, room));
}

function copyOf(start: number, cvSquared: number, own: Scatter | null, before: Scatter | null): Copy {
  return { start, cvSquared, kappa: Math.max(1, own?.kappa ?? 1, before?.kappa ?? 1) };
}

function isAsLearned(scatter: Scatter | null, windows: number): boolean {
  return scatter === null || scatter.dispersion <= 1 + DOUBT * Math.sqrt(2 / (windows - 1));
}

function columnsOf(pairs: CountPairs, room: Room): RatioColumns {
  const { length, ends, suspectEvents, suspectExposure, referenceEvents, referenceExposure } = pairs;
  const [together, share, spread] = [room.take(length), room.take(length), room.take(length)];
  for (let i = 0; i < length; i += 1) {
    const ours = suspectExposure[i] ?? 0;
    const rho = ours / (ours + (referenceExposure[i] ?? 0));
    const m = (suspectEvents[i] ?? 0) + (referenceEvents[i] ?? 0);
    together[i] = m;
    share[i] = rho;
    spread[i] = m * spreadOf(rho);
  }
  return {
    length,
    ends,
    suspectEvents,
    suspectExposure,
    referenceEvents,
    referenceExposure,
    pairs,
    allowance: 0,
    together,
    share,
    spread,
  };
}

/** The columns with `allowance` events per exposure more in the reference. */
function withMore(columns: RatioColumns, allowance: number, room: Room): RatioColumns {
  const { length, suspectEvents, referenceEvents, referenceExposure, share } = columns;
  const [together, spread] = [room.take(length), room.take(length)];
  for (let i = 0; i < length; i += 1) {
    const m = (suspectEvents[i] ?? 0) + (referenceEvents[i] ?? 0) + allowance * (referenceExposure[i] ?? 0);
    together[i] = m;
    spread[i] = m * spreadOf(share[i] ?? 0);
  }
  return { ...columns, allowance, together, spread };
}

/** Noise of both arms, each by itself, widens the suspect's share of the events by 2 rho (1 - rho); analysis.md has rho. */
function spreadOf(rho: number): number {
  return Math.max(rho, 2 * rho * (1 - rho));
}

/** Natural log of the evidence that suspect/reference is above (`worse`) or below (`ok`) `ratio`, over all copies. */
export function lnEvidence(test: RatioTest, ratio: number, side: Stake['side'], memory = test.memory): number {
  const lnCopies = numbers(test.copies.length);
  let k = 0;
  for (const { cvSquared } of test.copies) {
    // Copies that allow for the same noise are told of at once.
    if (Number.isNaN(lnCopies[k] ?? 0)) tellCopies(test, { ratio, side, cvSquared }, memory, lnCopies);
    k += 1;
  }
  return test.mixed ? mixRestarts(lnCopies) : (lnCopies[0] ?? 0);
}

/** Into `lnCopies`: what the copies with the stake's noise come to. */
function tellCopies(test: RatioTest, stake: Stake, memory: Memory, lnCopies: number[]): void {
  const bets = BETS.length;
  const { count, stops, rows } = memory.sums(test.columns, stake, test.starts);
  const last = (count - 1) * bets;
  const each = test.memory.room.brief(bets);
  let k = 0;
  for (const { start, cvSquared, kappa } of test.copies) {
    if (cvSquared === stake.cvSquared) {
      const first = stops.indexOf(start) * bets;
      for (let b = 0; b < bets; b += 1) each[b] = ((rows[last + b] ?? 0) - (rows[first + b] ?? 0)) / kappa;
      lnCopies[k] = mixBets(each);
    }
    k += 1;
  }
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
