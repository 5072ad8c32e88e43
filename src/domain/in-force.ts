import type { Observed } from './event.ts';
import type { Split } from './state.ts';

/** How far the exposure read back may be off, in percentage points: weights are rounded by the target. */
const TOLERANCE_POINTS = 0.5;
/** Nothing and everything are exact in every target: half a per cent of traffic on a bad version is not "none". */
const TOLERANCE_AT_ENDS_POINTS = 0.05;

/** Whether what is observed is this split. A target may already call the candidate its stable once it has everything. */
export function isInForce(observed: Observed, split: Split): boolean {
  const exposure = exposureOf(observed);
  if (exposure === null) return false;
  const wanted = split.exposurePercent;
  const tolerance = wanted === 0 || wanted === 100 ? TOLERANCE_AT_ENDS_POINTS : TOLERANCE_POINTS;
  const near = (version: string, share: number) =>
    Math.abs((shareOf(observed, split, version) ?? 0) - share) <= tolerance;
  return near(split.candidate, wanted) && near(split.stable, 100 - wanted);
}

/** A version's share of the traffic in per cent; null: the target does not tell. Versions it does not name are the split's. */
export function shareOf(
  observed: Observed,
  split: Pick<Split, 'stable' | 'candidate'>,
  version: string,
): number | null {
  const exposure = exposureOf(observed);
  if (exposure === null) return null;
  const arms = [
    { version: observed.stable ?? split.stable, share: 100 - exposure },
    { version: observed.candidate ?? split.candidate, share: exposure },
  ];
  return arms.filter((arm) => arm.version === version).reduce((sum, arm) => sum + arm.share, 0);
}

/** What serves everything, as the target says; null: it is split, or the target does not tell. */
export function servesAlone(observed: Observed): string | null {
  const exposure = exposureOf(observed);
  if (exposure === 0) return observed.stable;
  return exposure === 100 ? observed.candidate : null;
}

function exposureOf({ stable, candidate, exposurePercent }: Observed): number | null {
  return exposurePercent ?? (candidate === null && stable !== null ? 0 : null);
}
