import { RATIO_CAP } from '../evidence/ratio.ts';
import type { Metric, Reading } from '../types.ts';
import type { Change, Outcome } from './outcome.ts';
import { LN_WARNING } from './outcome.ts';

export interface Told {
  readonly metric: Metric;
  readonly outcome: Outcome;
  readonly change: Change | null;
  /** The suspect's and the reference's readings. */
  readonly now: Reading;
  readonly against: Reading;
  /** "on stable", "a week ago". */
  readonly reference: string;
  readonly isShare: boolean;
  readonly critical: boolean;
}

/** One plain sentence with the numbers: "Error rate 4.0 % vs 2.0 % on stable: 2.0× (1.35×–2.87×), above the 1.25× limit; …". */
export function sentenceOf(told: Told): string {
  const { metric, outcome } = told;
  const critical = told.critical ? `; past the critical limit of ${number(metric.criticalLimit ?? 0, told)}` : '';
  if (outcome.verdict === 'no-data') {
    return `${metric.title}: no data (${outcome.missing ?? 'nothing was read'})${critical}.`;
  }
  return `${headOf(told)}${changeText(told)}, ${judgement(told)}${critical}.`;
}

function headOf(told: Told): string {
  const { metric, outcome } = told;
  const versus = `${reading(told.now, told)} vs ${reading(told.against, told)} ${told.reference}`;
  const tail = outcome.note.tail;
  if (metric.source.kind !== 'latency') return `${metric.title} ${versus}`;
  if (tail === null) return `${metric.title} p95 about ${versus}`;
  const slower = `${share(tail.suspect)} vs ${share(tail.reference)} slower than ${plain(tail.bound)}${behind(metric.unit)}`;
  return `${metric.title} p95 about ${versus}; ${slower}`;
}

function changeText(told: Told): string {
  const { change } = told;
  if (change === null) return '';
  if (told.metric.source.kind === 'gauge') {
    const { estimate, lower, upper } = change;
    const word = estimate >= 0 ? 'worse' : 'better';
    return `: ${number(Math.abs(estimate), told)} ${word} (${number(lower, told)} to ${number(upper, told)})`;
  }
  const known = change.upper < RATIO_CAP;
  const range =
    change.lower > 0 && known
      ? `${bound(change.lower)}–${bound(change.upper)}`
      : change.lower > 0
        ? `at least ${bound(change.lower)}`
        : known
          ? `at most ${bound(change.upper)}`
          : 'too few events for a range';
  const tail = told.outcome.note.tail;
  const failures = swapped(told) ? (tail !== null ? ' fewer fast ones' : ' in the bad direction') : '';
  const asFailures =
    told.metric.source.kind === 'proportion' && told.metric.source.good !== null ? ' the failures' : '';
  return `: ${times(change.estimate)}${failures}${asFailures} (${range})`;
}

/** The ratio is not the one a reader would form from the two numbers before it. */
function swapped(told: Told): boolean {
  const tail = told.outcome.note.tail;
  if (tail !== null) return tail.reference > 0.5;
  return told.metric.source.kind === 'rate' && told.metric.direction === 'higher-is-better';
}

function judgement(told: Told): string {
  const { outcome, change } = told;
  const limit = limitText(told);
  const odds = falseAlarm(outcome.lnWorse);
  switch (outcome.verdict) {
    case 'degraded':
      return `above the ${limit} limit${odds === null ? '' : `; odds of a false alarm under ${odds}`}`;
    case 'healthy':
      return `well within the ${limit} limit`;
    default:
      if (outcome.lnWorse >= LN_WARNING) return `looks worse than the ${limit} limit allows, not yet certain`;
      return change === null ? 'too few numbers to judge' : `not yet certain on which side of the ${limit} limit`;
  }
}

/** The limit as the policy means it: where the absolute tolerance is the wider one, a ratio would mislead. */
export function limitText(told: Pick<Told, 'metric' | 'outcome' | 'isShare'>): string {
  const { metric, outcome } = told;
  if (metric.source.kind === 'gauge') return number(outcome.limit, told);
  const absolute = metric.tolerance.absolute;
  if (!outcome.note.byDifference || absolute === null) return bound(outcome.limit);
  const isPercent = metric.source.kind !== 'rate';
  return isPercent ? `+${trim(absolute * 100)} points` : `+${number(absolute, told)}`;
}

/** "1 in 1000": the evidence rounded down to a power of ten. */
function falseAlarm(lnWorse: number): string | null {
  const power = Math.floor(lnWorse / Math.LN10 + 1e-9);
  if (power < 2) return null;
  return power >= 6 ? '1 in a million' : `1 in ${10 ** power}`;
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

function reading(r: Reading, told: Told): string {
  return r.value === null ? 'nothing' : number(r.value, told);
}

function number(value: number, told: Pick<Told, 'metric' | 'isShare'>): string {
  return told.isShare ? share(value) : `${plain(value)}${behind(told.metric.unit)}`;
}

function behind(unit: string): string {
  return unit === '' ? '' : ` ${unit}`;
}

function share(value: number): string {
  return `${fixed(value * 100)} %`;
}

/** One decimal, more only below one. */
function fixed(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 0.95) return value.toFixed(1);
  return size >= 0.095
    ? value.toFixed(2)
    : size >= 0.00095
      ? value.toFixed(4).replace(/0+$/, '')
      : value.toExponential(1);
}

/** Three significant digits, without an exponent where that reads well. */
function plain(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  return size >= 1e-4 && size < 1e7
    ? String(Number(size >= 1000 ? value.toFixed(0) : value.toPrecision(3)))
    : value.toExponential(2);
}

function times(ratio: number): string {
  return ratio >= RATIO_CAP ? `over ${RATIO_CAP}×` : `${ratio.toFixed(ratio < 0.1 ? 2 : 1)}×`;
}
function bound(ratio: number): string {
  return ratio >= 100 ? `${ratio.toFixed(0)}×` : `${ratio.toFixed(2)}×`;
}
function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
