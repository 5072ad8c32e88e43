import type { Counts } from '../arms/counts.ts';
import { lagOneCorrelation } from './dispersion.ts';
import type { Room } from './room.ts';

/**
 * How much an arm scatters by itself, learned from stable's own past: what the test has to allow for beyond counting noise.
 * Without it every window is allowed a coefficient of variation of 0.3, which costs calm services most of their evidence: at 90
 * events a window four fifths of it.
 */

/** Coefficient of variation that is allowed to each window and arm where nothing is known (analysis.md: cv0). */
export const NOISE_UNKNOWN = 0.3;
/** Nobody is known to be calmer than this: an hour of calm is no promise. */
const NOISE_LEAST = 0.1;
/** What is learned is rounded up to such steps, so that it seldom changes from one look to the next. */
const NOISE_STEP = 0.025;
/** With fewer windows, or fewer events in all of them, nothing is learned. */
const FEWEST_WINDOWS = 12;
const FEWEST_EVENTS = 20;
/** One-sided 95 %. */
const Z95 = 1.645;

/**
 * The squared coefficient of variation to allow for, autocorrelation included: an upper bound (95 %) of what the past shows, but no
 * more than is allowed where nothing is known, unless the past itself shows more. Null: too little to learn from.
 */
export function learnNoise(past: Counts, room: Room): number | null {
  let n = 0;
  let events = 0;
  let exposure = 0;
  for (let i = 0; i < past.length; i += 1) {
    if (!((past.exposure[i] ?? 0) > 0)) continue;
    n += 1;
    events += past.events[i] ?? 0;
    exposure += past.exposure[i] ?? 0;
  }
  if (n < FEWEST_WINDOWS || events < FEWEST_EVENTS) return null;
  const rate = events / exposure;
  const residuals = room.brief(n);
  let squares = 0;
  let at = 0;
  for (let i = 0; i < past.length; i += 1) {
    const size = past.exposure[i] ?? 0;
    if (!(size > 0)) continue;
    const residual = ((past.events[i] ?? 0) - rate * size) / Math.sqrt(Math.max(rate * size, 0.25));
    residuals[at] = residual;
    squares += residual * residual;
    at += 1;
  }
  const dispersion = squares / (n - 1);
  const a = lagOneCorrelation(residuals, n);
  const lasting = (dispersion * (1 + a)) / (1 - a);
  // Standard error of a variance estimated from n values of an AR(1) sequence.
  const error = Math.sqrt((2 / (n - 1)) * ((1 + a * a) / (1 - a * a)));
  const mean = events / n;
  const shown = Math.max(0, lasting - 1) / mean;
  const most = Math.max(0, lasting * (1 + Z95 * error) - 1) / mean;
  const allowed = Math.max(NOISE_LEAST ** 2, Math.min(most, Math.max(NOISE_UNKNOWN ** 2, shown)));
  return (Math.ceil(Math.sqrt(allowed) / NOISE_STEP - 1e-9) * NOISE_STEP) ** 2;
}
