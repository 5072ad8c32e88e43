import { shareOf } from '../../src/domain/in-force.ts';
import { serving } from '../../src/domain/served.ts';
import type { Degradation, Rollout, ServiceState } from '../../src/domain/state.ts';
import { isEnded } from '../../src/domain/turn.ts';
import type { CardView } from '../../src/ports/chat.ts';
import type { Store } from '../../src/ports/store.ts';
import { dedupKey } from '../../src/runtime/performers/page.ts';
import { silenceTag } from '../../src/runtime/performers/silence.ts';
import { INSTANCE, type WorldParts } from './instance.ts';

const MINUTE = 60_000;
/** No step, phase or proof takes longer than this. */
const LONGEST_PHASE_MS = 5 * 60 * MINUTE;

/** What does not agree after a long calm: with the world, with what people see, or with itself. */
export async function brokenEnd(parts: WorldParts, store: Store): Promise<string[]> {
  const { scene, history } = parts;
  const broken: string[] = [];
  const machineMs = scene.time.earliestMs;
  const dueMs = await store.jobs.nextDueMs();
  if (dueMs !== null && dueMs < machineMs - 1_000) broken.push(`a job is ${machineMs - dueMs} ms overdue`);
  const left = await store.accepted.list(Number.MAX_SAFE_INTEGER, 1);
  if (left.length > 0) broken.push(`alerts of ${left[0]?.service} were accepted, and nobody decides on them`);
  for (const [service, state] of history.states) {
    const add = (problems: readonly string[]) => broken.push(...problems.map((problem) => `${service}: ${problem}`));
    const stored = await store.load(service);
    if (JSON.stringify(stored?.state) !== JSON.stringify(state)) add(['what is stored is not what was committed last']);
    const journal = await store.journal({ service, limit: 1_000_000 });
    if (journal.length !== (history.journalled.get(service) ?? 0)) add(['the journal is not complete']);
    add(waitsForEver(state, machineMs));
    add(targetDiffers(parts, state));
    add(cardsDiffer(parts, state));
    add(stillPaged(parts, state));
  }
  return broken;
}

/** Every question has ended, waits for a person, or for a moment that is still to come. */
function waitsForEver({ degradation, clockMs, rollout }: ServiceState, machineMs: number): string[] {
  const broken: string[] = [];
  const stage = degradation?.stage;
  const untilMs = stage?.name === 'asking' ? stage.deadlineMs : stage && 'untilMs' in stage ? stage.untilMs : null;
  const lateMs = untilMs === null ? 0 : Math.max(clockMs, machineMs) - untilMs;
  if (lateMs > 2 * MINUTE)
    broken.push(`${degradation?.id} is ${stage?.name}, ${lateMs} ms after that should have ended`);
  const phase = rollout?.phase;
  const isMoving = phase && 'sinceMs' in phase && ['advancing', 'rolling_back', 'verifying'].includes(phase.name);
  if (rollout && isMoving && clockMs - phase.sinceMs > LONGEST_PHASE_MS)
    broken.push(`${rollout.id} is ${phase.name} for ${Math.round((clockMs - phase.sinceMs) / MINUTE)} min`);
  return broken;
}

function targetDiffers({ targets }: WorldParts, state: ServiceState): string[] {
  const truth = targets.get(state.service)?.truth;
  const { rollout, shift, timers } = state;
  if (!truth || shift || timers.reassert) return [];
  const observed = { ...truth, exposurePercent: truth.percent, ready: {}, revision: null };
  if (rollout && !isEnded(rollout.phase)) {
    const split = { stable: rollout.stable.id, candidate: rollout.candidate.id };
    const share = shareOf(observed, split, rollout.candidate.id) ?? 0;
    const known = rollout.driftPercent ?? rollout.exposurePercent;
    return Math.abs(share - known) > 1 ? [`${rollout.id} stands at ${known} %, the target at ${share} %`] : [];
  }
  // Split by hand without a rollout: nobody claims to know.
  if (truth.percent !== 0 && truth.percent !== 100) return [];
  const serves = truth.percent === 100 ? truth.candidate : truth.stable;
  const known = serving(state.served)?.id ?? null;
  return known !== null && serves !== known ? [`${known} is said to serve, and ${serves} does`] : [];
}

function cardsDiffer({ chat }: WorldParts, state: ServiceState): string[] {
  const { rollout, degradation } = state;
  const broken: string[] = [];
  const compare = (id: string, expected: unknown, shown: (view: CardView) => unknown) => {
    const content = chat.byId(`card/${id}`)?.message.content;
    if (content?.kind !== 'card') {
      if (!chat.deleted.has(`card/${id}`)) broken.push(`${id} has no card`);
      return;
    }
    const is = JSON.stringify(shown(content.view));
    if (is !== JSON.stringify(expected))
      broken.push(`the card of ${id} shows ${is}, it is ${JSON.stringify(expected)}`);
  };
  if (rollout) compare(rollout.id, shownOfRollout(rollout), (view) => view.rollout && shownOfRollout(view.rollout));
  if (degradation)
    compare(
      degradation.id,
      shownOfQuestion(degradation),
      (view) => view.degradation && shownOfQuestion(view.degradation),
    );
  return broken;
}

function shownOfRollout({ id, phase, exposurePercent, votes, stable }: Rollout) {
  return { id, phase, exposurePercent, votes, stable };
}
function shownOfQuestion({ id, stage, decision, acknowledged, extendedMs, page }: Degradation) {
  return { id, stage, decision, acknowledged, extendedMs, page };
}

/** Who is woken for what is over or for what never was, or never heard again what was silenced. */
function stillPaged({ pager, alertmanager, scene }: WorldParts, state: ServiceState): string[] {
  const all = [...state.past.degradations, ...(state.degradation ? [state.degradation] : [])];
  const ended = all.filter((degradation) => degradation.stage.name === 'ended');
  const open = ended.filter(({ id }) => pager.open(dedupKey(INSTANCE, id)) !== null);
  const keys = new Set(all.map(({ id }) => dedupKey(INSTANCE, id)));
  const ours = pager.incidents.filter((one) => one.dedupKey.startsWith(`${INSTANCE}/${state.service}-d`));
  const strange = ours.filter((one) => one.resolvedAtMs === null && !keys.has(one.dedupKey));
  const silenced = ended.filter(
    ({ id }) => (alertmanager.silences.get(silenceTag(INSTANCE, id)) ?? 0) > scene.time.latestMs,
  );
  return [
    ...open.map(({ id }) => `the incident of ${id} is open, and it has ended`),
    ...strange.map(({ dedupKey: key }) => `the incident ${key} is open, and of no degradation`),
    ...silenced.map(({ id }) => `the alerts of ${id} are silenced, and it has ended`),
  ];
}
