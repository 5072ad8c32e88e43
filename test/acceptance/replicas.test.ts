import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry, JournalKind } from '../../src/domain/effect.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { hasPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Asked, type ReplicasWorld, startReplicasWorld } from './replicas-world.ts';
import type { Fate } from './support/checkpoint.ts';
import { CHANNEL, SERVICE } from './support/outside.ts';
import { cardOf, everything, idOf } from './support/slack-talk.ts';

const ROLLOUT = `${SERVICE}-r1`;
const QUESTION = `${SERVICE}-d1`;
const passes: Fate = { is: 'passes' };
/** Asked for are 10 s; a busy machine gets more. */
const TAKE_OVER_MS = 30_000;

let world: ReplicasWorld;
let journal: readonly JournalEntry[];
let state: ServiceState;
/** Which replica was frozen, and from when to when. */
let frozen: { by: number; fromMs: number; toMs: number };
const tookOver: Record<string, number> = {};

const exposure = () => world.router.weights.candidate.percent;
const percentOf = ({ body }: Asked): number => JSON.parse(body).candidate.percent;
const wasAt = (percent: number) => world.router.changes.some(({ weights }) => weights.candidate.percent === percent);
const goesBack = () => wasAt(50);
const puts = (asked: Asked, percent: number) => asked.method === 'PUT' && percentOf(asked) === percent;

/** Somebody runs the shift to this exposure now. */
async function isShifting(percent: number): Promise<boolean> {
  const like = `%"exposurePercent":${percent}%`;
  const statement = `SELECT 1 FROM jobs WHERE kind = 'shift' AND owner IS NOT NULL AND effect LIKE '${like}'`;
  return (await world.postgres.run(statement, world.databaseUrl)).length > 0;
}

/** Somebody is talking to Slack or PagerDuty now. */
async function isSpeaking(): Promise<boolean> {
  const statement = `SELECT 1 FROM jobs WHERE owner IS NOT NULL AND kind IN ('card', 'say', 'report', 'page')`;
  return (await world.postgres.run(statement, world.databaseUrl)).length > 0;
}

/** Resolves when the one whom `choose` names at the router's door has been dealt with. */
function atTheRouter(deal: (asked: Asked) => Promise<Fate | null>): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDone = false;
    world.atRouter = async (asked) => {
      if (isDone) return passes;
      try {
        const fate = await deal(asked);
        if (fate === null || isDone) return passes;
        isDone = true;
        resolve();
        return fate;
      } catch (error) {
        reject(error);
        return passes;
      }
    };
  });
}

async function read(): Promise<void> {
  const { store } = await openPostgresStore(world.databaseUrl, { onProblem: () => undefined });
  try {
    const stored = await store.load(SERVICE);
    if (!stored) throw new Error('Nothing was written down.');
    state = stored.state;
    const all = (await store.journal({ service: SERVICE, limit: 500 })).map(({ entry }) => entry).reverse();
    journal = all.slice(all.findIndex(({ what }) => what === 'rollout-started'));
  } finally {
    await store.close();
  }
}

describe.skipIf(!hasPostgres)(`three replicas on one PostgreSQL${withoutPostgres}`, { timeout: 300_000 }, () => {
  beforeAll(async () => {
    world = await startReplicasWorld();
    await world.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42 --reason "weekly retraining"`);
    await world.until('v42 gets 70 %', () => exposure() === 70, 60_000);

    // The first phase is in force, its answer is lost, and who asked for it is killed.
    let killedAtMs = 0;
    let killed = -1;
    const killing = atTheRouter(async (asked) => {
      if (!puts(asked, 50) || asked.by === null) return null;
      const victim = asked.by;
      return {
        is: 'unanswered',
        async meanwhile() {
          killed = victim;
          await world.replicas[victim]?.kill();
          killedAtMs = Date.now();
        },
      };
    });
    world.worsen(0.2);
    await Promise.all([world.alert('ErrorsHigh'), world.alert('LatencyHigh')]);
    await killing;
    await world.until('the killed one is gone', () => killedAtMs > 0, 30_000);
    const asksAgain = () => world.asked.find(({ by, atMs }) => atMs > killedAtMs && by !== null && by !== killed);
    await world.until('another one looks at the router', () => asksAgain() !== undefined, TAKE_OVER_MS);
    tookOver.killed = (asksAgain()?.atMs ?? Number.NaN) - killedAtMs;

    // Who is about to order the next phase has looked, and stands still before it orders.
    const freezing = atTheRouter(async (asked) => {
      if (asked.method !== 'GET' || asked.by === null || exposure() !== 50 || !(await isShifting(10))) return null;
      // A message that is being sent at this very moment was begun before: it is not what this is about.
      await world.until('nothing is being said', async () => !(await isSpeaking()), 4_000);
      world.replicas[asked.by]?.freeze();
      frozen = { by: asked.by, fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY };
      return passes;
    });
    await freezing;
    await world.until('10 % all the same', () => exposure() === 10 && goesBack(), TAKE_OVER_MS);
    tookOver.frozen = (world.router.changes.at(-1)?.atMs ?? Number.NaN) - frozen.fromMs;
    world.replicas[killed]?.start();
    world.replicas[frozen.by]?.thaw();
    frozen.toMs = Date.now();

    // The last phase is in force, and the database crashes before anybody can write that down.
    let crashedAtMs = 0;
    const crashing = atTheRouter(async (asked) => {
      if (!puts(asked, 0) || !goesBack()) return null;
      return {
        is: 'unanswered',
        async meanwhile() {
          await world.postgres.halt('immediate');
          crashedAtMs = Date.now();
          await world.postgres.start();
        },
      };
    });
    await world.postgres.cut();
    await crashing;
    await world.until(
      '0 % is read back',
      async () => crashedAtMs > 0 && !(await isShifting(0).catch(() => true)),
      60_000,
    );
    tookOver.database = Date.now() - crashedAtMs;
    await world.postgres.cut();
    await Promise.all([world.alert('ErrorsHigh', 'resolved'), world.alert('LatencyHigh', 'resolved')]);
    const reported = () =>
      everything(world.workspace, CHANNEL).some((message) => idOf(message) === `report/${QUESTION}`);
    await world.until('the report stands', reported, 90_000);
    const isOver = () => /Rolled back\b(?!,)/.test(cardOf(world.workspace, CHANNEL, `card/${QUESTION}`)?.text ?? '');
    await world.until('the card says how it ended', isOver, 60_000);
    await world.until(
      'nothing is left to do but timers',
      async () => {
        const jobs = await world.postgres.run(`SELECT 1 FROM jobs WHERE kind <> 'timer'`, world.databaseUrl);
        return jobs.length === 0;
      },
      60_000,
    );
    await Promise.all(world.replicas.map((replica) => replica.ready(60_000)));
    expect(await Promise.all(world.replicas.map((replica) => replica.stop()))).toEqual([0, 0, 0]);
    await read();
    const measured = Object.entries(tookOver).map(([what, ms]) => `${what} ${ms} ms`);
    process.stdout.write(`Taken over after: ${measured.join(', ')}.\n`);
  }, 300_000);
  afterAll(() => world?.stop());

  it('moves traffic once for each decision, in order', () => {
    const inForce = world.router.changes.map(({ weights }) => weights.candidate.percent);
    expect(inForce.filter((percent, index) => percent !== inForce[index - 1])).toEqual([0, 10, 70, 50, 10, 0]);
    const asked = world.asked.filter(({ method }) => method === 'PUT').map(percentOf);
    expect(asked.filter((percent, index) => percent !== asked[index - 1])).toEqual([10, 70, 50, 10, 0]);
  });

  it('the one that was frozen did nothing about what others had taken over', () => {
    const late = world.asked.filter(
      ({ method, by, atMs }) => method === 'PUT' && by === frozen.by && atMs >= frozen.fromMs,
    );
    expect(late.filter((asked) => puts(asked, 10))).toEqual([]);
  });

  it('posts every card, every line and every report once', () => {
    const ids = everything(world.workspace, CHANNEL).map(idOf);
    expect(ids).not.toContain(null);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(world.workspace.messages(CHANNEL).map(idOf)).toEqual([`card/${ROLLOUT}`, `card/${QUESTION}`]);
  });

  it('wakes people for one incident, and ends it', () => {
    expect(world.pagerDuty.incidents()).toMatchObject([
      { state: 'resolved', dedupKey: expect.stringMatching(new RegExp(`/${QUESTION}$`)) },
    ]);
  });

  it('decides everything once', () => {
    expect(state.rollout?.phase.name).toBe('rolled_back');
    expect(state.degradation?.stage).toMatchObject({ name: 'ended', outcome: 'rolled-back' });
    const count = (what: JournalKind) => journal.filter((entry) => entry.what === what).length;
    const kinds: readonly JournalKind[] = [
      'rollout-started',
      'step-ordered',
      'question-opened',
      'deadline-reached',
      'rollback-decided',
      'rolled-back',
      'question-ended',
    ];
    expect(Object.fromEntries(kinds.map((what) => [what, count(what)]))).toEqual(
      Object.fromEntries(kinds.map((what) => [what, 1])),
    );
    expect(count('phase-ordered')).toBe(3);
    expect(count('shifted')).toBe(5);
    expect(count('alert-resolved')).toBe(2);
  });

  it('is taken over in time', () => {
    for (const ms of Object.values(tookOver)) expect(ms).toBeLessThan(TAKE_OVER_MS);
  });
});
