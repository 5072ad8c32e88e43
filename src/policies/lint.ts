import { needsReference } from '../analysis/kinds/index.ts';
import type { Policy } from '../domain/policy.ts';
import { duration, list, percent } from '../domain/words.ts';
import type { Finding } from './explain.ts';
import { about, type Measured, neverBetter, type Soak, unreachable, type Watched, watched } from './lint-in-time.ts';
import { percentOf } from './lint-words.ts';
import type { PolicyFile } from './schema.ts';

/**
 * What is right in a policy and will not do what it is there for: a regression that could not be noticed in its soak, a gate that
 * could not be passed in it. Nothing here is a problem: the policy is taken, and people are told.
 */

/**
 * Everything to be said about a policy without problems, in the order of its steps and metrics. What was `measured`, metric by
 * metric, holds instead of what the policy expects.
 */
export function lintPolicy(policy: Policy, written: PolicyFile, measured: readonly Measured[] = []): Finding[] {
  // Without a share of the traffic there is no second arm, and at 100 % no first one.
  const soaks = policy.steps
    .map((step, index) => ({ step, index }))
    .filter(({ step }) => step.soakMs > 0 && step.exposurePercent > 0 && step.exposurePercent < 100);
  // What is said of a step that is too short for anything need not be said of each metric.
  const long = soaks.filter(({ step }) => step.maxSoakMs >= fewestWindowsMs(policy));
  const metrics = policy.metrics.flatMap((_, index) => watched(policy, written, index, measured[index]));
  return [
    ...soaks.flatMap((soak) => shortSoak(policy, soak)),
    ...metrics.flatMap((metric) => [
      ...oneArm(metric),
      ...unlikelyShare(metric),
      ...lateLabels(metric, long),
      ...unreachable(metric, long),
    ]),
    ...neverBetter(policy, long, metrics),
  ];
}

/** The gate asks for `minimumWindows` windows that end after the shift's warm-up. */
function fewestWindowsMs({ comparison }: Policy): number {
  return comparison.warmUpMs + comparison.minimumWindows * comparison.windowMs;
}

function shortSoak(policy: Policy, { index, step }: Soak): Finding[] {
  const { windowMs, warmUpMs, minimumWindows } = policy.comparison;
  const neededMs = fewestWindowsMs(policy);
  if (step.soakMs >= neededMs) return [];
  const windows = `${minimumWindows} ${minimumWindows === 1 ? 'window' : 'windows'} of ${duration(windowMs)}`;
  const least = `the warm-up (${duration(warmUpMs)}) and ${windows} take ${duration(neededMs)}`;
  if (step.maxSoakMs < neededMs) {
    const message = `${least}, and the step waits ${duration(step.maxSoakMs)} at most: its gate can never be passed, people are asked each time`;
    return [{ path: ['steps', index, 'maxSoak'], at: 'value', message }];
  }
  const message = `${least}: the gate cannot be passed within the soak of ${duration(step.soakMs)}, only later`;
  return [{ path: ['steps', index, 'soak'], at: 'value', message }];
}

function oneArm(one: Watched): Finding[] {
  // What is held against a limit of its own loses nothing by it.
  if (one.metric.arms !== 'one' || !needsReference(one.metric.source.kind)) return [];
  return [
    about(
      one,
      'has one series for the whole service, so only before and after can be compared: whether stable got just as much worse cannot be told. Put {{version}} or {{arm}} into its selectors if its labels allow',
    ),
  ];
}

function unlikelyShare(one: Watched): Finding[] {
  const expected = one.written?.expected ?? 0;
  if (one.metric.source.kind === 'rate' || expected <= 0.5) return [];
  return [
    about(
      one,
      `expected is the share of bad events with stable: ${percentOf(expected)} would be most of them. If so many are good, write ${percentOf(1 - expected).replace(' ', '')}`,
      'expected',
    ),
  ];
}

function lateLabels(one: Watched, soaks: readonly Soak[]): Finding[] {
  const delayMs = one.metric.labelDelayMs ?? 0;
  const late = soaks.filter(({ step }) => delayMs >= step.maxSoakMs);
  if (delayMs === 0 || late.length === 0) return [];
  const where = list(late.map(({ step }) => `${percent(step.exposurePercent)} (at most ${duration(step.maxSoakMs)})`));
  return [
    about(
      one,
      `its labels come ${duration(delayMs)} late, and the step at ${where} is over by then: this metric judges nothing of it in time`,
      'labelDelay',
    ),
  ];
}
