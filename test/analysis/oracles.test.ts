import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BETS, mixBets } from '../../src/analysis/evidence/bets.ts';
import { chiSquare99 } from '../../src/analysis/evidence/chi-square.ts';
import { lnGamma } from '../../src/analysis/evidence/gamma.ts';
import { forgetful } from '../../src/analysis/evidence/memory.ts';
import { lnEvidence, ratioTest, runFrom } from '../../src/analysis/evidence/ratio.ts';
import { concentrationFor, lnSharesEvidence, shareInterval } from '../../src/analysis/evidence/shares.ts';
import { burnRate } from '../../src/analysis/kinds/burn.ts';
import { psi } from '../../src/analysis/kinds/drift.ts';
import { quantile } from '../../src/analysis/kinds/latency.ts';
import { lnMixtureT, mixtureRadius } from '../../src/analysis/kinds/level.ts';
import { shiftedZ } from '../bench/methods/mann-whitney.ts';
import { normalCdf } from '../bench/traffic.ts';
import { standOut } from './e-bh.ts';
import { type CountPair, hasOracles, oracle, oracleIds, pairsOf } from './support.ts';

/**
 * Every row of the published numbers beside this repository (`../shared/oracles/analysis.json`) against production code where it
 * has it. Numbers looked up in other publications are in published.test.ts.
 */

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

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Normal mixtures of Howard et al.: production bets on counts and on t statistics, so these are written here, for comparison alone. */
function bestRho(v: number, alpha: number): number {
  const twice = 2 * Math.log(1 / alpha);
  return v / (twice + Math.log1p(twice));
}
const twoSided = (s: number, v: number, rho: number) => 0.5 * Math.log(rho / (v + rho)) + (s * s) / (2 * (v + rho));
const oneSided = (s: number, v: number, rho: number) =>
  twoSided(s, v, rho) + Math.log(2) + Math.log(normalCdf(s / Math.sqrt(v + rho)));
/** Where a rising function of s reaches ln(1/alpha). */
function boundary(f: (s: number) => number, alpha: number): number {
  let low = 0;
  let high = 1000;
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (f(middle) < Math.log(1 / alpha)) low = middle;
    else high = middle;
  }
  return low;
}

describe.skipIf(!hasOracles)('published numbers (skipped: ../shared is missing)', () => {
  it('confseq-two-sided: the normal mixture (written here), and the tuning production shares with it', () => {
    const { log_mixture: mixture, bound, best_rho: rho } = oracle('confseq-two-sided');
    expect(bestRho(100, 0.05)).toBeCloseTo(rho!, 5);
    expect(concentrationFor(100, 0.05) + 1).toBeCloseTo(rho!, 5);
    expect(twoSided(10, 100, bestRho(100, 0.05))).toBeCloseTo(mixture!, 6);
    expect(boundary((s) => twoSided(s, 100, bestRho(100, 0.05)), 0.05)).toBeCloseTo(bound!, 5);
  });

  it('confseq-one-sided: the normal mixture (written here)', () => {
    const { log_mixture: mixture, bound } = oracle('confseq-one-sided');
    const rho = bestRho(100, 0.1);
    expect(oneSided(10, 100, rho)).toBeCloseTo(mixture!, 6);
    expect(boundary((s) => oneSided(s, 100, rho), 0.05)).toBeCloseTo(bound!, 5);
  });

  it('confseq-bernoulli: the confidence sequence objectives are judged by', () => {
    const { lower, upper } = shareInterval(700, 1000, 0.05, concentrationFor(100, 0.05));
    expect(lower).toBeCloseTo(oracle('confseq-bernoulli').lower!, 5);
    expect(upper).toBeCloseTo(oracle('confseq-bernoulli').upper!, 5);
  });

  it('savvi-multinomial: the sample ratio test', () => {
    const ln = lnSharesEvidence([40, 129, 233], [0.1, 0.4, 0.5], 100);
    expect(Math.min(1, Math.exp(-ln))).toBeCloseTo(oracle('savvi-multinomial').p!, 10);
  });

  it('scipy-kl: PSI is both divergences together', () => {
    const kl = (p: number[], q: number[]) => p.reduce((sum, at, i) => sum + at * Math.log(at / q[i]!), 0);
    const { kl: there, reversed, psi: both } = oracle('scipy-kl');
    expect(kl([0.5, 0.5], [0.9, 0.1])).toBeCloseTo(there!, 12);
    expect(kl([0.9, 0.1], [0.5, 0.5])).toBeCloseTo(reversed!, 12);
    expect(psi([50, 50], [90, 10], 0)).toBeCloseTo(both!, 9);
    expect(psi([0.5, 0.5], [0.9, 0.1], 0)).toBeCloseTo(there! + reversed!, 12);
  });

  it('r-qchisq: the table of the drift alert', () => {
    expect(Math.abs(chiSquare99(9) - oracle('r-qchisq').value!)).toBeLessThan(5e-4);
  });

  it('bh-1995: Benjamini and Hochberg, Bonferroni (written here) and e-BH (production)', () => {
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    const { bh, bonferroni, e_bh: eBh } = oracle('bh-1995');
    expect(p.findLastIndex((at, i) => at <= (0.05 * (i + 1)) / p.length) + 1).toBe(bh);
    expect(p.filter((at) => at <= 0.05 / p.length)).toHaveLength(bonferroni!);
    const e = p.map((at) => 1 / at);
    expect(standOut(e, 0.05)).toEqual([0, 1, 2, 3]);
    expect(standOut(e, 0.05)).toHaveLength(eBh!);
    expect(standOut(e.toReversed(), 0.05)).toEqual([11, 12, 13, 14]);
  });

  it('sre-burn: the thresholds of burning budgets', () => {
    expect(burnRate(0.02, HOUR, 30 * DAY)).toBeCloseTo(oracle('sre-burn')['1h']!, 12);
    expect(burnRate(0.05, 6 * HOUR, 30 * DAY)).toBeCloseTo(oracle('sre-burn')['6h']!, 12);
    expect(burnRate(0.1, 3 * DAY, 30 * DAY)).toBeCloseTo(oracle('sre-burn')['3d']!, 12);
  });

  it('scipy-mannwhitney: the bench’s repeated test, and U and its exact p counted out here', () => {
    const x = [16, 19, 22, 24, 29];
    const y = [11, 12, 17, 20];
    const { U, exact, asymptotic } = oracle('scipy-mannwhitney');
    expect(2 * (1 - normalCdf(shiftedZ(x, y, 0)))).toBeCloseTo(asymptotic!, 9);
    const u = (of: number[], others: number[]) =>
      of.reduce((sum, at) => sum + others.filter((other) => other < at).length, 0);
    expect(u(x, y)).toBe(U);
    const all = [...x, ...y];
    let asFar = 0;
    let ways = 0;
    for (let chosen = 0; chosen < 2 ** 9; chosen += 1) {
      const of = all.filter((_, i) => (chosen >> i) & 1);
      if (of.length !== 5) continue;
      ways += 1;
      if (
        Math.abs(
          u(
            of,
            all.filter((_, i) => !((chosen >> i) & 1)),
          ) - 10,
        ) >=
        U! - 10
      )
        asFar += 1;
    }
    expect(asFar / ways).toBeCloseTo(exact!, 9);
  });

  it('every row is asked for by some test of this repository', () => {
    const root = new URL('../', import.meta.url);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
    const all = files.map((name) => readFileSync(new URL(name, root), 'utf8')).join('\n');
    expect(oracleIds().filter((id) => !all.includes(`oracle('${id}')`))).toEqual([]);
  });

  it('log-gamma is R’s lgamma', () => {
    expect(lnGamma(100.5)).toBeCloseTo(oracle('r-lgamma').value!, 10);
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
  it('is the weighted mean of the bets’ likelihood ratios, tempered by phi', () => {
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
          const rho = percent / 100;
          const phi = 1 + 0.09 * (xc + xs) * Math.max(rho, 2 * rho * (1 - rho));
          const expected = mixBets(BETS.map((g) => lnOneBet(one, ratio, g) / phi));
          const test = ratioTest(pairsOf([one]), [0], { noise: null, memory: forgetful });
          expect(lnEvidence(runFrom(test, 0, null), ratio, 'worse')).toBeCloseTo(expected, 6);
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
