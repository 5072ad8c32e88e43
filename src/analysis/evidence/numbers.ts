/** Small arithmetic the tests share: everything evidence is computed in natural logarithms, so that nothing overflows. */

/** ln(e^a + e^b + …); -Infinity for an empty list. */
export function logSumExp(values: readonly number[]): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const v of values) if (v > top) top = v;
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (const v of values) sum += Math.exp(v - top);
  return top + Math.log(sum);
}

/** ln of the mean of e^values: the average of e-values is an e-value. 0 (no evidence) for an empty list. */
export function logMeanExp(values: readonly number[]): number {
  return values.length === 0 ? 0 : logSumExp(values) - Math.log(values.length);
}

/** e^ln, kept finite: what is stored as JSON must not be Infinity (e^700 is about 1e304). */
export function finiteExp(ln: number): number {
  return Math.exp(Math.min(ln, 700));
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** A point of a function. */
interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Where a monotone function crosses zero between two points of different signs.
 * Illinois' regula falsi: bisection's safety in about a fifth of its steps, and a step here is a pass over all windows.
 */
function crossing(f: (x: number) => number, left: Point, right: Point, tolerance: number): number {
  let a = left;
  let b = right;
  for (let step = 0; step < 80 && Math.abs(b.x - a.x) > tolerance; step += 1) {
    const secant = b.x - (b.y * (b.x - a.x)) / (b.y - a.y);
    const x = secant > Math.min(a.x, b.x) && secant < Math.max(a.x, b.x) ? secant : (a.x + b.x) / 2;
    const y = f(x);
    // In logarithms of evidence: a hundredth is nothing.
    if (Math.abs(y) < 0.01) return x;
    a = Math.sign(y) === Math.sign(b.y) ? { x: a.x, y: a.y / 2 } : b;
    b = { x, y };
  }
  return (a.x + b.x) / 2;
}

/**
 * Walks from `start` in growing steps until `f` is no longer negative, then returns the crossing; null where it stays negative
 * up to `end`. `step` carries the direction in its sign.
 */
export function crossingFrom(
  f: (x: number) => number,
  start: number,
  step: number,
  end: number,
  tolerance: number,
): number | null {
  let near: Point = { x: start, y: f(start) };
  if (near.y >= 0) return start;
  for (let stride = step; near.x !== end; stride *= 2) {
    const x = near.x + stride;
    const far = (step < 0 ? x <= end : x >= end) ? end : x;
    const y = f(far);
    if (y >= 0) return crossing(f, { x: far, y }, near, tolerance);
    near = { x: far, y };
  }
  return null;
}
