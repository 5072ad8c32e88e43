import type { MetricComparison, Reading, Verdict } from '../../analysis/types.ts';
import { outside } from './text.ts';

/** 0.04123 → "0.0412", 1234.5 → "1235", 1e9 → "1e+9": three significant digits, no more than a cell can hold. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2).replace('-', '−').replace('e+', 'e');
  const rounded = size >= 100 ? Math.round(value * 10) / 10 : Number(value.toPrecision(3));
  return String(rounded).replace('-', '−');
}

/** 12_345 → "12.3k". */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1e9) return `${figure(value / 1e9)}G`;
  if (value >= 1e6) return `${figure(value / 1e6)}M`;
  if (value >= 1e4) return `${figure(value / 1e3)}k`;
  return String(Math.round(value));
}

/** A reading in the metric's unit; shares in per cent. */
export function reading(metric: Pick<MetricComparison, 'isShare' | 'unit'>, read: Reading): string {
  return read.value === null ? '–' : amount(metric, read.value);
}

export function amount(metric: Pick<MetricComparison, 'isShare' | 'unit'>, value: number): string {
  if (metric.isShare) return `${figure(value * 100)} %`;
  const unit = outside(metric.unit, 12);
  return unit === '' ? figure(value) : `${figure(value)} ${unit}`;
}

/**
 * "2.06× (1.35×–2.87×)", or for a difference "+0.12 s (0.05 s to 0.2 s)". Always in the bad direction; where more is better it says of
 * what: "1.25× the failures", "1.08× more".
 */
export function change(metric: MetricComparison): string {
  const { change: found } = metric;
  if (!found) return '–';
  if (metric.changeIs !== 'ratio')
    return `${signed(metric, found.estimate)} (${signed(metric, found.lower)} to ${signed(metric, found.upper)})`;
  if (metric.direction === 'lower-is-better') return ratioWords(found, '');
  if (metric.isShare) return ratioWords(found, ' the failures');
  return found.estimate > 0 && found.estimate < 1
    ? ratioWords(
        { estimate: 1 / found.estimate, lower: 1 / Math.min(found.upper ?? OPEN, OPEN), upper: inverse(found.lower) },
        ' more',
      )
    : ratioWords(found, ' fewer');
}

/** From here on an upper bound is not known. */
const OPEN = 10_000;

function inverse(lower: number): number {
  return lower > 1 / OPEN ? 1 / lower : OPEN;
}

function ratioWords(found: { estimate: number; lower: number; upper: number }, of: string): string {
  return `${ratio(found.estimate)}${of} (${ratioRange(found.lower, found.upper)})`;
}

export function limit(metric: MetricComparison): string {
  return outside(metric.limitText, 30);
}

/** A bound at the end of what the comparison looks at (0, or 10,000) is not known yet. */
function ratioRange(lower: number, upper: number | null): string {
  const isOpen = upper === null || upper >= OPEN;
  if (lower > 1 / OPEN) return isOpen ? `at least ${ratio(lower)}` : `${ratio(lower)}–${ratio(upper)}`;
  return isOpen ? 'too few events' : `at most ${ratio(upper)}`;
}

function ratio(value: number): string {
  // What was stored as JSON brings an infinite bound back as null.
  return `${bound(value)}×`;
}

function bound(value: number | null): string {
  return value === null ? '∞' : figure(value);
}

function signed(metric: MetricComparison, value: number | null): string {
  if (value === null) return '∞';
  return `${value > 0 ? '+' : ''}${amount(metric, value)}`;
}

export const VERDICT: Readonly<Record<Verdict, { emoji: string; word: string }>> = {
  degraded: { emoji: '🔴', word: 'Degraded' },
  healthy: { emoji: '🟢', word: 'Healthy' },
  inconclusive: { emoji: '🟡', word: 'Inconclusive' },
  'no-data': { emoji: '⚫', word: 'No data' },
};

export function verdictWords(verdict: Verdict): string {
  return `${VERDICT[verdict].emoji} ${VERDICT[verdict].word}`;
}
