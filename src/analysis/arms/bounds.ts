/** Half a bucket of a native histogram at its resolution of powers of two: what a bound may be away from the one it stands for. */
const NEAR = Math.SQRT2 * (1 + 1e-9);

/**
 * Which of the bucket bounds there are stand for those the policy names: the nearest to each, by ratio. Buckets of native
 * histograms lie where they lie. It names none: every finite one.
 */
export function boundsAskedFor(bounds: readonly number[], asked: readonly number[]): ReadonlySet<number> {
  const finite = bounds.filter(Number.isFinite);
  if (asked.length === 0) return new Set(finite);
  return new Set(asked.flatMap((one) => nearestTo(one, finite) ?? []));
}

function nearestTo(asked: number, bounds: readonly number[]): number | null {
  let nearest: number | null = null;
  let least = NEAR;
  for (const bound of bounds) {
    if (bound === asked) return bound;
    const ratio = bound > 0 && asked > 0 ? Math.max(bound / asked, asked / bound) : Number.POSITIVE_INFINITY;
    if (ratio > least) continue;
    nearest = bound;
    least = ratio;
  }
  return nearest;
}
