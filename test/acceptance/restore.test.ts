import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { CHANNEL, startWorld, type World } from './world.ts';

const MINUTE = 60_000;

/** A backup is put back, and the world has gone on since: what it knows is old, and nothing may be done on it by itself. */

let directory: string;
let world: World;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lastgood-restore-'));
  world = await startWorld();
});
afterEach(async () => {
  await world.stop();
  await rm(directory, { recursive: true, force: true });
});

const percents = () => world.router.changes.map(({ weights }) => weights.candidate.percent);
const share = () => world.router.weights.candidate.percent;
const state = async () => (await world.app.application.status('fraud-scorer'))?.state;
const said = (text: RegExp) => world.transcript.some((line) => text.test(line));
const types = async (line: string) => {
  expect(await world.workspace.user('U0ANN').type(CHANNEL, line)).toMatchObject({ ok: true });
  await world.pass(0);
};

async function backUp(): Promise<void> {
  await world.app.store.backup(join(directory, 'copy.db'));
}

/** As an operator does it: stop, move the database away, restore, start. */
async function restore(): Promise<void> {
  await world.restart(async () => {
    const dataDir = dirname(world.databasePath);
    for (const suffix of ['', '-wal', '-shm']) await rm(`${world.databasePath}${suffix}`, { force: true });
    const told: string[] = [];
    const code = await runCli(['restore', join(directory, 'copy.db')], {
      env: { DATA_DIR: dataDir },
      out: (line) => void told.push(line),
      err: (line) => void told.push(line),
      colours: false,
      stopRequested: () => Promise.resolve('SIGTERM'),
    });
    expect([code, told.join(' ')]).toEqual([
      0,
      expect.stringMatching(/is restored.*goes on as lastgood-.*stands still/),
    ]);
  });
}

async function startedTo(percent: number): Promise<void> {
  await types('/rollout start fraud-scorer v42');
  await world.until(`v42 gets ${percent} %`, () => share() === percent, 30 * MINUTE);
  await world.pass(5_000);
}

describe('a backup from the middle of a rollout', () => {
  it('finds more traffic than it knows of, tells it, and takes nothing back until a person goes on', async () => {
    await startedTo(10);
    await backUp();
    await world.until('v42 gets 70 %', () => share() === 70, 30 * MINUTE);
    await restore();
    await world.pass(20 * MINUTE);

    expect(percents()).toEqual([0, 10, 70]);
    expect((await state())?.rollout).toMatchObject({ phase: { name: 'holding', untilMs: null }, exposurePercent: 70 });
    expect(said(/put back from a backup: what happened since .* is not known here/)).toBe(true);
    expect(said(/v42 gets 70 % of the traffic instead of 10 %/)).toBe(true);

    await types('/rollout resume fraud-scorer');
    await world.until('v42 has all traffic', () => share() === 100, 120 * MINUTE);
    expect(percents()).toEqual([0, 10, 70, 100]);
  });

  it('with a step on its way does not make it: the rollout had been taken back since', async () => {
    await startedTo(10);
    // The target refuses, so that the step is still owed when the copy is made.
    world.router.faults.push(...Array.from({ length: 40 }, () => '503' as const));
    await world.until('the step is ordered', () => world.router.faults.length < 40, 30 * MINUTE);
    await backUp();
    world.router.faults.length = 0;
    await types('/rollout rollback fraud-scorer --now --reason "not needed"');
    await world.until('all traffic is back', () => share() === 0, 30 * MINUTE);
    const before = percents();
    await restore();
    await world.pass(20 * MINUTE);

    expect(percents()).toEqual(before);
    expect((await state())?.shift).toBeNull();
    expect((await state())?.rollout).toMatchObject({ phase: { name: 'holding' }, exposurePercent: 0 });
  });
});

describe('a backup with an open question', () => {
  it('rolls nothing back at its deadline: people are paged, in the incident of before', async () => {
    await startedTo(70);
    world.degrade('v42', 0.12);
    await world.pass(2 * MINUTE);
    await world.alert('ErrorsHigh');
    await world.pass(6 * MINUTE);
    await backUp();
    const [incident] = world.pages;
    expect(incident).toMatchObject({ action: 'trigger' });
    await restore();
    await world.pass(20 * MINUTE);

    expect(share()).toBe(70);
    expect((await state())?.degradation?.stage).toEqual({ name: 'held', why: 'restored' });
    const dedupKeys = new Set(world.pages.map(({ dedupKey }) => dedupKey));
    expect([...dedupKeys]).toEqual([incident?.dedupKey]);
    // The card of then is found again by what it carries, and there is no second one.
    expect(world.workspace.messages(CHANNEL)).toHaveLength(2);
    expect(said(/thread: .*put back from a backup/)).toBe(true);
    expect(JSON.stringify(world.card().blocks)).toMatch(/put back from a backup/);
  });
});
