/**
 * The alternatives that are bet on, as multiples of the ratio asked about, and what each weighs. Most that goes wrong makes things
 * half again to three times as bad: there the weights are. (analysis.md bets on twelve alike; fewer cost less and find as much.)
 */
const TABLE: readonly (readonly [factor: number, weight: number])[] = [
  [1.1, 0.06],
  [1.2, 0.1],
  [1.35, 0.16],
  [1.6, 0.2],
  [2, 0.18],
  [2.5, 0.12],
  [3.5, 0.09],
  [5, 0.06],
  [10, 0.03],
];

export const BETS: readonly number[] = TABLE.map(([factor]) => factor);
const LN_WEIGHTS: readonly number[] = TABLE.map(([, weight]) => Math.log(weight));

/** ln of the weighted mean of e^values, one value a bet; 0 where nothing was bet on. */
export function mixBets(lnEach: readonly number[]): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let b = 0; b < LN_WEIGHTS.length; b += 1) top = Math.max(top, (lnEach[b] ?? 0) + (LN_WEIGHTS[b] ?? 0));
  let sum = 0;
  for (let b = 0; b < LN_WEIGHTS.length; b += 1) sum += Math.exp((lnEach[b] ?? 0) + (LN_WEIGHTS[b] ?? 0) - top);
  return top + Math.log(sum);
}
