import type { Baseline } from '../analysis/types.ts';
import { badOfAll, countersOfMeasure } from './confusion.ts';
import type { Check } from './findings.ts';
import { isMapping } from './layers.ts';
import type { BaselineFile, MetricFile } from './metric-schema.ts';
import { oneOf, type Path } from './problem.ts';

const hour = 3_600_000;
const offsetsMs = { yesterday: 24 * hour, 'last-week': 7 * 24 * hour } as const;

/** What a metric is held against: its form was checked, here whether it fits the metric. `oneSeries`: there is no second arm. */
export function checkBaseline(check: Check, metric: Path, kind: string | undefined, oneSeries: boolean): void {
  const path = [...metric, 'baseline'];
  const given = check.at(path);
  if (given === 'stable' && oneSeries) {
    check.say(
      path,
      'no selector names {{version}} or {{arm}}, so there is no stable beside it: leave it out, or say yesterday or last-week',
    );
  }
  if (!isMapping(given)) return;
  const keys = Object.keys(given);
  if (keys.includes('offset')) {
    const other = keys.find((key) => key !== 'offset');
    if (other !== undefined)
      check.say([...path, other], 'give either offset or totals that are known, not both', 'key');
    return;
  }
  const needed = totalsOf(check, metric, kind);
  if (needed === null) {
    const words = 'totals that are known are for kinds proportion, labelled and rate; this one takes';
    check.say(path, `${words} stable, yesterday, last-week or { offset: 3d }`);
    return;
  }
  for (const key of needed) {
    if (!keys.includes(key))
      check.say([...path, key], `is missing: known totals of this metric are ${needed.join(', ')}`);
  }
  for (const key of keys) {
    if (!needed.includes(key)) {
      check.say([...path, key], `has no place here: known totals of this metric are ${needed.join(', ')}`, 'key');
    }
  }
  checkTotals(check, path, needed);
}

/** The names of the totals a metric can be held against: those of its own counters. Null: it cannot. */
function totalsOf(check: Check, metric: Path, kind: string | undefined): readonly string[] | null {
  if (kind === 'proportion') return [check.has([...metric, 'good']) ? 'good' : 'bad', 'total'];
  if (kind === 'rate') return ['events', 'exposure'];
  return kind === 'labelled' ? countersOfMeasure(check.text([...metric, 'measure'])) : null;
}

function checkTotals(check: Check, path: Path, needed: readonly string[]): void {
  const value = (key: string) => {
    const given = check.at([...path, key]);
    return typeof given === 'number' ? given : null;
  };
  const whole = needed.find((key) => key === 'total' || key === 'exposure');
  const all = whole === undefined ? null : value(whole);
  if (whole !== undefined && all === 0) check.say([...path, whole], 'must be more than 0');
  const part = needed.find((key) => key === 'bad' || key === 'good');
  const some = part === undefined ? null : value(part);
  if (part !== undefined && some !== null && all !== null && all > 0 && some > all) {
    check.say([...path, part], `must not be more than total (${all}), is ${some}`);
  }
  if (whole === undefined && needed.every((key) => value(key) === 0)) {
    check.say(path, `must count something: ${oneOf(needed)} has to be more than 0`);
  }
}

/** Null: nothing is said, so it is the other arm. */
export function buildBaseline(metric: MetricFile): Baseline | null {
  const given: BaselineFile | undefined = metric.baseline;
  if (given === undefined) return null;
  if (given === 'stable') return { kind: 'stable' };
  if (typeof given === 'string') return { kind: 'offset', offsetMs: offsetsMs[given] };
  if (given.offset !== undefined) return { kind: 'offset', offsetMs: given.offset };
  if (metric.kind === 'labelled') return { kind: 'fixed', ...badOfAll(metric.measure, given) };
  if (metric.kind === 'rate') return { kind: 'fixed', events: given.events ?? 0, exposure: given.exposure ?? 0 };
  const exposure = given.total ?? 0;
  return { kind: 'fixed', events: given.bad ?? exposure - (given.good ?? 0), exposure };
}
