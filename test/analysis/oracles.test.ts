import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CountPair } from '../../src/analysis/arms/windows.ts';
import { BETS, lnEvidence, ratioTest } from '../../src/analysis/evidence/ratio.ts';
import { lnMixtureT, mixtureRadius } from '../../src/analysis/kinds/gauge.ts';
import { quantile } from '../../src/analysis/kinds/latency.ts';
import { hasOracles, oracle } from './support.ts';

/** Log-gamma (Lanczos, g = 7, n = 9), so that the ratio test is checked against a binomial written independently of it. */
function lnGamma(x: number): number {
  const c = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const y = x - 1;
  const t = y + 7.5;
  let sum = c[0]!;
  for (let i = 1; i < c.length; i += 1) sum += c[i]! / (y + i);
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}

function lnBinomial(k: number, n: number, p: number): number {
  return lnGamma(n + 1) - lnGamma(k + 1) - lnGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p);
}

const pair: CountPair = {
  endMs: 30_000,
  suspectEvents: 62,
  suspectExposure: 200,
  referenceEvents: 148,
  referenceExposure: 800,
};

/** The test without phi, as the papers have it: what a bet of factor g alone gives. */
function lnOneBet(p: CountPair, ratio: number, g: number): number {
  const rho = p.suspectExposure / (p.suspectExposure + p.referenceExposure);
  const theta = (r: number) => (rho * r) / (1 - rho + rho * r);
  const m = p.suspectEvents + p.referenceEvents;
  return lnBinomial(p.suspectEvents, m, theta(ratio * g)) - lnBinomial(p.suspectEvents, m, theta(ratio));
}

describe.skipIf(!hasOracles)('published numbers (skipped: ../shared is missing)', () => {
  it('log-gamma is R’s lgamma', () => {
    expect(lnGamma(100.5)).toBeCloseTo(oracle('r-lgamma').value!, 8);
  });

  it('one bet of the ratio test is R’s ratio of binomial likelihoods', () => {
    expect(lnOneBet(pair, 1, 2)).toBeCloseTo(oracle('r-dbinom-lr').log_lr!, 8);
  });

  it('the t mixture is avlm’s anytime-valid p of mpg ~ wt + hp', () => {
    const p = Math.min(1, Math.exp(-lnMixtureT(-3.51871191, 32, 29)));
    expect(p).toBeCloseTo(oracle('avlm-mtcars').p!, 8);
  });

  it('the t radius is avlm’s', () => {
    expect(mixtureRadius(0.05, 10, 9)).toBeCloseTo(oracle('avlm-radius').radius!, 7);
  });

  it('quantiles are those of Prometheus', () => {
    const buckets = [
      { bound: 0.1, count: 5 },
      { bound: 0.2, count: 7 },
      { bound: 1, count: 11 },
      { bound: Number.POSITIVE_INFINITY, count: 12 },
    ];
    for (const [share, value] of Object.entries(oracle('prom-quantile'))) {
      expect(quantile(Number(share), buckets)).toBeCloseTo(value, 9);
    }
  });
});

describe('the ratio test against an independent binomial', () => {
  it('is the mean of the bets’ likelihood ratios, tempered by phi', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        (xc, xs, percent, ratio) => {
          const one: CountPair = {
            endMs: 1,
            suspectEvents: xc,
            suspectExposure: percent * 10,
            referenceEvents: xs,
            referenceExposure: 1000 - percent * 10,
          };
          const phi = 1 + 0.09 * (xc + xs) * (percent / 100);
          const bets = BETS.map((g) => lnOneBet(one, ratio, g) / phi);
          const top = Math.max(...bets);
          const expected = top + Math.log(bets.reduce((sum, bet) => sum + Math.exp(bet - top), 0) / BETS.length);
          expect(lnEvidence(ratioTest([one], null), ratio, 'worse', false)).toBeCloseTo(expected, 6);
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  it('a t of the radius has exactly the evidence it stands for', () => {
    const radius = mixtureRadius(0.01, 40, 39)!;
    expect(Math.exp(lnMixtureT(radius, 40, 39))).toBeCloseTo(100, 6);
  });
});
