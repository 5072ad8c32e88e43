import { logSumExp } from './numbers.ts';

/** A test that began long ago is slow to see what began just now: it is begun anew this often (analysis.md). */
const RESTART_EVERY_MS = 15 * 60_000;
/** Of a look over days there are not more copies than this: they are begun less often then. */
const MOST_COPIES = 16;

/**
 * Indices at which a copy of the test begins: 0, at every step of the rollout, and every 15 minutes.
 * `ends` are the windows' ends, rising; a window belongs to a begin that lies before its end.
 */
export function restartIndices(
  ends: readonly number[],
  fromMs: number,
  toMs: number,
  stepsAtMs: readonly number[],
): number[] {
  const begins = [...stepsAtMs];
  const everyMs =
    RESTART_EVERY_MS * 2 ** Math.ceil(Math.log2(Math.max(1, (toMs - fromMs) / RESTART_EVERY_MS / MOST_COPIES)));
  for (let at = fromMs + everyMs; at < toMs && begins.length < 10_000; at += everyMs) begins.push(at);
  begins.sort((a, b) => a - b);
  const indices = [0];
  let index = 0;
  for (const at of begins) {
    if (!(at > fromMs && at < toMs)) continue;
    while (index < ends.length && (ends[index] ?? 0) <= at) index += 1;
    if (index > (indices.at(-1) ?? 0) && index < ends.length) indices.push(index);
  }
  return indices;
}

/** What the first copy, over everything, weighs: most regressions begin with the rollout. */
const FIRST = 0.7;

/**
 * One evidence from all copies: FIRST * E_0 + (1 - FIRST) * (sum over k >= 1 of E_k/(k(k+1)) + 1/K). The weights sum to 1, and
 * what is kept back pays for the copies still to come. (analysis.md gives the first copy a half; more of it finds what began with the
 * rollout sooner, and what began an hour later hardly later.)
 */
export function mixRestarts(lnEach: readonly number[]): number {
  const terms = lnEach.map((ln, k) => ln + Math.log(k === 0 ? FIRST : (1 - FIRST) / (k * (k + 1))));
  terms.push(Math.log((1 - FIRST) / Math.max(1, lnEach.length)));
  return logSumExp(terms);
}
