/** Payments are drawn evenly from 0 to this, and so they were when the models were trained. */
const MOST_AMOUNT = 500;
const BINS = 10;
/** What it was given earlier counts no more: a model without traffic has no index, and one made well again soon a small one. */
const KEPT = 400;
const KEPT_MS = 12_000;
/** Of fewer the index is mostly noise: about (BINS - 1) / n. */
const LEAST = 150;

/** The population stability index of what a model is given, against what it was trained with: the usual measure of drift. */
export interface Stability {
  take(amount: number): void;
  /** Above 0.25 counts as a significant shift; null: too few payments were seen. */
  index(): number | null;
}

export function createStability(now: () => number = () => performance.now()): Stability {
  let seen: { readonly bin: number; readonly atMs: number }[] = [];
  return {
    take(amount) {
      seen.push({ bin: binOf(amount), atMs: now() });
      if (seen.length > 2 * KEPT) seen = seen.slice(-KEPT);
    },
    index() {
      const fromMs = now() - KEPT_MS;
      seen = seen.slice(-KEPT).filter(({ atMs }) => atMs >= fromMs);
      if (seen.length < LEAST) return null;
      const counts = Array.from({ length: BINS }, () => 0);
      for (const { bin } of seen) counts[bin] = (counts[bin] ?? 0) + 1;
      return psi(counts);
    },
  };
}

/** Half an observation is added to every bin, so that an empty one does not make it infinite. */
function psi(counts: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count + 0.5, 0);
  const expected = 1 / counts.length;
  return counts.reduce((sum, count) => {
    const share = (count + 0.5) / all;
    return sum + (share - expected) * Math.log(share / expected);
  }, 0);
}

function binOf(amount: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor((amount / MOST_AMOUNT) * BINS)));
}
