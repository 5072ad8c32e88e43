/**
 * Which of several e-values stand out when it is accepted that the share `rate` of those named is named wrongly: the largest k for
 * which the k-th largest is at least n/(rate k) (Wang and Ramdas, "False discovery rate control with e-values", 2022). The
 * e-values may depend on each other in any way. Returns their indices, in the order given.
 */
export function standOut(eValues: readonly number[], rate: number): number[] {
  const order = eValues.map((_, i) => i).sort((a, b) => (eValues[b] ?? 0) - (eValues[a] ?? 0));
  const count = order.findLastIndex((at, i) => (eValues[at] ?? 0) * rate * (i + 1) >= eValues.length * (1 - 1e-12)) + 1;
  return order.slice(0, count).sort((a, b) => a - b);
}
