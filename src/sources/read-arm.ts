import type { Metric, Series } from '../analysis/types.ts';
import { binned, binsOfTails, sameBins } from './bins.ts';
import { tails } from './buckets.ts';
import { type Counted, countsOf, countWindows, gauge, isCountedKind, nothing } from './counts.ts';
import type { GridSeries } from './increase.ts';
import { boundsFor, type NativeArm, nativeTails } from './native.ts';

/** From the series of one metric and arm to the windows the comparison takes. Pure: every rule of reading is here and beside. */

export interface ArmRead extends Counted {
  /** What counts the good ones found nothing: all failed, or the selector is mistyped. Only the other arms can tell. */
  readonly noGood: boolean;
  /** Native histograms that were found: they become a series once the bounds common to all arms are known (`together`). */
  readonly native: NativeArm | null;
}

/** `found`: the series of each selector, in the order of `selectorsOf`; `endsMs`: the windows' ends. */
export function readArm(
  metric: Metric,
  found: readonly (readonly GridSeries[])[],
  endsMs: readonly number[],
  windowMs: number,
): ArmRead {
  const natives = found.flat().filter((s) => s.natives !== undefined);
  if (natives.length > 0) {
    const { source } = metric;
    if (source.kind === 'latency' || (source.kind === 'drift' && source.by === 'le')) {
      return { series: null, problem: null, noGood: false, native: { series: natives, endsMs } };
    }
    return absent('the selector finds native histograms: ask for histogram_count(…) of it');
  }
  return { ...countedBy(metric, found, endsMs, windowMs), noGood: hasNoGood(metric, found), native: null };
}

export function absent(problem: string | null): ArmRead {
  return { series: null, problem, noGood: false, native: null };
}

function countedBy(
  { source }: Metric,
  found: readonly (readonly GridSeries[])[],
  endsMs: readonly number[],
  windowMs: number,
): Counted {
  if (isCountedKind(source)) {
    const counts = countsOf(source, found, endsMs.length, windowMs);
    if (typeof counts === 'string') return nothing(counts);
    return { series: { kind: 'counts', windows: countWindows(counts, endsMs) }, problem: null };
  }
  const [first = []] = found;
  switch (source.kind) {
    case 'latency':
      return tails(first, endsMs);
    case 'drift':
      return binned(first, source.by, endsMs);
    case 'gauge':
    case 'limit':
    case 'drift-score':
      return gauge(first, endsMs);
  }
}

/** Whether what counts the good ones found nothing. */
export function hasNoGood({ source }: Metric, found: readonly (readonly GridSeries[])[]): boolean {
  switch (source.kind) {
    case 'proportion':
    case 'objective':
      return source.good !== null && found[0]?.length === 0;
    case 'labelled':
      // True positives come first; only for accuracy true negatives are right answers as well.
      return found[0]?.length === 0 && (source.measure !== 'accuracy' || found[3]?.length === 0);
    default:
      return false;
  }
}

/**
 * The arms of one metric, made comparable: native histograms at the same bounds (told by the arms in `reference`, by index), and
 * distributions with the same bins. `noGood` in all of them is a selector that finds nothing.
 */
export function together(metric: Metric, arms: readonly ArmRead[], reference: readonly number[]): readonly ArmRead[] {
  if (metric.source.kind !== 'drift' && arms.every(isAlone)) return arms;
  const read = arms.filter((arm) => arm.series !== null);
  if (read.length > 0 && read.every((arm) => arm.noGood)) {
    const selector = metric.source.kind === 'labelled' ? 'truePositives' : 'good';
    const problem = `no good ones were found anywhere: check the \`${selector}\` selector`;
    return arms.map((arm) => (arm.series === null && arm.problem === null ? arm : absent(problem)));
  }
  const natives = arms.flatMap((arm) => arm.native ?? []);
  if (natives.length > 0) return atSameBounds(metric, arms, natives, reference);
  if (metric.source.kind !== 'drift') return arms;
  const same = sameBins(arms.map((arm) => arm.series));
  return arms.map((arm, i) => ({ ...arm, series: same[i] ?? null }));
}

/** Whatever the others are, it is what it is. */
function isAlone({ noGood, native }: ArmRead): boolean {
  return !noGood && native === null;
}

function atSameBounds(
  metric: Metric,
  arms: readonly ArmRead[],
  natives: readonly NativeArm[],
  reference: readonly number[],
): ArmRead[] {
  const asked = metric.source.kind === 'latency' ? metric.source.bounds : [];
  const told = reference.flatMap((i) => arms[i]?.native ?? []);
  const bounds = boundsFor(natives, told.length > 0 ? told : natives, asked);
  return arms.map((arm) => {
    if (arm.native === null) return arm;
    if (bounds.length === 0) return absent('the native histograms have no bucket boundary in common');
    return { ...arm, series: asSeries(metric, nativeTails(arm.native, bounds)), native: null };
  });
}

function asSeries(metric: Metric, series: Series): Series {
  return metric.source.kind === 'drift' && series.kind === 'tails' ? binsOfTails(series) : series;
}
