import type { ArmRead } from '../arms/arm.ts';
import { columnsOf, windowsOf } from '../arms/counts.ts';
import { redundancy } from '../evidence/dispersion.ts';
import { clamp } from '../evidence/numbers.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import { lnShareEvidence } from '../evidence/shares.ts';
import type { LookPeriod } from '../types.ts';
import { LN_HEALTHY, NO_NOTE, noData, type Outcome } from '../verdict/outcome.ts';
import type { Question } from './question.ts';

/**
 * Whether traffic is split as configured (sample ratio): a Dirichlet mixture about the two arms' requests for every stretch of one
 * configured share, the stretches' evidence multiplied. A split that is off makes whatever is compared over it doubtful, and is
 * nobody's degradation.
 */

/** Concentration of the mixture (analysis.md; Lindon and Malek's default). */
const CONCENTRATION = 100;
/** From this evidence on the split is not as configured (analysis.md: E >= 1000). */
const LN_WRONG = Math.log(1000);
/** Fewer windows than this cannot tell how much they scatter. */
const FEWEST = 6;
const PREFIX_WINDOWS = 12;

/** Requests of both arms in one window, and the share that was configured throughout it. */
export interface SplitWindow {
  readonly endMs: number;
  readonly candidate: number;
  readonly both: number;
  readonly share: number;
}

export function testSplit(question: Question): Outcome {
  const { metric, suspect, reference, period, settings } = question;
  if (metric.source.kind !== 'split' || suspect.kind !== 'counts' || reference?.kind !== 'counts') {
    return noData('there is no second arm');
  }
  if (period.exposures === undefined || period.exposures.length === 0)
    return noData('the configured split is not known');
  const slack = clamp(metric.source.slack, 0, 1);
  const stable = new Map(windowsOf(reference.counts).map((w) => [w.endMs, w.exposure]));
  const windows: SplitWindow[] = [];
  for (const w of windowsOf(suspect.counts)) {
    const other = stable.get(w.endMs);
    const share = shareThroughout(w.endMs, period.exposures, settings);
    if (other === undefined || share === null || w.exposure + other <= 0) continue;
    windows.push({ endMs: w.endMs, candidate: w.exposure, both: w.exposure + other, share });
  }
  const lnWrong = lnWrongSplit(windows, slack, period);
  const last = windows.at(-1)?.share ?? (period.exposures.at(-1)?.percent ?? 0) / 100;
  const shown = lnWrong >= LN_WRONG ? loudest(windows, slack) : windows.filter((w) => w.share === last);
  const requests = sum(shown, (w) => w.both);
  const seen = requests > 0 ? sum(shown, (w) => w.candidate) / requests : null;
  const configured = shown[0]?.share ?? last;
  const enough = windows.length >= settings.minimumWindows && sum(windows, (w) => w.both) >= metric.minimumSamples;
  const isWrong = lnWrong >= LN_WRONG && seen !== null;
  const isHealthy = enough && !isWrong;
  return {
    verdict: isHealthy ? 'healthy' : 'inconclusive',
    // It is no evidence about the candidate.
    lnWorse: 0,
    lnOk: isHealthy ? LN_HEALTHY : 0,
    limit: configured,
    change: () => null,
    note: { ...NO_NOTE, found: { kind: 'split', seen: enough || isWrong ? seen : null, configured, requests } },
    missing: null,
    warning: isWrong ? 'the split is not as configured' : null,
  };
}

/**
 * The share that held during the whole window; null where it changed, or where all or nothing goes to the candidate. After a
 * change the router is given the warm-up (a window at least: what was counted is only known to the scrape).
 */
function shareThroughout(
  endMs: number,
  exposures: NonNullable<LookPeriod['exposures']>,
  settings: { readonly windowMs: number; readonly warmUpMs: number },
): number | null {
  const beginMs = endMs - settings.windowMs;
  const settleMs = Math.max(settings.windowMs, settings.warmUpMs);
  let percent: number | null = null;
  for (const exposure of exposures) {
    if (exposure.fromMs >= endMs) break;
    if (exposure.percent === percent) continue;
    if (exposure.fromMs + settleMs > beginMs) return null;
    percent = exposure.percent;
  }
  return percent !== null && percent > 0 && percent < 100 ? percent / 100 : null;
}

/** ln of the evidence against every split within the slack of the configured one, over the restarts. */
export function lnWrongSplit(windows: readonly SplitWindow[], slack: number, period: LookPeriod): number {
  if (windows.length === 0) return 0;
  const ends = windows.map((w) => w.endMs);
  const starts = restartIndices(ends, period.fromMs, period.toMs, period.restartsAtMs);
  const copies = starts.map((start) => {
    const own = excess(windows.slice(start));
    const kappa = start >= PREFIX_WINDOWS ? Math.max(own, excess(windows.slice(0, start))) : own;
    return stretches(windows.slice(start)).reduce((ln, stretch) => ln + lnStretch(stretch, slack, kappa), 0);
  });
  return mixRestarts(copies);
}

/** The least evidence over the shares within the slack: it lies at what was seen, or at the edge nearest to it. */
function lnStretch(windows: readonly SplitWindow[], slack: number, kappa: number): number {
  const share = windows[0]?.share ?? 0;
  const candidate = sum(windows, (w) => w.candidate) / kappa;
  const both = sum(windows, (w) => w.both) / kappa;
  const nearest = clamp(candidate / both, share * (1 - slack), Math.min(share * (1 + slack), (1 + share) / 2));
  return nearest > 0 ? lnShareEvidence(candidate, both, nearest, CONCENTRATION) : 0;
}

/** Consecutive windows of one configured share. */
function stretches(windows: readonly SplitWindow[]): SplitWindow[][] {
  const found: SplitWindow[][] = [];
  for (const w of windows) {
    const last = found.at(-1);
    if (last !== undefined && last[0]?.share === w.share) last.push(w);
    else found.push([w]);
  }
  return found;
}

function loudest(windows: readonly SplitWindow[], slack: number): readonly SplitWindow[] {
  const byEvidence = stretches(windows).toSorted((a, b) => lnStretch(b, slack, 1) - lnStretch(a, slack, 1));
  return byEvidence[0] ?? [];
}

/**
 * By how much the candidate's requests scatter more than a coin's would, never less than 1: users who stay with one arm bring
 * many requests each. Taken about the means of a few windows each, and the middle one of them, so that a split that goes wrong is
 * not taken for scatter.
 */
function excess(windows: readonly SplitWindow[]): number {
  if (windows.length < FEWEST) return 1;
  const chunks = stretches(windows).flatMap(chunksOf).map(residualsOf);
  const scatters = chunks.map((c) => sum(c, (e) => e * e) / Math.max(1, c.length - 1)).sort((x, y) => x - y);
  const middle = scatters[Math.floor((scatters.length - 1) / 2)] ?? 1;
  const usual = chunks.filter((c) => sum(c, (e) => e * e) <= 4 * middle * c.length);
  const kappa = middle * redundancy(usual.flat());
  return Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12;
}

/** A dozen windows at a time; what is left over at the end belongs to the dozen before. */
function chunksOf(windows: readonly SplitWindow[]): SplitWindow[][] {
  const count = Math.max(1, Math.floor(windows.length / PREFIX_WINDOWS));
  return Array.from({ length: count }, (_, k) => {
    return windows.slice(k * PREFIX_WINDOWS, k === count - 1 ? windows.length : (k + 1) * PREFIX_WINDOWS);
  });
}

/** Each window's requests to the candidate against the mean of all of them, in standard deviations of a coin. */
function residualsOf(windows: readonly SplitWindow[]): number[] {
  const share = (sum(windows, (w) => w.candidate) + 0.5) / (sum(windows, (w) => w.both) + 1);
  return windows.map((w) => (w.candidate - share * w.both) / Math.sqrt(Math.max(w.both * share * (1 - share), 0.25)));
}

function sum<W>(list: readonly W[], of: (w: W) => number): number {
  let total = 0;
  for (const item of list) total += of(item);
  return total;
}

interface Arms {
  readonly stableNow: ArmRead | null;
  readonly stableBefore: ArmRead | null;
  readonly candidateNow: ArmRead | null;
}

/** Requests of each arm as shares of both arms' together, for showing. */
export function sharesOfTraffic({ stableNow, candidateNow }: Arms): Arms {
  return {
    stableNow: shareOfBoth(stableNow, candidateNow),
    stableBefore: null,
    candidateNow: shareOfBoth(candidateNow, stableNow),
  };
}

function shareOfBoth(arm: ArmRead | null, other: ArmRead | null): ArmRead | null {
  if (arm?.kind !== 'counts' || other?.kind !== 'counts') return null;
  const others = new Map(windowsOf(other.counts).map((w) => [w.endMs, w.exposure]));
  const windows = windowsOf(arm.counts).map(({ endMs, exposure }) => {
    return { endMs, events: exposure, exposure: exposure + (others.get(endMs) ?? 0) };
  });
  return { kind: 'counts', counts: columnsOf(windows) };
}
