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
  if (metric.isShare) return share(value * 100);
  const unit = outside(metric.unit, 12);
  return unit === '' ? figure(value) : `${figure(value)} ${unit}`;
}

/** Close to all of it the failures are what differs: 99.94 and 99.88 are not both 99.9. */
function share(percent: number): string {
  if (!(percent > 90 && percent < 100)) return `${figure(percent)} %`;
  const digits = Math.min(6, Math.max(1, 1 - Math.floor(Math.log10(100 - percent) + 1e-9)));
  return `${Number(percent.toFixed(digits))} %`;
}

/**
 * "2.06× (1.35×–2.87×)", or for a difference "+0.12 s (+0.05 s to +0.2 s)". In the bad direction, as the limit is; where more is better it
 * says of what: "1.25× the failures", "1.3× fewer".
 */
export function change(metric: MetricComparison): string {
  const { change: found } = metric;
  if (!found) return '–';
  if (metric.changeIs !== 'ratio') return differenceWords(metric, found);
  if (metric.kind === 'objective') return ratioWords(found, ' what is allowed');
  if (metric.direction === 'lower-is-better' && metric.changeOf !== 'good') return ratioWords(found, '');
  if (metric.isShare && metric.changeOf !== 'good') return ratioWords(found, ' the failures');
  const { estimate, lower, upper } = found;
  const more = { ...found, estimate: 1 / estimate, lower: inverse(upper), upper: inverse(lower) };
  return estimate > 0 && estimate < 1 ? ratioWords(more, ' more') : ratioWords(found, ' fewer');
}

/** As a reader would subtract: where more is better a change for the worse is a minus. */
function differenceWords(metric: MetricComparison, { estimate, lower, upper }: Range): string {
  const isUp = metric.direction === 'higher-is-better';
  const shown = (value: number | null) => signed(metric, value === null || !isUp || value === 0 ? value : -value);
  const [from, to] = isUp ? [upper, lower] : [lower, upper];
  return `${shown(estimate)} (${shown(from)} to ${shown(to)})`;
}

/** From here on an upper bound is not known. */
const OPEN = 10_000;

type Range = NonNullable<MetricComparison['change']>;

/** A bound of the inverse; one that is not known stays so. */
function inverse(value: number | null): number {
  if (value === null || value >= OPEN) return 0;
  return value > 1 / OPEN ? 1 / value : OPEN;
}

function ratioWords(found: Range, of: string): string {
  const over = found.over ? ` ${found.over}` : '';
  return `${ratio(found.estimate)}${of}${over} (${ratioRange(found.lower, found.upper)})`;
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
  // What was stored as JSON brings an infinite bound back as null. Next to 1 it matters on which side.
  const isNextToOne = value !== null && value !== 1 && Math.abs(value - 1) < 0.0005;
  return isNextToOne ? `${value.toPrecision(5)}×` : `${bound(value)}×`;
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
