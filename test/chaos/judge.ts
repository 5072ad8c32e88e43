import type { JournalEntry, JournalKind } from '../../src/domain/effect.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { CANDIDATE, CHANNEL, SERVICE } from '../acceptance/support/outside.ts';
import { everything, idOf } from '../acceptance/support/slack-talk.ts';
import type { AcknowledgedAlert, Seen } from './run.ts';
import { type ChaosWorld, DEADLINE_MS, PATH } from './world.ts';

/** Entries of the journal that are not told in a thread. */
const untold: readonly JournalKind[] = ['step-ordered', 'phase-ordered', 'question-ended', 'page-resolved'];

export interface Verdict {
  readonly kills: number;
  readonly killsWhileRollingBack: number;
  readonly rollbacks: number;
  readonly alertsAcknowledged: number;
  readonly alertsLost: readonly string[];
  readonly messages: number;
  readonly duplicates: readonly string[];
  /** Lines of the journal that should stand in a thread, less those that do. */
  readonly linesMissing: number;
  readonly weightsSet: number;
  /** What is not the plan's way, each as a sentence. */
  readonly wrongWeights: readonly string[];
  readonly deadlines: number;
  readonly earliestMs: number;
  readonly latestMs: number;
  /** Of the lateness, how much the app was ready in. */
  readonly latestWhileReadyMs: number;
  readonly incidents: number;
  /** Pages that did not end, and rollbacks that did not. */
  readonly unfinished: readonly string[];
}

/** Compares what was promised with what is there: in the store, in Slack, in HAProxy, in PagerDuty. */
export async function judge(world: ChaosWorld, seen: Seen): Promise<Verdict> {
  const store = await world.openStore();
  try {
    const stored = await store.load(SERVICE);
    if (!stored) throw new Error('Nothing was written down.');
    const journal = (await store.journal({ service: SERVICE, limit: 100_000 })).map(({ entry }) => entry).reverse();
    const lost = await lostAlerts(store, seen.acknowledged, journal);
    const posted = everything(world.workspace, CHANNEL).map(idOf);
    const ids = posted.map((id) => id ?? 'a message without an id');
    const lines = ids.filter((id) => id.startsWith('say/')).length;
    const begun = journal.slice(journal.findIndex(({ what }) => what === 'rollout-started'));
    return {
      kills: seen.kills.length,
      killsWhileRollingBack: seen.kills.filter(({ rollingBack }) => rollingBack).length,
      rollbacks: journal.filter(({ what }) => what === 'rolled-back').length,
      alertsAcknowledged: seen.acknowledged.length,
      alertsLost: lost,
      messages: ids.length,
      duplicates: ids.filter((id, index) => ids.indexOf(id) !== index),
      linesMissing: begun.filter(({ what }) => !untold.includes(what)).length - lines,
      weightsSet: world.sets.length,
      wrongWeights: wrongWeights(world.sets, seen.rollouts),
      ...deadlines(journal, seen),
      incidents: world.pagerDuty.incidents().length,
      unfinished: unfinished(world, seen, stored.state, journal),
    };
  } finally {
    await store.close();
  }
}

/** Lost: its event is not there, or nothing was made of it. */
async function lostAlerts(
  store: Store,
  acknowledged: readonly AcknowledgedAlert[],
  journal: readonly JournalEntry[],
): Promise<readonly string[]> {
  const told = journal.map(({ text }) => text).join('\n');
  const lost: string[] = [];
  for (const { name, status, startsAtMs, fingerprint } of acknowledged) {
    const key = `alert/${SERVICE}/${fingerprint}/${startsAtMs}/${status}`;
    const event = { type: 'policy_changed' } as const;
    const isNew = await store.transaction((unit) => unit.insertEvent({ key, service: SERVICE, event, atMs: 0 }));
    if (isNew) lost.push(`${name} ${status}: not stored`);
    else if (status === 'firing' && !told.includes(name)) lost.push(`${name} ${status}: nothing was made of it`);
  }
  return lost;
}

/** Every weight that was set must be the next of the plan, for each server by itself. */
function wrongWeights(sets: readonly string[], rollouts: number): readonly string[] {
  const wrong: string[] = [];
  const ways = { [CANDIDATE]: PATH, v41: PATH.map((percent) => 100 - percent) };
  for (const [server, way] of Object.entries(ways)) {
    const set = sets
      .filter((command) => command.includes(`/${server} `))
      .map((command) => Number(command.split(' ').at(-1)));
    const taken = set.filter((weight, index) => weight !== set[index - 1]);
    const planned = Array.from({ length: rollouts }, () => way).flat();
    if (JSON.stringify(taken) !== JSON.stringify(planned))
      wrong.push(`${server}: ${taken.join(' ')} instead of ${rollouts} times ${way.join(' ')}`);
  }
  return wrong;
}

function deadlines(journal: readonly JournalEntry[], seen: Seen) {
  const late: { ms: number; readyMs: number }[] = [];
  for (const { degradationId, atMs } of journal.filter(({ what }) => what === 'question-opened')) {
    const decided = journal.find((one) => one.what === 'rollback-decided' && one.degradationId === degradationId);
    if (!decided) continue;
    const dueMs = atMs + DEADLINE_MS;
    const readyMs = seen.up.reduce((sum, { fromMs, toMs }) => {
      return sum + Math.max(0, Math.min(toMs, decided.atMs) - Math.max(fromMs, dueMs));
    }, 0);
    late.push({ ms: decided.atMs - dueMs, readyMs });
  }
  return {
    deadlines: late.length,
    earliestMs: Math.min(...late.map(({ ms }) => ms)),
    latestMs: Math.max(...late.map(({ ms }) => ms)),
    latestWhileReadyMs: Math.max(...late.map(({ readyMs }) => readyMs)),
  };
}

function unfinished(
  world: ChaosWorld,
  seen: Seen,
  state: ServiceState,
  journal: readonly JournalEntry[],
): readonly string[] {
  const count = (what: JournalKind) => journal.filter((entry) => entry.what === what).length;
  const found: string[] = [];
  if (state.rollout?.phase.name !== 'rolled_back') found.push(`the last rollout is ${state.rollout?.phase.name}`);
  for (const what of ['rollout-started', 'rollback-decided', 'rolled-back'] as const)
    if (count(what) !== seen.rollouts) found.push(`${what} ${count(what)} times, not ${seen.rollouts}`);
  const open = world.pagerDuty.incidents().filter((incident) => incident.state !== 'resolved');
  for (const { dedupKey } of open) found.push(`the incident ${dedupKey} is open`);
  return found;
}

/** What is wrong, in sentences; none: all was kept. */
export function complaints(verdict: Verdict, latestWhileReadyMs: number): readonly string[] {
  const { alertsLost, duplicates, linesMissing, wrongWeights, unfinished } = verdict;
  return [
    ...alertsLost.map((alert) => `Lost: ${alert}.`),
    ...duplicates.map((id) => `Posted twice: ${id}.`),
    ...(linesMissing === 0 ? [] : [`${linesMissing} lines are missing in threads.`]),
    ...wrongWeights.map((weights) => `Wrong weights: ${weights}.`),
    ...unfinished.map((what) => `Not finished: ${what}.`),
    ...(verdict.deadlines === verdict.rollbacks
      ? []
      : [`${verdict.deadlines} deadlines for ${verdict.rollbacks} rollbacks.`]),
    ...(verdict.earliestMs >= 0 ? [] : [`A deadline was ${-verdict.earliestMs} ms early.`]),
    ...(verdict.latestWhileReadyMs <= latestWhileReadyMs
      ? []
      : [`A deadline was ${verdict.latestWhileReadyMs} ms late while the app was ready.`]),
  ];
}
