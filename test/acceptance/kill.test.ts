import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry, JournalKind } from '../../src/domain/effect.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { openStore } from '../../src/runtime/store.ts';
import { DEADLINE_MS, type Death, type KillWorld, startKillWorld } from './kill-world.ts';
import type { Crossing } from './support/checkpoint.ts';
import { CHANNEL, SERVICE } from './support/outside.ts';
import { cardOf, everything, idInBody, idOf } from './support/slack-talk.ts';

const ROLLOUT = `${SERVICE}-r1`;
const QUESTION = `${SERVICE}-d1`;
/** A restart takes half a second alone and several on a busy machine. */
const RESTART_MS = 8_000;
/** Entries of the journal that are not told in a thread. */
const untold: readonly JournalKind[] = ['step-ordered', 'phase-ordered', 'question-ended', 'page-resolved'];

let world: KillWorld;
let journal: readonly JournalEntry[];
let state: ServiceState;
/** The question is opened by the first delivery, also where the process dies before it has answered. */
let openedMs = 0;

const exposure = () => world.router.weights.candidate.percent;
const percentOf = (crossing: Crossing): number => JSON.parse(crossing.body).candidate.percent;
const wasAt = (percent: number) => world.router.changes.some(({ weights }) => weights.candidate.percent === percent);
const goesBack = () => wasAt(50);

const posts = (id: string | RegExp) => (crossing: Crossing) =>
  crossing.path.endsWith('/chat.postMessage') && new RegExp(id).test(idInBody(crossing.body) ?? '');
const updates = (id: string) => (crossing: Crossing) =>
  crossing.path.endsWith('/chat.update') && idInBody(crossing.body) === id;
const puts = (percent: number) => (crossing: Crossing) => crossing.method === 'PUT' && percentOf(crossing) === percent;
const looks = (crossing: Crossing) => crossing.path.startsWith('/api/v1/query_range');
/** Of questions: what the process before may have paged about its database is ended by the next, some time after a kill. */
const pages = (action: string) => (crossing: Crossing) => {
  const { event_action, dedup_key } = JSON.parse(crossing.body);
  return event_action === action && !dedup_key.endsWith('/database');
};

/** In the order of the story; of two with the same words the first is met first. */
function deaths(): Death[] {
  const line = `^say/`;
  return [
    {
      what: 'first shift: in force, answer lost',
      at: 'router',
      request: 'unanswered',
      matches: (c) => puts(10)(c) && !wasAt(70),
    },
    {
      what: 'card of the rollout: posted, answer lost',
      at: 'slack',
      request: 'unanswered',
      matches: posts(`^card/${ROLLOUT}`),
    },
    { what: 'first line of the thread: posted, answer lost', at: 'slack', request: 'unanswered', matches: posts(line) },
    { what: 'soaking: a look', at: 'prometheus', request: 'lost', matches: (c) => looks(c) && exposure() === 10 },
    { what: 'second shift: never arrived', at: 'router', request: 'lost', matches: puts(70) },
    { what: 'card of the question: never arrived', at: 'slack', request: 'lost', matches: posts(`^card/${QUESTION}`) },
    {
      what: 'card of the question: posted, answer lost',
      at: 'slack',
      request: 'unanswered',
      matches: posts(`^card/${QUESTION}`),
    },
    {
      what: 'card of the question: an update',
      at: 'slack',
      request: 'unanswered',
      matches: updates(`card/${QUESTION}`),
    },
    { what: 'page: taken, answer lost', at: 'pagerduty', request: 'unanswered', matches: pages('trigger') },
    {
      what: 'deadline: the look before the decision',
      at: 'prometheus',
      request: 'lost',
      matches: (c) => looks(c) && openedMs > 0 && Date.now() > openedMs + DEADLINE_MS && !goesBack(),
    },
    { what: 'phase 50: in force, answer lost', at: 'router', request: 'unanswered', matches: puts(50) },
    {
      // Whichever is said while it goes back: the line of a phase may be said before it is in force, and late where one before it was lost.
      what: 'on the way back: a line posted, answer lost',
      at: 'slack',
      request: 'unanswered',
      matches: (c) => posts(line)(c) && goesBack(),
    },
    { what: 'phase 50: a look', at: 'prometheus', request: 'lost', matches: (c) => looks(c) && exposure() === 50 },
    { what: 'phase 10: never arrived', at: 'router', request: 'lost', matches: (c) => puts(10)(c) && goesBack() },
    { what: 'phase 0: in force, answer lost', at: 'router', request: 'unanswered', matches: puts(0) },
    {
      what: 'verifying: a look',
      at: 'prometheus',
      request: 'lost',
      matches: (c) => looks(c) && exposure() === 0 && goesBack(),
    },
    { what: 'end of the page: taken, answer lost', at: 'pagerduty', request: 'unanswered', matches: pages('resolve') },
    { what: 'report: never arrived', at: 'slack', request: 'lost', matches: posts('^report/') },
    { what: 'report: posted, answer lost', at: 'slack', request: 'unanswered', matches: posts('^report/') },
  ];
}

describe('killed with -9 in the middle of everything, and started again at once', { timeout: 170_000 }, () => {
  beforeAll(async () => {
    world = await startKillWorld();
    world.waiting.push(...deaths());
    const all = world.waiting.length;

    // Whether Slack gets its acknowledgement before the first death is chance, and of no account.
    await world.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42 --reason "weekly retraining"`);
    await world.until('v42 gets 70 %', () => exposure() === 70, 60_000);
    await world.until(
      'the rollout card says so',
      () => /70 %/.test(cardOf(world.workspace, CHANNEL, `card/${ROLLOUT}`)?.text ?? ''),
      20_000,
    );

    world.worsen(0.2);
    await world.app.ready();
    openedMs = Date.now();
    await world.alert('ErrorsHigh');
    await world.die('right after the webhook was acknowledged');
    await world.until(
      'the card stands',
      () => cardOf(world.workspace, CHANNEL, `card/${QUESTION}`) !== undefined,
      20_000,
    );
    await world.alert('LatencyHigh');
    await world.die('right after the second webhook was acknowledged');
    await world.until('somebody is paged', () => world.pagerDuty.incidents().length > 0, 20_000);
    // It passes while nobody is there.
    await world.until('the deadline is near', () => Date.now() > openedMs + DEADLINE_MS - 150, 20_000);
    await world.die('across the deadline');

    await world.until('all traffic is back', () => goesBack() && exposure() === 0, 40_000);
    await world.alert('ErrorsHigh', 'resolved');
    await world.alert('LatencyHigh', 'resolved');
    const reported = () =>
      everything(world.workspace, CHANNEL).some((message) => idOf(message) === `report/${QUESTION}`);
    await world.until('the report stands', reported, 40_000);
    // A death waits no more when its request comes, and happens when that has arrived.
    await world.until('everything that was to happen happened', () => world.died.length >= all + 3, 5_000);
    expect(world.died).toHaveLength(all + 3);
    // Some of them may have come in one instant.
    expect(world.app.generation).toBeGreaterThan(15);
    // What is left to say is said.
    const isRolledBack = () =>
      /Rolled back\b(?!,)/.test(cardOf(world.workspace, CHANNEL, `card/${QUESTION}`)?.text ?? '');
    await world.until('the card says how it ended', isRolledBack, 20_000);
    await world.app.ready();
    expect(await world.app.stop()).toBe(0);
    await read();
    process.stdout.write(
      `${world.app.generation - 1} kills for ${world.died.length} deaths: ${world.died.join('; ')}.\nThe deadline is ${DEADLINE_MS} ms after the question; decided after ${decidedAfterMs()} ms.\n`,
    );
  }, 170_000);
  afterAll(() => world?.stop());

  it('loses no alert that it acknowledged', () => {
    expect(state.alerts.map(({ name, status }) => [name, status]).sort()).toEqual([
      ['ErrorsHigh', 'resolved'],
      ['LatencyHigh', 'resolved'],
    ]);
    expect(state.degradation?.signals.map((s) => (s.kind === 'alert' ? s.name : s.kind))).toEqual([
      'ErrorsHigh',
      'LatencyHigh',
    ]);
  });

  it('posts every card, every line and every report once', () => {
    const ids = everything(world.workspace, CHANNEL).map(idOf);
    expect(ids).not.toContain(null);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(world.workspace.messages(CHANNEL).map(idOf)).toEqual([`card/${ROLLOUT}`, `card/${QUESTION}`]);
    const told = journal.filter(({ what }) => !untold.includes(what));
    expect(ids.filter((id) => id?.startsWith('say/'))).toHaveLength(told.length);
    expect(ids.filter((id) => id?.startsWith('report/'))).toEqual([`report/${QUESTION}`]);
  });

  it('never moves traffic to where nobody decided, and takes it back phase by phase', () => {
    const inForce = world.router.changes.map(({ weights }) => weights.candidate.percent);
    expect(inForce.filter((percent, index) => percent !== inForce[index - 1])).toEqual([0, 10, 70, 50, 10, 0]);
    const asked = world.crossings.router.filter(({ method }) => method === 'PUT').map(percentOf);
    expect(asked.filter((percent, index) => percent !== asked[index - 1])).toEqual([10, 70, 50, 10, 0]);
  });

  it('keeps the deadline: not a moment early, and late by no more than it was away', () => {
    expect(decidedAfterMs()).toBeGreaterThanOrEqual(DEADLINE_MS);
    // Two deaths at the deadline itself.
    expect(decidedAfterMs()).toBeLessThan(DEADLINE_MS + 2 * RESTART_MS);
  });

  it('wakes people for one incident, and ends it', () => {
    const incidents = world.pagerDuty.incidents();
    expect(incidents).toMatchObject([
      { state: 'resolved', dedupKey: expect.stringMatching(new RegExp(`/${QUESTION}$`)) },
    ]);
    expect(journal.filter(({ what }) => what === 'paged')).toHaveLength(1);
  });

  it('ends rolled back, with every decision in the journal once', () => {
    expect(state.rollout?.phase.name).toBe('rolled_back');
    expect(state.degradation?.stage).toMatchObject({ name: 'ended', outcome: 'rolled-back' });
    const count = (what: JournalKind) => journal.filter((entry) => entry.what === what).length;
    const kinds = [...new Set(journal.map(({ what }) => what))].sort();
    expect(Object.fromEntries(kinds.map((what) => [what, count(what)]))).toEqual({
      'rollout-started': 1,
      'step-ordered': 1,
      'gate-passed': 1,
      shifted: 5,
      'question-opened': 1,
      'question-joined': 1,
      paged: 1,
      'page-resolved': 1,
      'deadline-reached': 1,
      'rollback-decided': 1,
      'phase-ordered': 3,
      'phase-passed': 2,
      'alert-resolved': 2,
      'rolled-back': 1,
      'question-ended': 1,
    });
  });
});

function decidedAfterMs(): number {
  const at = (what: JournalKind) => journal.find((entry) => entry.what === what)?.atMs ?? Number.NaN;
  return at('rollback-decided') - at('question-opened');
}

/** What the app wrote down, once it has let go of it. */
async function read(): Promise<void> {
  const store = await openStore(world.databasePath);
  try {
    const stored = await store.load(SERVICE);
    if (!stored) throw new Error('Nothing was written down.');
    state = stored.state;
    const all = (await store.journal({ service: SERVICE, limit: 500 })).map(({ entry }) => entry).reverse();
    // What served before is noted when the target is first looked at, which may be before the start or never.
    journal = all.slice(all.findIndex(({ what }) => what === 'rollout-started'));
  } finally {
    await store.close();
  }
}
