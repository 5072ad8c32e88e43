import type { HeldReason, ServiceState } from '../domain/state.ts';
import type { Workspace } from '../workspace/index.ts';
import { pressFor } from './answer.ts';
import type { Lab } from './lab/index.ts';
import type { Monitoring } from './monitoring.ts';
import { type Narrator, timeOfDay } from './narrator.ts';
import { CHANNEL, MAYA, SERVICE, VERSIONS } from './scenario.ts';
import type { Answer, Ending, Scenario } from './scenarios/index.ts';
import type { DemoClock } from './time/demo-clock.ts';
import type { Watch } from './watch.ts';
import { isOver, openQuestion } from './world/now.ts';

export interface Cast {
  readonly lab: Lab;
  readonly workspace: Workspace;
  readonly watch: Watch;
  readonly narrator: Narrator;
  readonly clock: DemoClock;
  readonly numbersAreIn: Monitoring['numbersAreIn'];
  readonly signal: AbortSignal;
}

/** Bound of each act, of the wall: a story that hangs says so instead of hanging. */
const ACT_WITHIN_MS = 180_000;
const TYPED_AGAIN_AFTER_MS = 3_000;
const MOST_TRIES = 20;
const [STABLE, CANDIDATE] = VERSIONS;
const arms = { stable: STABLE, candidate: CANDIDATE };

/**
 * Plays the story once. What the visitor does instead is let be: the story follows what really happens, for as long as that takes.
 * @param answer what Maya presses when people are asked.
 */
export async function play(cast: Cast, scenario: Scenario, answer: Answer = 'none'): Promise<Ending> {
  const { watch, narrator, signal } = cast;
  narrator.tell('act', `${STABLE} of ${SERVICE} serves all traffic. Prometheus begins to measure.`);
  if (!(await cast.numbersAreIn(signal, scenario.pastSeconds))) return unfinished(cast, 'Prometheus has no numbers');
  if (!(await begin(cast))) return unfinished(cast, 'the rollout did not start');

  const ready = (state: ServiceState) =>
    isOver(state.rollout) || serves(state, scenario.after.exposurePercent) || openQuestion(state) !== null;
  const there = await watch.until(ready, ACT_WITHIN_MS, signal);
  if (!there) return unfinished(cast, `${CANDIDATE} did not get to ${scenario.after.exposurePercent} %`);
  if (!isOver(there.rollout)) await getWorse(cast, scenario, answer, openQuestion(there) !== null);
  const ended = await watch.until((state) => endingOf(state, answer) !== null, endsWithinMs(answer), signal);
  const ending = ended ? endingOf(ended, answer) : null;
  const held = ended ? heldBecause(ended) : null;
  if (ending === null) return unfinished(cast, 'it has not ended');
  if (answer === 'none' && ending === 'held' && scenario.expected === 'held' && held !== scenario.heldBecause) {
    return unfinished(cast, `it is held because of ${held}, not of ${scenario.heldBecause}`);
  }
  narrator.tell('act', endings(scenario)[ending]);
  return ending;
}

/** Extensions and holds are the visitor's: only where the answer is said beforehand is there a bound. */
function endsWithinMs(answer: Answer): number {
  return answer === 'none' ? ACT_WITHIN_MS * 60 : ACT_WITHIN_MS;
}

async function getWorse(cast: Cast, scenario: Scenario, answer: Answer, isAsked: boolean): Promise<void> {
  const { lab, clock, narrator, signal } = cast;
  if (!isAsked) await clock.sleepUntil(clock.now() + scenario.after.wellForMs, signal);
  narrator.tell('act', scenario.told(arms));
  scenario.what(lab, arms);
  await question(cast, answer);
}

/** Types the command as a colleague would, unless the visitor was faster. */
async function begin({ workspace, watch, narrator, signal }: Cast): Promise<boolean> {
  const started = (state: ServiceState) => state.rollout !== null;
  for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries += 1) {
    if (await watch.until(started, tries === 0 ? 300 : TYPED_AGAIN_AFTER_MS, signal)) return true;
    const command = `/rollout start ${SERVICE} ${CANDIDATE} --reason "retrained on October's payments"`;
    narrator.tell('act', `Maya types: ${command}`);
    const { ok, error } = await workspace.user(MAYA).type(`#${CHANNEL}`, command);
    if (!ok) narrator.tell('note', `It was not delivered (${error ?? 'no answer'}); she tries again.`);
  }
  return false;
}

async function question(cast: Cast, answer: Answer): Promise<void> {
  const { watch, narrator, signal } = cast;
  const asked = await watch.until((state) => isOver(state.rollout) || isAsking(state), ACT_WITHIN_MS, signal);
  const stage = openQuestion(asked)?.stage;
  if (stage?.name !== 'asking') return;
  if (answer !== 'none') {
    await pressFor(cast, answer);
    return;
  }
  const { deadlineMs, escalateAtMs } = stage;
  const page = escalateAtMs === null ? '' : `, PagerDuty is called at ${timeOfDay(escalateAtMs)}`;
  narrator.tell(
    'act',
    `The card asks in #${CHANNEL}. Press a button there, or nobody answers${page}, and at ${timeOfDay(deadlineMs)} it is decided without you.`,
  );
}

function serves({ rollout }: ServiceState, exposurePercent: number): boolean {
  if (!rollout || rollout.exposurePercent < exposurePercent) return false;
  return rollout.phase.name === 'watching' || (rollout.phase.name === 'advancing' && rollout.phase.stage === 'soaking');
}

function isAsking(state: ServiceState): boolean {
  return openQuestion(state)?.stage.name === 'asking';
}

/** Null: it goes on. Unanswered, what a person holds goes on too: they will say how. */
function endingOf(state: ServiceState, answer: Answer): Ending | null {
  const { rollout } = state;
  const phase = rollout?.phase;
  switch (phase?.name) {
    case 'rolled_back':
    case 'succeeded':
    case 'cancelled':
    case 'stuck':
      return phase.name;
    case 'holding':
      if (answer === 'hold' && phase.by.kind === 'person') return 'held';
  }
  if (answer === 'promote' && rollout?.exposurePercent === 100) return 'promoted';
  const question = openQuestion(state);
  const isHeld = question?.stage.name === 'held' && question.stage.why !== 'person';
  return isHeld && question.page.state !== 'none' ? 'held' : null;
}

function heldBecause(state: ServiceState): HeldReason | null {
  const stage = openQuestion(state)?.stage;
  return stage?.name === 'held' ? stage.why : null;
}

function endings(scenario: Scenario): Readonly<Record<Ending, string>> {
  return {
    rolled_back: `All traffic is back on ${STABLE}, its last known good version. The report is in the thread.`,
    held: scenario.expected === 'held' ? scenario.expectation : 'It is held: nothing moves until a person says so.',
    promoted: `${CANDIDATE} has all traffic: a person decided that, and it is in the journal.`,
    succeeded: `${CANDIDATE} has all traffic: that was your decision, and it is in the journal.`,
    cancelled: 'The rollout was cancelled.',
    stuck: 'It is stuck: a person has to look, and was paged.',
    unfinished: 'It has not ended.',
  };
}

function unfinished({ narrator, signal }: Cast, why: string): Ending {
  if (!signal.aborted) narrator.tell('note', `The story stops here: ${why}. Everything stays up; look around.`);
  return 'unfinished';
}
