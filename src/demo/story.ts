import type { ServiceState } from '../domain/state.ts';
import type { Workspace } from '../workspace/index.ts';
import type { Lab } from './lab/index.ts';
import { type Narrator, timeOfDay } from './narrator.ts';
import { pause } from './pause.ts';
import { CHANNEL, ERROR_SHARE, MAYA, SERVICE, VERSIONS } from './scenario.ts';
import type { Watch } from './watch.ts';
import { isOver, openQuestion } from './world/now.ts';

export interface Cast {
  readonly lab: Lab;
  readonly workspace: Workspace;
  readonly watch: Watch;
  readonly narrator: Narrator;
  /** Resolves true as soon as Prometheus has numbers of the serving version. */
  readonly numbersAreIn: (signal: AbortSignal) => Promise<boolean>;
  readonly signal: AbortSignal;
}

export type Ending = 'rolled_back' | 'succeeded' | 'cancelled' | 'unfinished';

/** Bound of each act: a story that hangs says so instead of hanging. */
const ACT_WITHIN_MS = 120_000;
/** At the second step for this long, so that what follows is seen to come of the new version and not of the step. */
const WELL_FOR_MS = 3_000;
const [STABLE, CANDIDATE] = VERSIONS;

/** Plays the story once. What the visitor does instead is let be: the story follows what really happens. */
export async function play(cast: Cast): Promise<Ending> {
  const { lab, watch, narrator, signal } = cast;
  narrator.tell('act', `${STABLE} of ${SERVICE} serves all traffic. Prometheus begins to measure.`);
  if (!(await cast.numbersAreIn(signal))) return unfinished(cast, 'Prometheus has no numbers');
  if (!(await begin(cast))) return unfinished(cast, 'the rollout did not start');

  const ready = (state: ServiceState) => isOver(state.rollout) || isServingHalf(state) || openQuestion(state) !== null;
  const there = await watch.until(ready, ACT_WITHIN_MS, signal);
  if (!there) return unfinished(cast, `${CANDIDATE} did not get to the second step`);
  if (!isOver(there.rollout)) {
    await pause(openQuestion(there) ? 0 : WELL_FOR_MS, signal);
    narrator.tell('act', `${CANDIDATE} degrades: from now on ${ERROR_SHARE * 100} % of its requests fail.`);
    lab.worsen('errors', ERROR_SHARE, CANDIDATE);
    await question(cast);
  }
  // Extensions and holds are the visitor's: only without any of them is there a bound.
  const ended = await watch.until((state) => isOver(state.rollout), ACT_WITHIN_MS * 60, signal);
  const name = ended?.rollout?.phase.name;
  if (name !== 'rolled_back' && name !== 'succeeded' && name !== 'cancelled')
    return unfinished(cast, 'it has not ended');
  narrator.tell('act', endings[name]);
  return name;
}

const endings = {
  rolled_back: `All traffic is back on ${STABLE}, its last known good version. The report is in the thread.`,
  succeeded: `${CANDIDATE} has all traffic: that was your decision, and it is in the journal.`,
  cancelled: 'The rollout was cancelled.',
};

/** Types the command as a colleague would, unless the visitor was faster. */
async function begin({ workspace, watch, narrator, signal }: Cast): Promise<boolean> {
  const started = (state: ServiceState) => state.rollout !== null;
  for (let tries = 0; tries < 20 && !signal.aborted; tries += 1) {
    if (await watch.until(started, tries === 0 ? 300 : 3_000, signal)) return true;
    const command = `/rollout start ${SERVICE} ${CANDIDATE} --reason "retrained on October's payments"`;
    narrator.tell('act', `Maya types: ${command}`);
    const { ok, error } = await workspace.user(MAYA).type(`#${CHANNEL}`, command);
    if (!ok) narrator.tell('note', `It was not delivered (${error ?? 'no answer'}); she tries again.`);
  }
  return false;
}

async function question({ watch, narrator, signal }: Cast): Promise<void> {
  const asked = await watch.until((state) => isOver(state.rollout) || isAsking(state), ACT_WITHIN_MS, signal);
  const stage = openQuestion(asked)?.stage;
  if (stage?.name !== 'asking') return;
  const { deadlineMs, escalateAtMs } = stage;
  const page = escalateAtMs === null ? '' : `, PagerDuty is called at ${timeOfDay(escalateAtMs)}`;
  narrator.tell(
    'act',
    `The card asks in #${CHANNEL}. Press a button there — or nobody answers${page}, and at ${timeOfDay(deadlineMs)} it rolls back by itself.`,
  );
}

function isServingHalf({ rollout }: ServiceState): boolean {
  if (!rollout || rollout.exposurePercent < 50) return false;
  return rollout.phase.name === 'watching' || (rollout.phase.name === 'advancing' && rollout.phase.stage === 'soaking');
}

function isAsking(state: ServiceState): boolean {
  return openQuestion(state)?.stage.name === 'asking';
}

function unfinished({ narrator, signal }: Cast, why: string): Ending {
  if (!signal.aborted) narrator.tell('note', `The story stops here: ${why}. Everything stays up; look around.`);
  return 'unfinished';
}
