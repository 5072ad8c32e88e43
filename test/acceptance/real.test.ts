import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertmanagerPath } from '../support/alertmanager.ts';
import { prometheusPath } from '../support/prometheus.ts';
import { CHANNEL, type RealWorld, SERVICE, startRealWorld } from './real-world.ts';
import { buttonsOf, cardOf, everything, hasTable, idIn, idOf } from './support/slack-talk.ts';

const missing = prometheusPath === null || alertmanagerPath === null;
const skipped = missing ? ' (skipped: prometheus or prometheus-alertmanager is not installed)' : '';
const TABLE_WITHIN_MS = 1_500;

let world: RealWorld;

const candidate = () => world.lab.splitter.split().candidate;
const isAt = (version: string, percent: number) => () =>
  candidate().version === version && candidate().percent === percent;
const card = (id: string) => cardOf(world.workspace, CHANNEL, `card/${id}`);
const isCompared = (id: string) => () => hasTable(card(id)?.blocks);
const isReported = (id: string) => () =>
  everything(world.workspace, CHANNEL).some((message) => idOf(message) === `report/${id}`);
/** What the splitter was asked to give this candidate, in order, repetitions left out. */
const askedFor = (version: string): number[] =>
  world.splits.crossings
    .filter(({ method }) => method === 'PUT')
    .map(({ body }) => JSON.parse(body).candidate as { version: string; percent: number })
    .filter((asked) => asked.version === version)
    .map(({ percent }) => percent)
    .filter((percent, index, all) => percent !== all[index - 1]);

describe.skipIf(missing)(`with real parts, as a process of its own${skipped}`, { timeout: 110_000 }, () => {
  beforeAll(async () => {
    world = await startRealWorld();
    process.stdout.write(
      `Start of the process to /readyz 200: ${Math.round(world.readyAfterMs)} ms; resident then: ${resident()}.\n`,
    );
  });
  afterAll(() => world?.stop());

  it('rolls back what nobody answers, phase by phase, and wakes somebody once', async () => {
    const typed = await world.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42`);
    expect(typed.ok).toBe(true);
    await world.until('v42 gets 70 %', isAt('v42', 70), 60_000);
    // Nothing else is left to say, so that the card need not wait for Slack's limit.
    const isSaid = () => everything(world.workspace, CHANNEL).some(({ text }) => /now gets 70 %/.test(text));
    await world.until('the thread says so', isSaid, 10_000);
    world.lab.worsen('errors', 0.5, 'v42');
    await world.until('the card shows the comparison', isCompared(`${SERVICE}-d1`), 30_000);
    const opened = card(`${SERVICE}-d1`);
    expect(buttonsOf(opened ?? raise()).slice(0, 5)).toEqual(['Roll back', 'Hold', 'Promote', 'Extend', 'Acknowledge']);
    const { webhookMs, postedMs, tableMs } = firstNews(`card/${SERVICE}-d1`, 'v42');
    expect(tableMs - webhookMs).toBeLessThan(TABLE_WITHIN_MS);
    process.stdout.write(
      `Webhook at the app to the post of the card: ${postedMs - webhookMs} ms; to the comparison on it: ${tableMs - webhookMs} ms.\n`,
    );

    await world.until('somebody is paged', () => world.pagerDuty.incidents().length === 1, 15_000);
    // While people are asked exposure stays where it is.
    expect(askedFor('v42')).toEqual([10, 70]);
    expect(candidate().percent).toBe(70);
    await world.until('all traffic is back', isAt('v42', 0), 45_000);
    await world.until('the report stands', isReported(`${SERVICE}-d1`), 45_000);

    expect(askedFor('v42')).toEqual([10, 70, 50, 10, 0]);
    expect(world.pagerDuty.incidents()).toMatchObject([{ state: 'resolved' }]);
    expect(idsOnce()).toEqual(true);
    expect(world.workspace.messages(CHANNEL).map(idOf)).toEqual([`card/${SERVICE}-r1`, `card/${SERVICE}-d1`]);
    // The report stands in the thread of the question.
    const thread = world.workspace.thread(CHANNEL, card(`${SERVICE}-d1`)?.ts ?? '');
    expect(thread.map(idOf)).toContain(`report/${SERVICE}-d1`);

    const bob = world.workspace.user('U0BOB');
    await bob.type(CHANNEL, `/rollout history ${SERVICE}`);
    const told = /takes fraud-scorer back to v41: 70 % → 50 % → 10 % → 0 %/;
    const isTold = () => bob.ephemerals(CHANNEL).some(({ text }) => told.test(text) && /is back on v41/.test(text));
    await world.until('the history tells it', isTold, 10_000);
  });

  it('takes it back when somebody presses Roll back, and wakes nobody', async () => {
    const [ann, bob] = [world.workspace.user('U0ANN'), world.workspace.user('U0BOB')];
    const paged = world.pagerDuty.requests.length;
    await ann.type(CHANNEL, `/rollout start ${SERVICE} v43`);
    await world.until('v43 gets 10 %', isAt('v43', 10), 20_000);
    // She does not wait for the gate.
    await world.until('she can go on', () => /10 %/.test(card(`${SERVICE}-r2`)?.text ?? ''), 10_000);
    await ann.type(CHANNEL, `/rollout promote ${SERVICE} --reason "shadowed for a week"`);
    await world.until('v43 gets 70 %', isAt('v43', 70), 20_000);

    world.lab.worsen('errors', 0.5, 'v43');
    await world.until('the card shows the comparison', isCompared(`${SERVICE}-d2`), 30_000);
    // Lines of the thread are still being said at a post a second: the card goes before them.
    const { webhookMs, postedMs, tableMs } = firstNews(`card/${SERVICE}-d2`, 'v43');
    expect(tableMs - webhookMs).toBeLessThan(TABLE_WITHIN_MS);
    process.stdout.write(
      `The same while the thread is busy: ${postedMs - webhookMs} ms and ${tableMs - webhookMs} ms.\n`,
    );
    const pressed = await bob.press(card(`${SERVICE}-d2`)?.ts ?? '', 'Roll back');
    expect(pressed.ok).toBe(true);
    const view = await world.workspace.waitFor(() => bob.openViews().find((one) => one.wire.submit));
    const submission = await bob.submit(view.id, { Reason: 'seen in the logs' });
    expect(submission).toMatchObject({ ok: true, action: expect.stringMatching(/close|clear/) });
    await world.until('all traffic is back', isAt('v43', 0), 45_000);
    await world.until('the report stands', isReported(`${SERVICE}-d2`), 45_000);

    expect(askedFor('v43')).toEqual([10, 70, 50, 10, 0]);
    expect(world.pagerDuty.requests.slice(paged)).toEqual([]);
    expect(idsOnce()).toEqual(true);
    expect(world.workspace.messages(CHANNEL)).toHaveLength(4);
    process.stdout.write(`Resident at the end of both stories: ${resident()}.\n`);
  });
});

/** Measured from outside: when Alertmanager's webhook arrived, when the card was posted, when the comparison was on it. */
function firstNews(id: string, version: string): { webhookMs: number; postedMs: number; tableMs: number } {
  const calls = world.workspace.calls.filter((call) => call.ok && idIn(call) === id);
  const posted = calls.find(({ method }) => method === 'chat.postMessage') ?? raise(`${id} was not posted`);
  const tabled = calls.find((call) => hasTable(call.arguments.blocks)) ?? raise(`${id} never had a table`);
  const webhook = world.webhooks.crossings.find(
    ({ body }) => body.includes('"status":"firing"') && body.includes(`"version":"${version}"`),
  );
  return { webhookMs: (webhook ?? raise('no webhook came')).atMs, postedMs: posted.at, tableMs: tabled.at };
}

function resident(): string {
  const bytes = world.app.residentBytes();
  return bytes === null ? 'not known here' : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function idsOnce(): boolean {
  const ids = everything(world.workspace, CHANNEL).map(idOf);
  return ids.every((id, index) => id !== null && ids.indexOf(id) === index);
}

function raise(why = 'it is not there'): never {
  throw new Error(why);
}
