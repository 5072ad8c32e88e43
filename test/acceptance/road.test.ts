import { afterEach, describe, expect, it } from 'vitest';
import { CHANNEL, startWorld, type World } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
let world: World;
afterEach(() => world.stop());

/** The whole app, beyond the first story: finished rollouts, blue/green, policies edited under way. */

const percents = () => world.router.changes.map(({ weights }) => weights.candidate.percent);
const state = async () => (await world.app.application.status('fraud-scorer'))?.state;
const journal = async () => (await world.app.application.history('fraud-scorer', 500)).map(({ entry }) => entry);
const said = (text: RegExp) => world.transcript.some((line) => text.test(line));

async function types(line: string, user = 'U0ANN'): Promise<string> {
  const before = world.workspace.user(user).ephemerals().length;
  world.transcript.push(`--- ${user} types ${line}`);
  expect(await world.workspace.user(user).type(CHANNEL, line)).toMatchObject({ ok: true });
  await world.workspace.waitFor(() => world.workspace.user(user).ephemerals().length > before);
  await world.pass(0);
  return world.workspace.user(user).ephemerals().at(-1)?.text ?? '';
}

async function finish(): Promise<void> {
  await types('/rollout start fraud-scorer v42');
  await world.until('v42 has all traffic', () => world.router.weights.candidate.percent === 100, 2 * HOUR);
  await world.pass(MINUTE);
  expect((await state())?.rollout?.phase.name).toBe('watching');
}

/** Bad from now on, and nobody says a word until the deadline has passed. */
async function degradeUnanswered(): Promise<void> {
  world.degrade('v42', 0.12);
  await world.pass(2 * MINUTE);
  await world.alert('ErrorsHigh');
  await world.pass(12 * MINUTE);
}

describe('a finished rollout', () => {
  it('is rolled back by phases to the last known good, with the evidence shown', async () => {
    world = await startWorld((yaml) => `${yaml}lastGood: { after: 10m }\nwatch: 24h\n`);
    await finish();
    await world.pass(15 * MINUTE);
    await degradeUnanswered();
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 30 * MINUTE);
    await world.alert('ErrorsHigh', { status: 'resolved' });
    await world.until('it is over', () => said(/Report:/), 30 * MINUTE);

    expect(percents()).toEqual([0, 10, 70, 100, 50, 10, 0]);
    expect(world.router.weights.stable.version).toBe('v41');
    const chosen = (await journal()).find(({ what }) => what === 'way-back-chosen');
    expect(chosen?.text).toMatch(
      /v41 is the last known good: it served .* until .* ago, .* without a degradation \(10 min needed\)/,
    );
    expect((await state())?.rollout).toMatchObject({
      phase: { name: 'rolled_back' },
      wayBack: { chosenBy: 'evidence', served: { version: { id: 'v41' } } },
    });
    expect(said(/thread: .*v41 is the last known good/)).toBe(true);
    expect(world.pages.map(({ action }) => action)).toEqual(['trigger', 'resolve']);
  });

  it('is stuck, and wakes somebody, where nothing has proven itself; a person names where to', async () => {
    world = await startWorld((yaml) => `${yaml}lastGood: { after: 30d }\n`);
    await finish();
    await degradeUnanswered();
    expect((await state())?.rollout?.phase.name).toBe('stuck');
    expect(percents()).toEqual([0, 10, 70, 100]);
    expect(world.pages.at(-1)?.summary).toMatch(/No last known good version is known/);
    expect(await types('/rollout rollback fraud-scorer --to v41 --reason "it was fine yesterday"')).toMatch(/v41/);
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 30 * MINUTE);
    expect(percents()).toEqual([0, 10, 70, 100, 50, 10, 0]);
  });

  it('goes back to what served at a moment a person names', async () => {
    world = await startWorld();
    await finish();
    await world.pass(15 * MINUTE);
    expect(await types('/rollout rollback fraud-scorer --before "25 min ago" --reason "since lunch"')).toMatch(/v41/);
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 30 * MINUTE);
    expect(world.router.weights.stable.version).toBe('v41');
  });
});

describe('blue/green', () => {
  const blueGreen = (yaml: string) =>
    `${yaml.replace(/^steps:[\s\S]*?(?=^comparison:)/m, '')}strategy: { kind: blue-green, warmUp: { for: 1m, within: 10m }, keepOldArm: 2h }\n`;

  it('warms the new arm up, switches in one step, and is back in one', async () => {
    world = await startWorld(blueGreen);
    world.router.notReady.add('v42');
    await types('/rollout start fraud-scorer v42');
    await world.pass(3 * MINUTE);
    expect(percents()).toEqual([0]);
    world.router.notReady.clear();
    await world.pass(30 * SECOND);
    expect(percents()).toEqual([0]);
    await world.until('it switches', () => world.router.weights.candidate.percent === 100, 10 * MINUTE);
    expect((await journal()).map(({ what }) => what)).toEqual(expect.arrayContaining(['warming', 'warmed-up']));
    await world.pass(20 * MINUTE);
    await types('/rollout rollback fraud-scorer --to v41 --reason "wrong model"');
    await world.until('all is back', () => world.router.weights.candidate.percent === 0, 5 * MINUTE);
    expect(percents()).toEqual([0, 100, 0]);
  });
});

describe('a policy edited under way', () => {
  it('changes approvers, routing and mode at once; steps, metrics and target stay as they began', async () => {
    world = await startWorld();
    await types('/rollout start fraud-scorer v42');
    await world.until('it is at 10 %', () => world.router.weights.candidate.percent === 10, 5 * MINUTE);
    const began = (await state())?.rollout?.plan.revision;
    await world.edit((yaml) =>
      yaml
        .replace('users: [U0ANN, U0BOB], quorum: 2', 'users: [U0EVE], quorum: 1')
        .replace('{ exposure: 70, soak: 5m, maxSoak: 20m }', '{ exposure: 20, soak: 5m, maxSoak: 20m }'),
    );
    expect(await types('/rollout hold fraud-scorer', 'U0ANN')).toMatch(/not an approver/);
    expect(await types('/rollout status fraud-scorer', 'U0EVE')).not.toBe('');
    await world.until('the next step comes', () => percents().length === 3, 30 * MINUTE);
    expect(percents()).toEqual([0, 10, 70]);
    const now = world.app.application.policies()[0]?.revision;
    expect(now).not.toBe(began);
    expect((await state())?.rollout?.plan.revision).toBe(began);
    const entries = await journal();
    expect(entries.find(({ what }) => what === 'rollout-started')?.policyRevision).toBe(began);
    expect(entries.find(({ what }) => what === 'policy-changed')?.policyRevision).toBe(now);
    expect(JSON.stringify(world.card().blocks)).toContain(String(now));

    world.degrade('v42', 0.12);
    await world.pass(2 * MINUTE);
    await world.alert('ErrorsHigh');
    await world.edit((yaml) => yaml.replace('mode: enforce', 'mode: observe'));
    await world.pass(15 * MINUTE);
    expect(percents()).toEqual([0, 10, 70]);
    expect((await journal()).some(({ what, text }) => what === 'would-have' && /only observes/.test(text))).toBe(true);
    expect(world.pages).toEqual([]);
  });

  it('that is broken is told, and the last good one stays in force', async () => {
    world = await startWorld();
    const before = world.app.application.policies()[0]?.revision;
    await world.edit((yaml) => yaml.replace('deadline: 15m', 'deadline: soon'));
    expect(world.app.application.policies()[0]?.revision).toBe(before);
    expect(world.log()).toMatch(/those from before stay in force/);
    const ready = await fetch(`${world.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.text()).toMatch(/fraud-scorer\.yaml:\d+.*deadline/);
    expect(await (await fetch(`${world.url}/metrics`)).text()).toMatch(/^lastgood_policies_ok 0$/m);
    await world.edit((yaml) => yaml.replace('deadline: soon', 'deadline: 14m'));
    expect(world.app.application.policies()[0]?.respond.deadlineMs).toBe(14 * MINUTE);
    expect(await (await fetch(`${world.url}/metrics`)).text()).toMatch(/^lastgood_policies_ok 1$/m);
  });
});
