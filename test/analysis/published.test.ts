import { describe, expect, it } from 'vitest';
import { chiSquare99 } from '../../src/analysis/evidence/chi-square.ts';
import { lnBeta, lnGamma } from '../../src/analysis/evidence/gamma.ts';
import {
  concentrationFor,
  lnShareEvidence,
  lnSharesEvidence,
  shareInterval,
} from '../../src/analysis/evidence/shares.ts';
import { burnRate } from '../../src/analysis/kinds/burn.ts';
import { psi, psiAlert } from '../../src/analysis/kinds/drift.ts';
import { standOut } from './e-bh.ts';

/** Numbers from papers, textbooks and other people's test suites, each named, against the code that decides. */

/** Share of a chi-square distribution below x: the series of the incomplete gamma function (Abramowitz and Stegun 6.5.29). */
function chiSquareBelow(x: number, degrees: number): number {
  const a = degrees / 2;
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * 1e-16; n += 1) {
    term *= x / 2 / (a + n);
    sum += term;
  }
  return sum * Math.exp(a * Math.log(x / 2) - x / 2 - lnGamma(a));
}

function exactChiSquare99(degrees: number): number {
  let low = 0;
  let high = degrees * 3 + 20;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (chiSquareBelow(middle, degrees) < 0.99) low = middle;
    else high = middle;
  }
  return low;
}

describe('log-gamma', () => {
  // Burkardt's gamma_log_values, from Mathematica's Log[Gamma[x]].
  it.each([
    [0.2, 1.524063822430784],
    [0.4, 0.7966778177017837],
    [0.6, 0.3982338580692348],
    [0.8, 0.1520596783998375],
    [1, 0],
    [1.1, -0.04987244125983972],
    [1.2, -0.0853740900033158],
    [1.3, -0.1081748095078604],
    [1.4, -0.1196129141723712],
    [1.5, -0.1207822376352452],
    [1.6, -0.1125917656967557],
    [1.7, -0.09580769740706586],
    [1.8, -0.0710838729143722],
    [1.9, -0.03898427592308333],
    [2, 0],
  ])('ln Gamma(%d) is Mathematica’s', (x, value) => expect(lnGamma(x)).toBeCloseTo(value, 12));

  it('is the logarithm of factorials, and holds far out and near 0', () => {
    let factorial = 0;
    for (let n = 1; n <= 170; n += 1) {
      expect(Math.abs(lnGamma(n) - factorial)).toBeLessThan(1e-10);
      factorial += Math.log(n);
    }
    // scipy's documentation of gammaln: 2.20258509e+11 at 1e10.
    expect(lnGamma(1e10) / 1e11).toBeCloseTo(2.20258509, 8);
    expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
    expect(lnGamma(1e-9)).toBeCloseTo(-Math.log(1e-9), 8);
    expect(lnGamma(0)).toBeNaN();
  });

  it('B(2,3) is 1/12, and of three 1/2 it is 2 pi', () => {
    expect(lnBeta([2, 3])).toBeCloseTo(-Math.log(12), 12);
    expect(lnBeta([0.5, 0.5, 0.5])).toBeCloseTo(Math.log(2 * Math.PI), 12);
  });
});

describe('the .99 quantile of chi-square', () => {
  it('is the exact one to the three decimals of the NIST table, for 1 to 30 degrees', () => {
    for (let d = 1; d <= 30; d += 1) expect(Math.abs(chiSquare99(d) - exactChiSquare99(d))).toBeLessThan(6e-4);
  });

  // NIST/SEMATECH e-Handbook, section 1.3.6.7.4, beyond the table here.
  it.each([
    [31, 52.191],
    [40, 63.691],
    [50, 76.154],
    [60, 88.379],
    [70, 100.425],
    [80, 112.329],
    [90, 124.116],
    [100, 135.807],
  ])('%d degrees: within .03 of NIST’s', (degrees, value) =>
    expect(Math.abs(chiSquare99(degrees) - value)).toBeLessThan(0.03),
  );

  it('Wilson and Hilferty’s cube is off by less than .03 up to 2000 degrees', () => {
    for (const d of [31, 33, 36, 45, 64, 150, 400, 1000, 2000])
      expect(Math.abs(chiSquare99(d) - exactChiSquare99(d))).toBeLessThan(0.03);
  });

  it('rises with the degrees, also where the table ends', () => {
    for (let d = 0; d < 60; d += 1) expect(chiSquare99(d + 1)).toBeGreaterThan(chiSquare99(d));
  });
});

describe('beta-binomial confidence sequences', () => {
  // gostevehoward/confseq, uniform_boundaries_unittest.cpp: successes, trials, t_opt, at alpha .05.
  it.each([
    [15, 50, 50, 0.129556, 0.511896],
    [5, 50, 50, 0.013021, 0.269264],
    [1, 50, 50, 0, 0.13489],
    [1, 2, 50, 0, 1],
    [100, 200, 1, 0.328923, 0.671076],
    [0, 1, 50, 0, 1],
    [1, 1, 50, 0, 1],
  ])('%d of %d, tuned for %d: confseq’s', (events, trials, tuned, lower, upper) => {
    const found = shareInterval(events, trials, 0.05, concentrationFor(tuned, 0.05));
    expect(found.lower).toBeCloseTo(lower, 5);
    expect(found.upper).toBeCloseTo(upper, 5);
  });

  it('its log mixture at s = 10, v = 100, g = .2, h = .8 is confseq’s -0.6941012', () => {
    // With probability .2 a trial adds .16 to v: 625 trials, of which 125 are expected and 10 more seen.
    expect(lnShareEvidence(135, 625, 0.2, concentrationFor(625, 0.05))).toBeCloseTo(-0.6941012, 6);
  });

  // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3 (Wilson).
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])(
    '%d of %d: is wider than Wilson’s interval for one look, by no more than pays for all of them',
    (events, trials, low, high) => {
      const found = shareInterval(events, trials, 0.05, concentrationFor(trials, 0.05));
      expect(found.lower).toBeLessThanOrEqual(low);
      expect(found.upper).toBeGreaterThanOrEqual(high);
      expect(found.upper - found.lower).toBeLessThan(2.2 * (high - low));
    },
  );
});

describe('sample ratios', () => {
  it('600 and 400 of two equal groups (Wikipedia’s example, p = 2.54e-10) is not as configured', () => {
    expect(lnSharesEvidence([600, 400], [0.5, 0.5], 100)).toBeGreaterThan(Math.log(1000));
    expect(lnSharesEvidence([510, 490], [0.5, 0.5], 100)).toBeLessThan(0);
  });

  it('821,588 against 815,482 (Kohavi, Tang and Xu 2020, chapter 3, p = 1.8e-6): evidence of some hundreds', () => {
    const z = (821_588 - 815_482) / Math.sqrt(821_588 + 815_482);
    const evidence = Math.exp(lnSharesEvidence([821_588, 815_482], [0.5, 0.5], 100));
    // What looking at any time costs: p 1.8e-6 is worth less than 1/1.8e-6.
    expect(z).toBeCloseTo(4.77, 2);
    expect(evidence).toBeGreaterThan(100);
    expect(evidence).toBeLessThan(1 / 1.8e-6);
  });
});

describe('population stability index', () => {
  it('of 6 and 5 against 5 and 4 is 0.00041 (strappy 0.0.3, tests/test_psi.py)', () => {
    expect(psi([5, 4], [6, 5], 0)).toBeCloseTo(0.00041, 5);
  });

  it('is 0 between equals, the same both ways, and finite where a bin is empty', () => {
    expect(psi([10, 20, 30], [100, 200, 300], 0)).toBe(0);
    expect(psi([1, 9], [5, 5])).toBeCloseTo(psi([5, 5], [1, 9]), 12);
    expect(psi([0, 100], [50, 50])).toBeLessThan(10);
  });

  it('alerts from .25 on, or where (1/N+1/M) chi-square is more (Yurdakul 2018, with 10 bins)', () => {
    expect(psiAlert(10_000, 10_000, 10)).toBe(0.25);
    expect(psiAlert(100, 100, 10)).toBeCloseTo(0.02 * 21.666, 10);
  });
});

describe('burn rates of The Site Reliability Workbook, chapter 5', () => {
  const DAY = 86_400_000;
  // Table 5-4: burn rates and time to complete budget exhaustion.
  it.each([
    [1, 30 * DAY],
    [2, 15 * DAY],
    [10, 3 * DAY],
    [1000, 43.2 * 60_000],
  ])('%d uses the whole budget of 30 days up in %d ms', (rate, withinMs) =>
    expect(burnRate(1, withinMs, 30 * DAY)).toBeCloseTo(rate, 9),
  );

  it('5 % in an hour is a rate of 36', () => expect(burnRate(0.05, 3_600_000, 30 * DAY)).toBeCloseTo(36, 9));
});

describe('e-BH', () => {
  it('names one of one from 1/rate on', () => {
    expect(standOut([10], 0.1)).toEqual([0]);
    expect(standOut([9.99], 0.1)).toEqual([]);
    expect(standOut([], 0.1)).toEqual([]);
  });

  it('several that are less sure each stand out together, in any order', () => {
    // Of four, two have to reach 4/(.1 * 2) = 20.
    expect(standOut([1, 21, 0.5, 25], 0.1)).toEqual([1, 3]);
    expect(standOut([1, 21, 0.5, 19], 0.1)).toEqual([]);
  });
});
