import { RATIO_CAP } from '../evidence/ratio.ts';
import type { Metric } from '../types.ts';

/** How numbers are written in a metric's sentence. */

/** A metric's own numbers, in its unit or in per cent. */
export interface Measured {
  readonly metric: Pick<Metric, 'unit'>;
  readonly isShare: boolean;
}

export function number(value: number, told: Measured): string {
  return told.isShare ? share(value) : `${plain(value)}${behind(told.metric.unit)}`;
}

export function behind(unit: string): string {
  return unit === '' ? '' : ` ${unit}`;
}

export function share(value: number): string {
  return `${fixed(value * 100)} %`;
}

/** "2.4–3.9 %", "70.1 to 72 GB"; a bound that is not known is null. */
export function range(lower: number | null, upper: number | null, told: Measured): string {
  if (lower !== null && upper !== null) {
    return told.isShare
      ? `${fixed(lower * 100)}–${fixed(upper * 100)} %`
      : `${plain(lower)} to ${plain(upper)}${behind(told.metric.unit)}`;
  }
  if (lower !== null) return `at least ${number(lower, told)}`;
  return upper !== null ? `at most ${number(upper, told)}` : 'too few events for a range';
}

/** A share a policy was given, as it was given: "2 %", "0.1 %". */
export function givenShare(value: number): string {
  return `${trim(value * 100, 6)} %`;
}

/** Per cent: one decimal, more only below one and close to a hundred, where what is missing counts (99.95). */
function fixed(value: number): string {
  const size = Math.abs(value);
  if (size > 99 && size < 100)
    return value.toFixed(Math.min(4, Math.max(1, Math.ceil(-Math.log10(100 - size) - 1e-9))));
  if (size === 0 || size >= 0.95) return value.toFixed(1);
  return size >= 0.095
    ? value.toFixed(2)
    : size >= 0.00095
      ? value.toFixed(4).replace(/0+$/, '')
      : value.toExponential(1);
}

/** Three significant digits, without an exponent where that reads well. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  return size >= 1e-4 && size < 1e7
    ? String(Number(size >= 1000 ? value.toFixed(0) : value.toPrecision(3)))
    : value.toExponential(2);
}

/** 12400 → "12,400". */
export function count(value: number): string {
  return value < 1e15 ? Math.round(value).toLocaleString('en-GB') : value.toExponential(2);
}

export function times(ratio: number): string {
  return ratio >= RATIO_CAP ? `over ${RATIO_CAP}×` : `${ratio.toFixed(ratio < 0.1 ? 2 : 1)}×`;
}

export function bound(ratio: number): string {
  return ratio >= 100 ? `${ratio.toFixed(0)}×` : `${ratio.toFixed(2)}×`;
}

export function trim(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)));
}

/** "; odds of a false alarm under 1 in 1000": the evidence rounded down to a power of ten. Empty below 1 in 100. */
export function odds(lnWorse: number): string {
  const power = Math.floor(lnWorse / Math.LN10 + 1e-9);
  if (power < 2) return '';
  return `; odds of a false alarm under ${power >= 6 ? '1 in a million' : `1 in ${10 ** power}`}`;
}

/** "a week ago", "1 hour earlier": how the past is called. */
export function pastName(offsetMs: number): string {
  const days = offsetMs / 86_400_000;
  if (Math.abs(days - 7) < 0.01) return 'a week ago';
  if (Math.abs(days - 1) < 0.01) return 'a day ago';
  if (days >= 2) return `${trim(days)} days ago`;
  const minutes = offsetMs / 60_000;
  if (minutes >= 120) return `${trim(minutes / 60)} hours ago`;
  return minutes >= 2 ? `${trim(minutes)} minutes ago` : `${trim(offsetMs / 1000)} seconds ago`;
}
