import type { Strategy } from '../domain/policy.ts';
import { valueAt } from './explain.ts';
import type { Check } from './findings.ts';
import type { Path } from './problem.ts';
import { type PolicyFile, strategyKinds } from './schema.ts';
import { duration, formatDuration } from './values.ts';

/** What a target can do; null: it is not known which it is. */
export type TargetSteps = 'any' | 'switch' | null;
type Kind = Strategy['kind'];

/** How long a candidate must have been ready before it gets its first traffic, where that is asked and not said. */
const defaultWarmUp = { soakMs: 60_000, maxSoakMs: 10 * 60_000 };
/** A longer warm-up may take this many times as long. */
const maxWarmUpFactor = 3;

const anyDuration = duration();

/** The strategy a policy's value names; null: it names one that there is not. Undefined: it names none. */
function named(value: unknown): Kind | null | undefined {
  const given = valueAt(value, ['strategy']);
  if (given === undefined) return undefined;
  const kind = typeof given === 'string' ? given : valueAt(given, ['kind']);
  return strategyKinds.find((known) => known === kind) ?? null;
}

function kindOr(given: Kind | null | undefined, targetSteps: TargetSteps): Kind | null {
  return given === undefined ? (targetSteps === 'switch' ? 'switch' : 'canary') : given;
}

/** Where all traffic moves at once, the only step there can be need not be written. */
export function withTheOneStep(value: unknown, targetSteps: TargetSteps): unknown {
  const kind = kindOr(named(value), targetSteps);
  if (typeof value !== 'object' || value === null || kind === null || kind === 'canary') return value;
  return valueAt(value, ['steps']) === undefined ? { ...value, steps: [{ exposure: 100 }] } : value;
}

/** Steps, target and objective have to fit the strategy. */
export function checkStrategy(check: Check, targetSteps: TargetSteps): void {
  const given = named(check.value);
  const kind = kindOr(given, targetSteps);
  const target = `a target of kind ${check.text(['target', 'kind'])}`;
  const place: Path = check.has(['strategy', 'kind']) ? ['strategy', 'kind'] : ['strategy'];
  if (targetSteps === 'switch' && given === 'canary') {
    check.say(place, `${target} switches all traffic at once, so it cannot go by steps: use switch or blue-green`);
  }
  const byTarget = targetSteps === 'switch' ? `${target} switches` : null;
  const byStrategy = kind !== null && kind !== 'canary' ? `the strategy ${kind} moves` : null;
  const who = byTarget ?? byStrategy;
  if (who !== null) {
    const only = (path: Path, one: string, why = '') => {
      if (check.list(path).length > 1) check.say(path, `${who} all traffic at once: ${why}give the one ${one}`);
    };
    const shadow = check.at(['steps', 0, 'exposure']) === 0 ? 'it cannot have a shadow step; ' : '';
    only(['steps'], 'step { exposure: 100 }', shadow);
    only(['rollback', 'phases'], 'phase { exposure: 0 }');
  }
  if (check.at(['objective']) === 'better' && check.list(['steps']).length === 1) {
    check.say(
      ['objective'],
      'better is asked at the gates before 100 %, and this policy has none: give a step below 100, or leave it out',
    );
  }
  checkWarmUp(check);
}

function checkWarmUp(check: Check): void {
  const path = ['strategy', 'warmUp'];
  const soakMs = check.has([...path, 'for']) ? check.read(anyDuration, [...path, 'for']) : defaultWarmUp.soakMs;
  const within = check.read(anyDuration, [...path, 'within']);
  if (soakMs === undefined || within === undefined || within >= soakMs) return;
  const byDefault = check.has([...path, 'for']) ? '' : ' by default';
  check.say(
    [...path, 'within'],
    `must be at least for (${formatDuration(soakMs)}${byDefault}), is ${formatDuration(within)}`,
  );
}

/** Fills in what a strategy has by default: a blue-green one warms up, and keeps the old arm as long as it is watched. */
export function buildStrategy(given: PolicyFile['strategy'], targetSteps: TargetSteps, watchMs: number): Strategy {
  const file: Partial<StrategyMapping> = typeof given === 'object' ? given : { kind: given };
  const kind = file.kind ?? (targetSteps === 'switch' ? 'switch' : 'canary');
  const isBlueGreen = kind === 'blue-green';
  return {
    kind,
    warmUp: file.warmUp || isBlueGreen ? buildWarmUp(file.warmUp) : null,
    keepMs: file.keepOldArm ?? (isBlueGreen ? watchMs : 0),
  };
}

type StrategyMapping = Exclude<PolicyFile['strategy'], string | undefined>;

function buildWarmUp(given: StrategyMapping['warmUp']): Strategy['warmUp'] {
  const soakMs = given?.for ?? defaultWarmUp.soakMs;
  return { soakMs, maxSoakMs: given?.within ?? Math.max(defaultWarmUp.maxSoakMs, soakMs * maxWarmUpFactor) };
}
