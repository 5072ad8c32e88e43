import { RATIO_CAP } from '../evidence/ratio.ts';
import type { Change } from './outcome.ts';
import { LN_WARNING } from './outcome.ts';
import type { Told } from './told.ts';
import { givenShare, number, odds, range } from './words.ts';

/** A range of the metric's own values, as they are shown; a bound that is not known is null. */
interface Values {
  readonly estimate: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** "Disagreement 3.1 % (2.4–3.9 %), above the 2 % allowed; odds of a false alarm under 1 in 1000". */
export function againstLimit(told: Told): string {
  const { metric, change } = told;
  const { source } = metric;
  const isGoodShare = source.kind === 'objective' && source.good !== null;
  const bad = isGoodShare || metric.direction === 'higher-is-better' ? 'below' : 'above';
  const limit = limitName(told);
  const values = change === null ? null : valuesOf(told, change);
  if (change === null || values === null) {
    const value = told.now.value === null ? '' : ` ${number(told.now.value, told)}`;
    return `${metric.title}${value}, too few numbers to judge by the ${limit}`;
  }
  const shown = `${metric.title} ${number(values.estimate, told)} (${range(values.lower, values.upper, told)})`;
  return `${shown}, ${judgement(told, change, bad, limit)}`;
}

function judgement(told: Told, change: Change, bad: string, limit: string): string {
  const { outcome } = told;
  if (change.lower > outcome.limit) {
    return `${bad} the ${limit}${outcome.verdict === 'degraded' ? odds(outcome.lnWorse) : ''}`;
  }
  if (change.upper < outcome.limit) return `within the ${limit}`;
  if (outcome.lnWorse >= LN_WARNING) return `looks ${bad} the ${limit}, not yet certain`;
  return `not yet certain on which side of the ${limit}`;
}

function limitName({ metric, isShare }: Told): string {
  const { source } = metric;
  if (source.kind === 'objective') {
    return source.good === null
      ? `${givenShare(source.allowed)} allowed`
      : `${givenShare(1 - source.allowed)} required`;
  }
  return source.kind === 'limit' ? `limit of ${number(source.limit, { metric, isShare })}` : 'limit';
}

/** From `change`, which is held against the limit in the bad direction, back to values of the metric. */
function valuesOf(told: Told, change: Change): Values | null {
  const { source, direction } = told.metric;
  if (source.kind === 'limit') {
    const sign = direction === 'higher-is-better' ? -1 : 1;
    const at = (difference: number) => source.limit + sign * difference;
    const [lower, upper] = sign > 0 ? [change.lower, change.upper] : [change.upper, change.lower];
    return { estimate: at(change.estimate), lower: at(lower), upper: at(upper) };
  }
  if (source.kind !== 'objective') return null;
  const lower = change.lower > 1 / RATIO_CAP ? change.lower * source.allowed : null;
  const upper = change.upper < RATIO_CAP ? Math.min(1, change.upper * source.allowed) : null;
  const estimate = Math.min(1, change.estimate * source.allowed);
  if (source.good === null) return { estimate, lower, upper };
  return {
    estimate: 1 - estimate,
    lower: upper === null ? null : 1 - upper,
    upper: lower === null ? null : 1 - lower,
  };
}
