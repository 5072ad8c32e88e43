import { RATIO_CAP } from '../evidence/ratio.ts';
import type { Reading } from '../types.ts';
import type { Change } from './outcome.ts';
import { LN_WARNING } from './outcome.ts';
import { againstLimit } from './sentence-limit.ts';
import { warningOnly } from './sentence-warning.ts';
import type { Told } from './told.ts';
import { behind, bound, givenShare, number, odds, plain, share, times, trim } from './words.ts';

export { pastName } from './words.ts';

/** One plain sentence with the numbers: "Error rate 4.0 % vs 2.0 % on stable: 2.0× (1.35×–2.87×), above the 1.25× limit; …". */
export function sentenceOf(told: Told): string {
  const { metric, outcome } = told;
  const critical = told.critical ? `; past the critical limit of ${number(metric.criticalLimit ?? 0, told)}` : '';
  const warning = outcome.warning === null || saysItself(told) ? '' : `; ${outcome.warning}`;
  const rest = `${critical}${warning}.`;
  if (outcome.verdict === 'no-data')
    return `${metric.title}: no data (${outcome.missing ?? 'nothing was read'})${rest}`;
  return `${bodyOf(told)}${rest}`;
}

function bodyOf(told: Told): string {
  switch (told.metric.source.kind) {
    case 'limit':
    case 'objective':
      return againstLimit(told);
    case 'drift':
    case 'drift-score':
    case 'split':
      return warningOnly(told);
    default:
      return `${headOf(told)}${changeText(told)}, ${judgement(told)}`;
  }
}

/** Kinds that only warn have the warning for their sentence. */
function saysItself(told: Told): boolean {
  return told.outcome.note.found !== undefined;
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
  return countsFewer(told) && change.estimate > 0 && change.estimate < 1
    ? `: ${ratioText(inverted(change), ' more')}`
    : `: ${ratioText(change, ofWhat(told))}`;
}

function ratioText({ estimate, lower, upper, over }: Change, ofWhat: string): string {
  const known = upper < RATIO_CAP;
  const between =
    lower > 0 && known
      ? `${bound(lower)}–${bound(upper)}`
      : lower > 0
        ? `at least ${bound(lower)}`
        : known
          ? `at most ${bound(upper)}`
          : 'too few events for a range';
  return `${times(estimate)}${ofWhat}${over ? ` ${over}` : ''} (${between})`;
}

/** "0.8 times fewer" is 1.25 times more; a bound that is not known stays so. */
function inverted({ estimate, lower, upper, over }: Change): Change {
  const inverse = (value: number) => (value >= RATIO_CAP ? 0 : value > 0 ? Math.min(RATIO_CAP, 1 / value) : RATIO_CAP);
  return { estimate: 1 / estimate, lower: inverse(upper), upper: inverse(lower), ...(over ? { over } : {}) };
}

/** Where fewer is worse and that is what is counted, the ratio says how many times fewer. */
function countsFewer({ metric, outcome }: Told): boolean {
  if (outcome.note.ofGood) return true;
  return metric.source.kind === 'rate' && metric.direction === 'higher-is-better';
}

/** What the ratio is of, where it is not the one a reader would form from the two numbers before it. */
function ofWhat(told: Told): string {
  const { source } = told.metric;
  const tail = told.outcome.note.tail;
  if (tail !== null) return tail.reference > 0.5 ? ' fewer fast ones' : '';
  if (countsFewer(told)) return ' fewer';
  if (source.kind === 'labelled') return ' the failures';
  return source.kind === 'proportion' && source.good !== null ? ' the failures' : '';
}

function judgement(told: Told): string {
  const { outcome, change } = told;
  const limit = limitText(told);
  switch (outcome.verdict) {
    case 'degraded':
      return `above the ${limit} limit${odds(outcome.lnWorse)}`;
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
  const { source } = metric;
  switch (source.kind) {
    case 'gauge':
      return number(outcome.limit, told);
    case 'limit':
    case 'drift-score':
      return number(source.limit, told);
    case 'objective':
      return givenShare(source.good === null ? source.allowed : 1 - source.allowed);
    case 'drift':
      return `PSI ${outcome.limit.toFixed(2)}`;
    case 'split':
      return givenShare(outcome.limit);
    default: {
      const absolute = metric.tolerance.absolute;
      if (!outcome.note.byDifference || absolute === null) return bound(outcome.limit);
      return source.kind === 'rate' ? `+${number(absolute, told)}` : `+${trim(absolute * 100)} points`;
    }
  }
}

function reading(r: Reading, told: Told): string {
  return r.value === null ? 'nothing' : number(r.value, told);
}
