import { lnBeta } from './gamma.ts';

/**
 * Evidence about shares of a whole that may be looked at at any time: the Dirichlet-multinomial mixture of Lindon and Malek
 * ("Anytime-valid inference for multinomial count data", 2022). With two categories it is the beta-binomial mixture of Howard,
 * Ramdas, McAuliffe and Sekhon ("Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021).
 */

/** ln of the evidence that `counts` do not come in these `shares` (which sum to 1). A share of 0 or 1 cannot be bet against. */
export function lnSharesEvidence(counts: readonly number[], shares: readonly number[], concentration: number): number {
  const prior = shares.map((share) => concentration * share);
  let expected = 0;
  counts.forEach((count, i) => {
    if (count > 0) expected += count * Math.log(shares[i] ?? 0);
  });
  return lnBeta(prior.map((a, i) => a + (counts[i] ?? 0))) - lnBeta(prior) - expected;
}

/** ln of the evidence that `events` of `trials` do not come with probability `share`, 0 < share < 1. */
export function lnShareEvidence(events: number, trials: number, share: number, concentration: number): number {
  return lnSharesEvidence([events, Math.max(0, trials - events)], [share, 1 - share], concentration);
}

/** The concentration at which a confidence sequence is narrowest after `trials` (Howard et al., as their confseq tunes it). */
export function concentrationFor(trials: number, alpha: number): number {
  const twice = 2 * Math.log(1 / alpha);
  return Math.max(trials / (twice + Math.log1p(twice)) - 1, 1e-3);
}

/** Shares are asked about no nearer to 0 and 1 than this. */
const EDGE = 1e-12;

/** The shares that `events` of `trials` do not rule out: a two-sided confidence sequence, valid at any time it is looked at. */
export function shareInterval(
  events: number,
  trials: number,
  alpha: number,
  concentration: number,
): { readonly lower: number; readonly upper: number } {
  const seen = trials > 0 ? events / trials : 0.5;
  const needed = -Math.log(alpha);
  const isRuledOut = (share: number) => lnShareEvidence(events, trials, share, concentration) >= needed;
  return { lower: edgeBetween(EDGE, seen, isRuledOut), upper: edgeBetween(1 - EDGE, seen, isRuledOut) };
}

/** Where ruling out ends on the way from `far` to `near`; 0 or 1 where not even the far end is ruled out. */
function edgeBetween(far: number, near: number, isRuledOut: (share: number) => boolean): number {
  if (!isRuledOut(far)) return Math.round(far);
  let out = far;
  let within = near;
  for (let step = 0; step < 60; step += 1) {
    const middle = (out + within) / 2;
    if (isRuledOut(middle)) out = middle;
    else within = middle;
  }
  return (out + within) / 2;
}
