import type { CountWindow } from '../types.ts';
import { BETS, mixBets } from './bets.ts';
import { redundancy } from './dispersion.ts';
import { NOISE_UNKNOWN } from './noise.ts';
import { mixRestarts } from './restarts.ts';

/**
 * The ratio test against totals known beforehand (analysis.md): xb events of an exposure nb, once, against windows xc of nc.
 *
 * Both counted without more than counting noise, at rates u and r u: given how many events there are together, xc of them are the
 * candidate's with probability r nc/(nb + r nc), whatever u is, so that
 *   ln LR(r) = xc ln r - (xc + xb) ln((nb + r nc)/(nb + nc)),
 * which is also what is left when u is integrated out over du/u. Evidence is the ratio of two of them, LR(r0 g)/LR(r0): the baseline
 * is in it once, with the uncertainty of one sample, however long the candidate is looked at. Its mean is at most 1 at every moment;
 * that it may be looked at at any moment holds exactly for normal counts and is shown by simulation for small ones.
 *
 * phi and kappa temper it as in ratio.ts: a window counts for 1/phi of itself, and so does the baseline, as if it had been read in
 * windows of the candidate's size; the whole is divided by kappa.
 */

/** With this many windows before it a restart trusts what they said about scatter. */
const PREFIX_WINDOWS = 12;

export interface Totals {
  readonly events: number;
  readonly exposure: number;
}

export interface FixedTest {
  /** What the windows of every copy of the test are worth together; more than one: mixed. */
  readonly copies: readonly Totals[];
  readonly baseline: Totals;
  /** kappa of every copy. */
  readonly scatter: readonly number[];
}

/** `starts`: first window of every copy; null: one run over everything, not mixed. */
export function fixedTest(
  windows: readonly CountWindow[],
  baseline: Totals,
  starts: readonly number[] | null,
): FixedTest {
  const all = totalsOf(windows);
  const exposure = all.exposure + baseline.exposure;
  const rate = exposure > 0 ? (all.events + baseline.events) / exposure : 0;
  const phi = (size: number) => 1 + NOISE_UNKNOWN ** 2 * rate * size;
  const worth = windows.map((w) => scaled(w, 1 / phi(w.exposure)));
  const size = windows.length > 0 ? all.exposure / windows.length : 0;
  const at = starts ?? [0];
  return {
    copies: at.map((start) => totalsOf(worth, start)),
    baseline: scaled(baseline, 1 / phi(Math.min(size, baseline.exposure))),
    scatter: at.map((start) => {
      const own = excessScatter(windows, phi, start, windows.length);
      return start >= PREFIX_WINDOWS ? Math.max(own, excessScatter(windows, phi, 0, start)) : own;
    }),
  };
}

/** The same test with `allowance` events per exposure added to one side: evidence at ratio 1 is then about the difference. */
export function withFixedAllowance(test: FixedTest, to: 'baseline' | 'candidate', allowance: number): FixedTest {
  const more = (t: Totals): Totals => ({ events: t.events + allowance * t.exposure, exposure: t.exposure });
  return to === 'baseline'
    ? { ...test, baseline: more(test.baseline) }
    : { ...test, copies: test.copies.map((copy) => more(copy)) };
}

/**
 * Natural log of the evidence that candidate/baseline is `above` or `below` `ratio`.
 * `mixed`: over the restarts; otherwise the run over everything alone.
 */
export function lnFixedEvidence(test: FixedTest, ratio: number, side: 'above' | 'below', mixed: boolean): number {
  const copies = mixed ? test.copies : test.copies.slice(0, 1);
  const each = copies.map((copy, k) => {
    const kappa = test.scatter[k] ?? 1;
    return mixBets(BETS.map((bet) => lnBet(copy, test.baseline, ratio, side === 'above' ? bet : 1 / bet) / kappa));
  });
  return mixed ? mixRestarts(each) : (each[0] ?? 0);
}

/** ln LR(ratio * g) - ln LR(ratio). */
function lnBet(candidate: Totals, baseline: Totals, ratio: number, g: number): number {
  const together = candidate.events + baseline.events;
  if (!(together > 0 && candidate.exposure > 0 && baseline.exposure > 0)) return 0;
  const weight = ratio * candidate.exposure;
  return (
    candidate.events * Math.log(g) -
    together * Math.log((baseline.exposure + g * weight) / (baseline.exposure + weight))
  );
}

/** By how much the windows [from, to) scatter more about their own mean than phi allows for (analysis.md: kappa). */
function excessScatter(
  windows: readonly CountWindow[],
  phi: (size: number) => number,
  from: number,
  to: number,
): number {
  const n = to - from;
  if (n < 6) return 1;
  const own = windows.slice(from, to);
  const { events, exposure } = totalsOf(own);
  if (!(exposure > 0)) return 1;
  const mean = (events + 0.5) / exposure;
  let squares = 0;
  const residuals = own.map((w) => {
    const expected = mean * w.exposure;
    const residual = (w.events - expected) / Math.sqrt(Math.max(expected * phi(w.exposure), 0.25));
    squares += residual * residual;
    return residual;
  });
  const kappa = (squares / (n - 1)) * redundancy(residuals);
  return Number.isFinite(kappa) ? Math.max(1, kappa) : 1e12;
}

function totalsOf(windows: readonly Totals[], from = 0): Totals {
  let events = 0;
  let exposure = 0;
  for (let i = from; i < windows.length; i += 1) {
    events += windows[i]?.events ?? 0;
    exposure += windows[i]?.exposure ?? 0;
  }
  return { events, exposure };
}

function scaled(t: Totals, by: number): Totals {
  return { events: t.events * by, exposure: t.exposure * by };
}
