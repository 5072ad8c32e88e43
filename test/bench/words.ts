import type { MethodSummary } from './summary.ts';

/** How numbers are written in what the command prints. */

export function wrongText(m: MethodSummary): string {
  return `${percent(m.wrong)} (${percent(m.wrongLow)}–${percent(m.wrongHigh)})`;
}

export function foundText(m: MethodSummary): string {
  return `${minutes(m.medianDelay)} / ${minutes(m.p90Delay)}  ${wholePercent(m.found ?? 0).padStart(5)}`;
}

/** One decimal below ten; 0 and 100 only where none or all of the runs are meant. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0 || value === 100) return String(value);
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

export function wholePercent(share: number): string {
  return `${share > 0.99 && share < 1 ? '>99' : share > 0 && share < 0.01 ? '<1' : Math.round(share * 100)} %`;
}

export function minutes(value: number | null): string {
  return value === null ? '–' : String(value);
}
