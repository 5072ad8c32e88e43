import type { Counts } from '../arms/counts.ts';
import { type CountPairs, coarsen } from '../arms/pairs.ts';
import { redundancy } from '../evidence/dispersion.ts';
import { clamp } from '../evidence/numbers.ts';
import { lowerBound, RATIO_CAP, upperBound } from '../evidence/ratio.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import type { Room } from '../evidence/room.ts';
import { lnShareEvidence } from '../evidence/shares.ts';
import { type Change, LN_DEGRADED, LN_HEALTHY, NO_NOTE, noData, type Outcome, verdictOf } from '../verdict/outcome.ts';
import type { Question } from './question.ts';

/**
 * A proportion against the share of bad events that is allowed: a beta-binomial mixture (evidence/shares.ts) about the arm by
 * itself. The evidence against a share p is that of the two-sided mixture at p; against "at most p" it is the least of all those
 * shares, which lies at p or, where fewer are bad, at what was seen. phi and kappa temper it for noise beyond counting noise, as
 * they do the ratio test; with both at 1 it is an e-process.
 */

/** Coefficient of variation that is allowed to each window (ratio.ts). */
const NOISE = 0.3;
/** With this many windows before it a restart trusts what they said about scatter (ratio.ts). */
const PREFIX_WINDOWS = 12;
/** Fewer windows than this cannot tell how much they scatter (dispersion.ts). */
const FEWEST = 6;
/** What the past says about scatter counts up to this (an autocorrelation of .9): an incident in it must not blind for good. */
const MOST_USUAL = 20;
/** Bad events the mixture's prior is worth: bets are widest around half to twice the allowed share. */
const PRIOR_EVENTS = 2;

/** One stretch of windows, each weighted by 1/(phi kappa). */
interface Stretch {
  readonly events: number;
  readonly trials: number;
}

export function testObjective(question: Question): Outcome {
  const { metric, suspect, period, settings } = question;
  const { room } = question.memory;
  const { windowMs } = settings;
  if (metric.source.kind !== 'objective' || suspect.kind !== 'counts') return noData('it is no proportion');
  const allowed = clamp(metric.source.allowed, 1e-9, 1 - 1e-9);
  const all = windowsOf(suspect.counts, Number.NEGATIVE_INFINITY, windowMs, room);
  if (all.length === 0) return noData('there were no requests');
  const recent = windowsOf(suspect.counts, period.healthyFromMs, windowMs, room);
  const starts = restartIndices(all.ends, period.fromMs, period.toMs, period.restartsAtMs, all.length);
  // What stable did before says more about scatter that remembers than the first windows of anything can.
  const usual = question.past?.kind === 'counts' ? usualScatter(question.past.counts, windowMs, allowed, room) : 1;
  const copies = starts.map((start) => stretchOf(all, start, allowed, usual, room));
  const latest = stretchOf(recent, 0, allowed, usual, room);
  const concentration = Math.max(10, PRIOR_EVENTS / allowed);
  const lnAbove = (share: number) => mixRestarts(copies.map((copy) => lnBeyond(copy, share, 'above', concentration)));
  const lnBelow = (share: number) => lnBeyond(latest, share, 'below', concentration);
  const enoughWindows = all.length >= settings.minimumWindows;
  const lnWorse = enoughWindows ? lnAbove(allowed) : 0;
  const lnOk = lnBelow(allowed);
  return {
    verdict: verdictOf({ lnWorse, lnOk, weight: metric.weight, enoughWindows, mayBeHealthy: question.mayBeHealthy }),
    lnWorse,
    lnOk,
    limit: 1,
    change: () => changeOf({ all, recent, starts, allowed, lnAbove, lnBelow, isAbove: lnWorse >= LN_DEGRADED }),
    note: NO_NOTE,
    missing: null,
    warning: null,
  };
}

/** Windows after `fromMs` with requests in them, at most as many as the other tests look at; held against no other arm. */
function windowsOf(
  { length, ends, events, exposure }: Counts,
  fromMs: number,
  windowMs: number,
  room: Room,
): CountPairs {
  const [at, bad, all, none] = [room.take(length), room.take(length), room.take(length), room.take(length)];
  let kept = 0;
  for (let i = 0; i < length; i += 1) {
    const size = exposure[i] ?? 0;
    if (!((ends[i] ?? 0) > fromMs && size > 0)) continue;
    at[kept] = ends[i] ?? 0;
    bad[kept] = events[i] ?? 0;
    all[kept] = size;
    none[kept] = 0;
    kept += 1;
  }
  const pairs = { ends: at, suspectEvents: bad, suspectExposure: all, referenceEvents: none, referenceExposure: none };
  return coarsen({ length: kept, ...pairs }, windowMs, room);
}

/** How much more the past scatters than phi allows for. */
function usualScatter(past: Counts, windowMs: number, allowed: number, room: Room): number {
  const windows = windowsOf(past, Number.NEGATIVE_INFINITY, windowMs, room);
  if (windows.length < PREFIX_WINDOWS) return 1;
  return Math.min(MOST_USUAL, excess(windows, 0, windows.length, allowed, room));
}

/** ln of the evidence that the share behind the stretch is above (below) `share`. */
function lnBeyond(stretch: Stretch, share: number, side: 'above' | 'below', concentration: number): number {
  const { events, trials } = stretch;
  if (!(trials > 0)) return 0;
  const seen = events / trials;
  const least = side === 'above' ? Math.min(share, seen) : Math.max(share, seen);
  // Nothing is rarer than never: there the mixture is worth 1.
  return least <= 0 || least >= 1 ? 0 : lnShareEvidence(events, trials, least, concentration);
}

/** `usual`: how much the service scatters as it is known from before. */
function stretchOf(windows: CountPairs, start: number, allowed: number, usual: number, room: Room): Stretch {
  const own = Math.max(usual, excess(windows, start, windows.length, allowed, room));
  const kappa = start >= PREFIX_WINDOWS ? Math.max(own, excess(windows, 0, start, allowed, room)) : own;
  let events = 0;
  let trials = 0;
  for (let i = start; i < windows.length; i += 1) {
    const exposure = windows.suspectExposure[i] ?? 0;
    const weight = 1 / (phiOf(exposure, allowed) * kappa);
    events += (windows.suspectEvents[i] ?? 0) * weight;
    trials += exposure * weight;
  }
  return { events, trials };
}

/** How many times counting noise the events of so many requests may vary, as far as it is known before they are counted. */
function phiOf(exposure: number, allowed: number): number {
  return 1 + (NOISE * NOISE * exposure * allowed) / (1 - allowed);
}

/** By how much the windows [from, to) scatter more than phi allows for, never less than 1 (analysis.md: kappa, for one arm). */
function excess(windows: CountPairs, from: number, to: number, allowed: number, room: Room): number {
  const n = to - from;
  if (n < FEWEST) return 1;
  const { suspectEvents, suspectExposure } = windows;
  let events = 0.5;
  let trials = 1;
  for (let i = from; i < to; i += 1) {
    events += suspectEvents[i] ?? 0;
    trials += suspectExposure[i] ?? 0;
  }
  const share = events / trials;
  const residuals = room.brief(n);
  let squares = 0;
  for (let i = from; i < to; i += 1) {
    const exposure = suspectExposure[i] ?? 0;
    const variance = exposure * share * (1 - share) * phiOf(exposure, allowed);
    const residual = ((suspectEvents[i] ?? 0) - share * exposure) / Math.sqrt(Math.max(variance, 0.25));
    residuals[i - from] = residual;
    squares += residual * residual;
  }
  const kappa = (squares / (n - 1)) * redundancy(residuals, n);
  return Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12;
}

interface Bounds {
  readonly all: CountPairs;
  readonly recent: CountPairs;
  readonly starts: readonly number[];
  readonly allowed: number;
  readonly lnAbove: (share: number) => number;
  readonly lnBelow: (share: number) => number;
  readonly isAbove: boolean;
}

/** How many times the allowed share is bad. */
function changeOf({ all, recent, starts, allowed, lnAbove, lnBelow, isAbove }: Bounds): Change {
  const most = 1 / allowed;
  const shareAt = (ratio: number) => Math.min(ratio * allowed, 1 - 1e-9);
  const latest = ratioOf(recent.length > 0 ? recent : all, 0, allowed);
  const strongest = Math.max(...starts.map((start) => ratioOf(all, start, allowed)));
  const lower = lowerBound(
    (ratio) => lnAbove(shareAt(ratio)),
    isAbove ? Math.max(latest, strongest) : latest,
    LN_DEGRADED,
  );
  const upper = upperBound((ratio) => lnBelow(shareAt(ratio)), latest, LN_HEALTHY);
  // What is above is shown by the stretch that proves it.
  const estimate = isAbove && latest < lower ? strongest : latest;
  return {
    estimate,
    lower: Math.min(lower, estimate),
    upper: Math.max(upper >= most ? RATIO_CAP : upper, estimate),
  };
}

function ratioOf({ length, suspectEvents, suspectExposure }: CountPairs, from: number, allowed: number): number {
  let events = 0;
  let trials = 0;
  for (let i = from; i < length; i += 1) {
    events += suspectEvents[i] ?? 0;
    trials += suspectExposure[i] ?? 0;
  }
  return trials > 0 ? Math.min(RATIO_CAP, events / trials / allowed) : 0;
}
