import { checkBaseline } from './baseline.ts';
import { confusionKeys, countersOfMeasure } from './confusion.ts';
import type { Check } from './findings.ts';
import type { Path } from './problem.ts';
import { canReadAnyArm, namesArm, oneVersionProblem, selectorProblem } from './selectors.ts';
import { share } from './values.ts';

/** Keys of a metric that hold PromQL. */
const selectorKeys = [
  'bad',
  'good',
  'total',
  'truePositives',
  'falsePositives',
  'falseNegatives',
  'trueNegatives',
  'events',
  'per',
  'buckets',
  'value',
  'counts',
  'score',
  'requests',
] as const;
/** These are read as they are; all others are counters, of which the increase is made. */
const expressions: ReadonlySet<string> = new Set(['value', 'score']);

/** Kinds that can be the reason to go back. */
const neverDegraded: ReadonlySet<string | undefined> = new Set(['drift', 'split']);

export function checkMetrics(check: Check): void {
  const names = new Map<string, number>();
  const kinds: (string | undefined)[] = [];
  for (const index of check.list(['metrics']).keys()) {
    const path = ['metrics', index];
    const name = check.text([...path, 'name']);
    const first = name === undefined ? undefined : names.get(name);
    if (first !== undefined) check.say([...path, 'name'], `the name ${name} is taken by metrics[${first}]`);
    else if (name !== undefined) names.set(name, index);
    const kind = check.text([...path, 'kind']);
    kinds.push(kind);
    checkSelectors(check, path, kind);
    if (kind !== undefined && Object.hasOwn(ofKind, kind)) ofKind[kind]?.(check, path);
    checkBaseline(check, path, kind, oneSeries(check, path));
    checkPast(check, path);
  }
  if (kinds.length > 0 && kinds.every((kind) => neverDegraded.has(kind))) {
    check.say(
      ['metrics'],
      'must have at least one metric that decides: drift only warns, and a split is only a condition',
    );
  }
}

/** The PromQL of a metric, as far as it is given. */
function selectorsOf(check: Check, path: Path): { readonly key: string; readonly text: string }[] {
  return selectorKeys.flatMap((key) => {
    const text = check.text([...path, key]);
    return text?.trim() ? [{ key, text }] : [];
  });
}

/** None of its selectors says which arm: there is one series for the whole service. */
export function oneSeries(check: Check, path: Path): boolean {
  const given = selectorsOf(check, path);
  return given.length > 0 && !given.some(({ text }) => namesArm(text));
}

function checkSelectors(check: Check, path: Path, kind: string | undefined): void {
  const given = selectorsOf(check, path);
  const naming = given.find(({ text }) => namesArm(text));
  for (const { key, text } of given) {
    const problem =
      selectorProblem(text, expressions.has(key) ? 'expression' : 'counter') ??
      oneVersionProblem(text) ??
      (naming === undefined || namesArm(text)
        ? null
        : `must contain {{version}} or {{arm}} as ${naming.key} does, or the two would not be about the same requests`);
    if (problem) check.say([...path, key], problem);
    else if (kind === 'split' && naming === undefined) {
      check.say([...path, key], 'must contain {{version}} or {{arm}}: a split is about what each arm gets');
    }
  }
}

/** The service as it was, whichever version that had: what is held against it must be readable without one. */
function checkPast(check: Check, path: Path): void {
  const baseline = check.at([...path, 'baseline']);
  const isPast = baseline === 'yesterday' || baseline === 'last-week' || check.has([...path, 'baseline', 'offset']);
  const narrow = selectorsOf(check, path).find(({ text }) => !canReadAnyArm(text));
  if (narrow === undefined) return;
  const words = `needs the whole service's past, whichever version ran then: in ${narrow.key}, {{version}} (or {{arm}}) must be all of a label's value, as in version="{{version}}"`;
  if (isPast) check.say([...path, 'baseline'], words);
  if (check.at([...path, 'tolerance', 'fromHistory']) === true) check.say([...path, 'tolerance', 'fromHistory'], words);
}

type KindCheck = (check: Check, path: Path) => void;

const ofKind: Readonly<Record<string, KindCheck>> = {
  proportion: (check, path) => {
    checkBadOrGood(check, path, 'a proportion');
  },
  objective: checkObjective,
  labelled: checkLabelled,
  latency: checkLatency,
  gauge: (check, path) => needsDirection(check, path, 'a gauge'),
  limit: checkLimit,
  drift: checkDrift,
  split: (check, path) => hasNoDirection(check, path, 'a split is right or wrong'),
};

function checkBadOrGood(check: Check, path: Path, what: string): void {
  const [bad, good] = [check.has([...path, 'bad']), check.has([...path, 'good'])];
  if (bad && good) check.say([...path, 'good'], 'give either bad or good, not both', 'key');
  if (!bad && !good) check.say(path, `${what} needs bad or good: the counter of events that went wrong, or right`);
  const fixed = good ? 'higher-is-better' : 'lower-is-better';
  const direction = check.text([...path, 'direction']);
  if (bad !== good && direction && direction !== fixed) {
    check.say([...path, 'direction'], `${what} of ${good ? 'good' : 'bad'} events is always ${fixed}: leave it out`);
  }
}

function needsDirection(check: Check, path: Path, what: string): void {
  if (check.has([...path, 'direction'])) return;
  check.say([...path, 'direction'], `must be said for ${what}: lower-is-better or higher-is-better`);
}

function hasNoDirection(check: Check, path: Path, why: string): void {
  if (check.has([...path, 'direction'])) check.say([...path, 'direction'], `${why}: leave it out`, 'key');
}

/** What is beyond discussion lies beyond what is merely bad. */
function checkCritical(check: Check, path: Path, than: number | null, side: 'above' | 'below', what: string): void {
  const critical = numberAt(check, [...path, 'critical']);
  if (critical === null || than === null || (side === 'above' ? critical > than : critical < than)) return;
  check.say([...path, 'critical'], `must be ${side} ${what}, or it would be beyond discussion while all is well`);
}

function checkLimit(check: Check, path: Path): void {
  needsDirection(check, path, 'a limit');
  const side = check.text([...path, 'direction']) === 'higher-is-better' ? 'below' : 'above';
  checkCritical(check, path, numberAt(check, [...path, 'limit']), side, 'limit');
}

/** Beyond this an objective is the share that may fail, written in the wrong place. */
const half = 0.5;

function checkObjective(check: Check, path: Path): void {
  checkBadOrGood(check, path, 'an objective');
  const [objective, allowed] = [check.has([...path, 'objective']), check.has([...path, 'allowed'])];
  if (objective && allowed) check.say([...path, 'allowed'], 'give either objective or allowed, not both', 'key');
  if (!objective && !allowed) {
    check.say(path, 'an objective needs objective (99.9% must be good) or allowed (0.1% may be bad)');
  }
  const [good, bad] = [shareAt(check, [...path, 'objective']), shareAt(check, [...path, 'allowed'])];
  if (good === 1) check.say([...path, 'objective'], 'must be less than 100%, or not one event may be bad');
  else if (good !== null && good < half) {
    check.say(
      [...path, 'objective'],
      `says how much must be good: for how much may be bad write allowed: ${percent(good)}`,
    );
  }
  if (bad !== null && bad > half) {
    check.say(
      [...path, 'allowed'],
      `says how much may be bad: for how much must be good write objective: ${percent(bad)}`,
    );
  }
  const mostBad = bad ?? (good === null ? null : 1 - good);
  if (mostBad === null) return;
  const countsGood = check.has([...path, 'good']);
  const than = countsGood ? 1 - mostBad : mostBad;
  checkCritical(check, path, than, countsGood ? 'below' : 'above', `what the objective asks for (${percent(than)})`);
}

/** A number, or a percentage as a share; null: neither. */
function numberAt(check: Check, path: Path): number | null {
  return check.read(share(''), path)?.value ?? null;
}

function shareAt(check: Check, path: Path): number | null {
  const value = numberAt(check, path);
  return value !== null && value > 0 && value <= 1 ? value : null;
}

const percent = (share: number) => `${Number((share * 100).toPrecision(12))}%`;

function checkLabelled(check: Check, path: Path): void {
  if (check.text([...path, 'direction']) === 'lower-is-better') {
    check.say([...path, 'direction'], 'a measure of right answers is always higher-is-better: leave it out');
  }
  const measure = check.text([...path, 'measure']);
  const needed = countersOfMeasure(measure);
  if (needed === null) return;
  for (const key of confusionKeys) {
    const given = check.has([...path, key]);
    // The form asks for the true positives itself.
    if (needed.includes(key) && !given && key !== 'truePositives') {
      check.say([...path, key], `is missing: ${measure} is made of ${needed.join(', ')}`);
    } else if (!needed.includes(key) && given) {
      check.say([...path, key], `is no part of ${measure}, which is made of ${needed.join(', ')}: leave it out`, 'key');
    }
  }
}

function checkLatency(check: Check, path: Path): void {
  if (check.text([...path, 'direction']) === 'higher-is-better') {
    check.say([...path, 'direction'], 'a latency is always lower-is-better: leave it out');
  }
  const bounds = check.list([...path, 'bounds']);
  const falling = bounds.findIndex((bound, index) => index > 0 && Number(bound) <= Number(bounds[index - 1]));
  if (falling > 0) check.say([...path, 'bounds', falling], 'must be more than the bound before');
}

/** Two forms: counts in bins, told apart by a label, or a score that something else computes. */
function checkDrift(check: Check, path: Path): void {
  const has = (key: string) => check.has([...path, key]);
  const missing = (key: string, words: string) => {
    if (!has(key)) check.say([...path, key], `is missing: ${words}`);
  };
  if (has('counts') && has('score')) {
    check.say([...path, 'score'], 'give either counts (with by) or score (with limit), not both', 'key');
  } else if (has('score')) {
    missing('limit', 'the score from which on it has drifted, such as 0.25 for a PSI');
    if (has('by')) check.say([...path, 'by'], 'belongs to counts: a score is one number', 'key');
    if (has('baseline')) check.say([...path, 'baseline'], 'a score is held against its limit: leave it out', 'key');
  } else if (has('counts') || has('by')) {
    missing('counts', 'the counter that has a series for every bin');
    missing('by', 'the label that tells the bins apart, such as bin');
    if (has('limit')) check.say([...path, 'limit'], 'belongs to score: bins have a limit of their own (PSI)', 'key');
    hasNoDirection(check, path, 'a distribution is the same or another');
  } else {
    check.say(
      path,
      'a drift needs counts and by (a counter of every bin), or score and limit (a number that is there)',
    );
  }
}
