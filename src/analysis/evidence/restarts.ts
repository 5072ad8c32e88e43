/** A test that began long ago is slow to see what began just now: it is begun anew this often (analysis.md). */
const RESTART_EVERY_MS = 15 * 60_000;
/** Of a look over days there are not more copies than this: they are begun less often then. */
const MOST_COPIES = 16;

/**
 * Indices at which a copy of the test begins: 0, at every step of the rollout, and every 15 minutes.
 * `ends` are the windows' ends, rising, of which the first `count` are meant; a window belongs to a begin that lies before its end.
 */
export function restartIndices(
  ends: readonly number[],
  fromMs: number,
  toMs: number,
  stepsAtMs: readonly number[],
  count = ends.length,
): number[] {
  const everyMs =
    RESTART_EVERY_MS * 2 ** Math.ceil(Math.log2(Math.max(1, (toMs - fromMs) / RESTART_EVERY_MS / MOST_COPIES)));
  const indices = [0];
  for (const at of stepsAtMs) if (at > fromMs && at < toMs) insert(firstAfter(ends, count, at), count, indices);
  let begun = stepsAtMs.length;
  for (let at = fromMs + everyMs; at < toMs && begun < 10_000; at += everyMs) {
    if (at > fromMs) insert(firstAfter(ends, count, at), count, indices);
    begun += 1;
  }
  return indices;
}

/** The first window that ended after a moment; `count`: none did. */
function firstAfter(ends: readonly number[], count: number, atMs: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Each once, rising. */
function insert(index: number, count: number, indices: number[]): void {
  if (index >= count) return;
  let at = indices.length;
  while (at > 0 && (indices[at - 1] ?? 0) > index) at -= 1;
  if (indices[at - 1] === index) return;
  for (let k = indices.length; k > at; k -= 1) indices[k] = indices[k - 1] ?? 0;
  indices[at] = index;
}

/** What the first copy, over everything, weighs: most regressions begin with the rollout. */
const FIRST = 0.7;

/**
 * One evidence from all copies: FIRST * E_0 + (1 - FIRST) * (sum over k >= 1 of E_k/(k(k+1)) + 1/K). The weights sum to 1, and
 * what is kept back pays for the copies still to come. (analysis.md gives the first copy a half; more of it finds what began with the
 * rollout sooner, and what began an hour later hardly later.)
 */
export function mixRestarts(lnEach: readonly number[]): number {
  const keptBack = Math.log((1 - FIRST) / Math.max(1, lnEach.length));
  let top = keptBack;
  for (let k = 0; k < lnEach.length; k += 1) top = Math.max(top, lnTerm(lnEach, k));
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (let k = 0; k < lnEach.length; k += 1) sum += Math.exp(lnTerm(lnEach, k) - top);
  return top + Math.log(sum + Math.exp(keptBack - top));
}

/** ln of what copy k brings to the mixture. */
function lnTerm(lnEach: readonly number[], k: number): number {
  return (lnEach[k] ?? 0) + (LN_WEIGHTS[k] ?? lnWeight(k));
}

function lnWeight(k: number): number {
  return Math.log(k === 0 ? FIRST : (1 - FIRST) / (k * (k + 1)));
}

const LN_WEIGHTS: readonly number[] = Array.from({ length: MOST_COPIES }, (_, k) => lnWeight(k));
