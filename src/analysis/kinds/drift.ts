import { type Bin, extentOf } from '../arms/arm.ts';
import { NO_COUNTS, totalsOf } from '../arms/counts.ts';
import { chiSquare99 } from '../evidence/chi-square.ts';
import { restartIndices } from '../evidence/restarts.ts';
import { type Found, LN_HEALTHY, NO_NOTE, noData, type Outcome } from '../verdict/outcome.ts';
import type { Question } from './question.ts';

/**
 * Drift of features and predictions. Its tests are made for one look, not for many, so it warns and never rolls back by itself:
 * it is healthy or inconclusive, and brings no evidence to the verdict over all.
 */

/** From here on a population has shifted (Siddiqi, Credit Risk Scorecards, 2006: "greater than 0.25"). */
const PSI_ALERT = 0.25;
/** Added to each bin, so that an empty one does not divide. */
const HALF = 0.5;

type Bins = readonly Bin[];
type DriftFound = Extract<Found, { kind: 'drift' }>;

/** Population stability index of two lists of counts, bin by bin: the two Kullback-Leibler divergences together. */
export function psi(suspect: readonly number[], reference: readonly number[], added: number = HALF): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count + added, 0);
  const n = total(suspect);
  const m = total(reference);
  let sum = 0;
  suspect.forEach((count, i) => {
    const p = (count + added) / n;
    const q = ((reference[i] ?? 0) + added) / m;
    if (p !== q) sum += (p - q) * Math.log(p / q);
  });
  return sum;
}

/** The PSI from which to alert: between equal distributions it is about (1/N+1/M) chi-square (Yurdakul 2018), so few values raise it. */
export function psiAlert(suspect: number, reference: number, bins: number): number {
  return Math.max(PSI_ALERT, (1 / suspect + 1 / reference) * chiSquare99(bins - 1));
}

/** Binned counts of one arm against another. */
export function testDrift(question: Question): Outcome {
  const { suspect, reference } = question;
  if (suspect.kind !== 'bins' || reference?.kind !== 'bins') return noData('there is nothing to hold it against');
  const found = stretches(question)
    .map((fromMs) => shiftSince(fromMs, suspect.bins, reference.bins))
    .filter((shift) => shift !== null);
  const strongest = found.toSorted((a, b) => b.psi / b.alert - a.psi / a.alert)[0];
  if (strongest === undefined) return noData('nothing was counted in one of the arms');
  const isShifted = strongest.psi > strongest.alert;
  // The stretch as a whole is what is shown, unless a part of it has shifted.
  const shown = isShifted ? strongest : (found[0] ?? strongest);
  return warningOnly(shown, strongest.alert, isShifted ? 'its distribution has shifted' : null);
}

/** Begins of the stretches looked at: all since the step, and what was counted since the last restart of the tests. */
function stretches({ suspect, period }: Question): number[] {
  const { length, ends } = extentOf(suspect);
  const hasRecent = (ends[length - 1] ?? Number.NEGATIVE_INFINITY) > period.healthyFromMs;
  const sinceStep = hasRecent ? period.healthyFromMs : period.fromMs;
  const last = restartIndices(ends, period.fromMs, period.toMs, period.restartsAtMs, length).at(-1) ?? 0;
  const sinceRestart = last > 0 ? (ends[last - 1] ?? sinceStep) : sinceStep;
  return sinceRestart > sinceStep ? [sinceStep, sinceRestart] : [sinceStep];
}

function shiftSince(fromMs: number, suspect: Bins, reference: Bins): DriftFound | null {
  const names = [...new Set([...suspect, ...reference].map(({ bin }) => bin))];
  const countsOf = (bins: Bins) => {
    const byName = new Map(bins.map(({ bin, counts }) => [bin, counts]));
    return names.map((name) => totalsOf(byName.get(name) ?? NO_COUNTS, fromMs).events);
  };
  const ours = countsOf(suspect);
  const theirs = countsOf(reference);
  const total = (counts: readonly number[]) => counts.reduce((sum, n) => sum + n, 0);
  const n = total(ours);
  const m = total(theirs);
  if (!(n > 0 && m > 0)) return null;
  return {
    kind: 'drift',
    psi: psi(ours, theirs),
    alert: psiAlert(n, m, names.length),
    suspect: n,
    reference: m,
  };
}

/**
 * A drift score somebody else computes, as it was over the last few windows: it is recomputed seldom and moves slowly, and a mean
 * over the whole step would hide for long what has begun late.
 */
export function testDriftScore({ metric, suspect, settings }: Question): Outcome {
  if (metric.source.kind !== 'drift-score' || suspect.kind !== 'values') return noData('it is no score');
  const last = suspect.windows.slice(-Math.max(1, settings.minimumWindows));
  if (last.length === 0) return noData('there are no scores');
  const value = last.reduce((sum, w) => sum + w.value / last.length, 0);
  const { limit } = metric.source;
  const isPast = metric.direction === 'higher-is-better' ? value < limit : value > limit;
  return warningOnly({ kind: 'score', value }, limit, isPast ? 'it is past its limit' : null);
}

function warningOnly(found: Found, limit: number, warning: string | null): Outcome {
  return {
    verdict: warning === null ? 'healthy' : 'inconclusive',
    lnWorse: 0,
    lnOk: warning === null ? LN_HEALTHY : 0,
    limit,
    change: () => null,
    note: { ...NO_NOTE, found },
    missing: null,
    warning,
  };
}
