import { type CountPair, coarsen } from '../arms/windows.ts';
import { redundancy } from '../evidence/dispersion.ts';
import { clamp } from '../evidence/numbers.ts';
import { lowerBound, RATIO_CAP, upperBound } from '../evidence/ratio.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import { lnShareEvidence } from '../evidence/shares.ts';
import type { CountWindow } from '../types.ts';
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
  if (metric.source.kind !== 'objective' || suspect.kind !== 'counts') return noData('it is no proportion');
  const allowed = clamp(metric.source.allowed, 1e-9, 1 - 1e-9);
  const all = windowsOf(suspect.windows, settings.windowMs);
  if (all.length === 0) return noData('there were no requests');
  const recent = windowsOf(
    suspect.windows.filter((w) => w.endMs > period.healthyFromMs),
    settings.windowMs,
  );
  const ends = all.map((w) => w.endMs);
  const starts = restartIndices(ends, period.fromMs, period.toMs, period.restartsAtMs);
  // What stable did before says more about scatter that remembers than the first windows of anything can.
  const past = question.past?.kind === 'counts' ? windowsOf(question.past.windows, settings.windowMs) : [];
  const usual = past.length >= PREFIX_WINDOWS ? Math.min(MOST_USUAL, excess(past, allowed)) : 1;
  const copies = starts.map((start) => stretchOf(all, start, allowed, usual));
  const latest = stretchOf(recent, 0, allowed, usual);
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

/** Windows with requests in them, at most as many as the other tests look at. */
function windowsOf(windows: readonly CountWindow[], windowMs: number): readonly CountPair[] {
  const asPairs = windows
    .filter((w) => w.exposure > 0)
    .map((w) => ({
      endMs: w.endMs,
      suspectEvents: w.events,
      suspectExposure: w.exposure,
      referenceEvents: 0,
      referenceExposure: 0,
    }));
  return coarsen(asPairs, windowMs);
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
function stretchOf(windows: readonly CountPair[], start: number, allowed: number, usual: number): Stretch {
  const own = Math.max(usual, excess(windows.slice(start), allowed));
  const kappa = start >= PREFIX_WINDOWS ? Math.max(own, excess(windows.slice(0, start), allowed)) : own;
  let events = 0;
  let trials = 0;
  for (const w of windows.slice(start)) {
    const weight = 1 / (phiOf(w, allowed) * kappa);
    events += w.suspectEvents * weight;
    trials += w.suspectExposure * weight;
  }
  return { events, trials };
}

/** How many times counting noise a window's events may vary, as far as it is known before they are counted. */
function phiOf(window: CountPair, allowed: number): number {
  return 1 + (NOISE * NOISE * window.suspectExposure * allowed) / (1 - allowed);
}

/** By how much the windows scatter more than phi allows for, never less than 1 (analysis.md: kappa, for one arm). */
function excess(windows: readonly CountPair[], allowed: number): number {
  const n = windows.length;
  if (n < FEWEST) return 1;
  let events = 0.5;
  let trials = 1;
  for (const w of windows) {
    events += w.suspectEvents;
    trials += w.suspectExposure;
  }
  const share = events / trials;
  let squares = 0;
  const residuals = windows.map((w) => {
    const variance = w.suspectExposure * share * (1 - share) * phiOf(w, allowed);
    const residual = (w.suspectEvents - share * w.suspectExposure) / Math.sqrt(Math.max(variance, 0.25));
    squares += residual * residual;
    return residual;
  });
  const kappa = (squares / (n - 1)) * redundancy(residuals);
  return Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12;
}

interface Bounds {
  readonly all: readonly CountPair[];
  readonly recent: readonly CountPair[];
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
  const latest = ratioOf(recent.length > 0 ? recent : all, allowed);
  const strongest = Math.max(...starts.map((start) => ratioOf(all.slice(start), allowed)));
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

function ratioOf(windows: readonly CountPair[], allowed: number): number {
  let events = 0;
  let trials = 0;
  for (const w of windows) {
    events += w.suspectEvents;
    trials += w.suspectExposure;
  }
  return trials > 0 ? Math.min(RATIO_CAP, events / trials / allowed) : 0;
}
