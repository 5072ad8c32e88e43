import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Submission } from '../../src/workspace/types.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { startBalancer } from './support/balancer.ts';
import { eventually } from './support/eventually.ts';
import { CHANNEL, hastyPolicy, type Outside, SERVICE, startOutside } from './support/outside.ts';

const ROUNDS = 12;
const ANN = 'U0ANN';
const BOB = 'U0BOB';

let postgres: PostgresServer;
let router: Router;
let outside: Outside;
let apps: App[] = [];
let stopBalancer: () => Promise<void>;

const share = () => router.weights.candidate.percent;
const until = (what: string, isTrue: () => boolean | Promise<boolean>) =>
  eventually(what, isTrue, { withinMs: 60_000, everyMs: 5 });
const phase = async () => (await apps[0]?.application.status(SERVICE))?.state.rollout?.phase.name;

async function startApps(): Promise<void> {
  const databaseUrl = await postgres.database();
  const { directory, environment } = outside;
  const policy = hastyPolicy({
    target: routerTarget(router.url),
    steps: ['{ exposure: 70, soak: 10m, maxSoak: 20m }', '{ exposure: 100 }'],
    phases: ['{ exposure: 0 }'],
    verify: '{ soak: 500ms, maxSoak: 1s }',
    deadlineS: 600,
    stability: '1s',
    escalate: '{ after: 5m, repeat: 1h }',
  });
  await writeFile(join(directory, `${SERVICE}.yaml`), policy);
  const urls: string[] = [];
  for (const n of [0, 1]) {
    const more = { DATABASE_URL: databaseUrl, POLICY_DIR: directory, DATA_DIR: join(directory, `${n}`), PORT: '0' };
    const app = await createApp(loadConfig({ ...environment, ...more, LOG_LEVEL: 'silent' }));
    apps.push(app);
    urls.push((await app.start()).url);
  }
  // Ann reaches the one and Bob the other.
  const balancer = await startBalancer(urls, (body) => (body.includes(BOB) ? 1 : 0));
  stopBalancer = () => balancer.stop();
  outside.workspace.connect(balancer.url);
}

/** A rollout at 70 %, its card there with its buttons; answers what to press on. */
async function atSeventy(round: number): Promise<string> {
  const { workspace } = outside;
  const started = async () => {
    if (share() === 70) return true;
    await workspace.user(ANN).type(CHANNEL, `/rollout start ${SERVICE} v42`);
    return share() === 70;
  };
  await until(`round ${round} began`, started);
  const card = () => workspace.messages(CHANNEL).at(-1);
  await until('the card shows it', () => /70 % of traffic/.test(card()?.text ?? ''));
  await until('it soaks', async () => (await phase()) === 'advancing');
  return card()?.ts ?? '';
}

interface Round {
  /** What was decided by a person: who, and what. */
  readonly decided: readonly (readonly [string, JournalEntry['what']])[];
  readonly refused: readonly string[];
}

/** Presses, and fills in what opens: what sends it. */
async function ready(user: string, ts: string, button: string): Promise<() => Promise<Submission>> {
  const person = outside.workspace.user(user);
  expect(await person.press(ts, button)).toMatchObject({ ok: true });
  const form = () => person.openViews().find(({ wire }) => wire.submit);
  await until(`the form of ${user}`, () => form() !== undefined);
  return () => person.submit(form()?.id ?? '', { Reason: 'seen in the logs' });
}

/** One says Roll back and the other Hold at the same moment, each to a replica of their own. */
async function answerBoth(round: number): Promise<Round> {
  const ts = await atSeventy(round);
  const { workspace } = outside;
  const rollBack = await ready(ANN, ts, 'Roll back');
  const hold = await ready(BOB, ts, 'Hold');
  // Which request leaves first is as even as it can be.
  const answers = [
    { user: ANN, send: rollBack },
    { user: BOB, send: hold },
  ];
  const inTurn = round % 2 === 0 ? answers : answers.toReversed();
  const sent = await Promise.all(inTurn.map(async ({ user, send }) => ({ user, body: (await send()).body })));
  const [first] = (await apps[0]?.store.journal({ service: SERVICE, limit: 1 })) ?? [];
  const rolloutId = first?.entry.rolloutId ?? '';
  const entries = (await apps[0]?.store.journal({ service: SERVICE, limit: 100, rolloutId })) ?? [];
  const decided = entries
    .map(({ entry }) => entry)
    .filter(({ actor, what }) => actor.kind === 'person' && (what === 'rollback-decided' || what === 'held'))
    .map(({ actor, what }) => [actor.id, what] as const);
  const refused = sent.filter(({ body }) => /Nothing was changed/.test(body)).map(({ user }) => user);
  for (const user of [ANN, BOB])
    for (const view of workspace.user(user).openViews()) await workspace.user(user).close(view.id);
  if ((await phase()) === 'holding') await workspace.user(ANN).type(CHANNEL, `/rollout rollback ${SERVICE} --now`);
  await until('all traffic is back', () => share() === 0);
  await until('it is over', async () => (await phase()) === 'rolled_back');
  return { decided, refused };
}

describe.skipIf(!hasPostgres)(
  `two people answer differently in the same moment, each on another replica${withoutPostgres}`,
  { timeout: 300_000 },
  () => {
    beforeAll(async () => {
      [postgres, router, outside] = await Promise.all([startPostgres(), startRouter(() => Date.now()), startOutside()]);
      await startApps();
    }, 120_000);
    afterAll(async () => {
      await Promise.all(apps.map((app) => app.stop()));
      await Promise.all([stopBalancer?.(), router?.stop(), outside?.stop()]);
      await postgres?.stop();
      apps = [];
    });

    it(`one answer counts, ${ROUNDS} times of ${ROUNDS}, and the other is told so`, async () => {
      const rounds: Round[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await answerBoth(round));
      for (const { decided, refused } of rounds) {
        expect(decided).toHaveLength(1);
        const [[winner, what] = []] = decided;
        expect(what).toBe(winner === ANN ? 'rollback-decided' : 'held');
        expect(refused).toEqual([winner === ANN ? BOB : ANN]);
      }
      const won = (user: string) => rounds.filter(({ decided }) => decided[0]?.[0] === user).length;
      process.stdout.write(`Rolled back: ${won(ANN)}, held: ${won(BOB)}.\n`);
    });
  },
);
