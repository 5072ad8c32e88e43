import { mkdir } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CHANNEL, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
let world: World;
afterEach(() => world.stop());

async function rollOut(candidate = 'v42'): Promise<void> {
  world.transcript.push(`--- ann types /rollout start fraud-scorer ${candidate}`);
  const delivery = await world.workspace
    .user('U0ANN')
    .type(CHANNEL, `/rollout start fraud-scorer ${candidate} --reason "weekly retraining"`);
  expect(delivery.ok).toBe(true);
  await world.until(`${candidate} gets 70 %`, () => world.router.weights.candidate.percent === 70, 30 * MINUTE);
  await world.pass(3 * MINUTE);
}

/** Waits for what one person alone is told, and lets it be written down. */
async function isTold(user: string, text: RegExp): Promise<void> {
  await world.workspace.waitFor(() =>
    world.workspace
      .user(user)
      .ephemerals()
      .some((one) => text.test(one.text)),
  );
  await world.pass(0);
}

const percents = () => world.router.changes.map((change) => change.weights.candidate.percent);
const golden = (name: string) => new URL(`./golden/${name}.txt`, import.meta.url).pathname;
const told = () => `${world.transcript.join('\n')}\n`;

describe('the story, on a virtual clock', () => {
  it('an alert nobody answers rolls the model back, phase by phase', async () => {
    await mkdir(new URL('./golden', import.meta.url), { recursive: true });
    world = await startWorld();
    await rollOut();
    world.degrade('v42', 0.12);
    await world.pass(MINUTE);
    await world.alert('ErrorsHigh');
    await world.until('it rolls back', () => world.router.weights.candidate.percent === 50, 15 * MINUTE);
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 15 * MINUTE);
    await world.pass(MINUTE);
    await world.alert('ErrorsHigh', { status: 'resolved' });
    await world.until(
      'the incident is resolved',
      () => world.pages.some((page) => page.action === 'resolve'),
      15 * MINUTE,
    );
    await world.pass(MINUTE);

    expect(percents()).toEqual([0, 10, 70, 50, 10, 0]);
    expect(world.pages.map((page) => page.action)).toEqual(['trigger', 'resolve']);
    expect(new Set(world.pages.map((page) => page.dedupKey)).size).toBe(1);
    // One card of the rollout, one of the degradation; nobody was notified by what came from outside.
    expect(world.workspace.messages(CHANNEL)).toHaveLength(2);
    await expect(told()).toMatchFileSnapshot(golden('nobody-answers'));
  });

  it('somebody presses Roll back', async () => {
    world = await startWorld();
    await rollOut();
    world.degrade('v42', 0.12);
    await world.pass(MINUTE);
    await world.alert('ErrorsHigh');
    await world.pass(MINUTE);
    const bob = world.workspace.user('U0BOB');
    world.transcript.push('--- eve, who is no approver, presses Roll back');
    await world.workspace.user('U0EVE').press(world.card().ts, 'Roll back');
    await isTold('U0EVE', /not an approver/);
    expect(world.workspace.user('U0EVE').openViews()).toHaveLength(0);
    world.transcript.push('--- bob presses Roll back and fills the modal');
    const drawn = world.card();
    await bob.press(drawn.ts, 'Roll back');
    await world.workspace.waitFor(
      () => bob.openViews().at(-1)?.callbackId !== undefined && bob.openViews().at(-1)?.wire.submit,
    );
    const view = bob.openViews().at(-1);
    expect(view?.title).toMatch(/Roll back/);
    const submission = await bob.submit(view?.id ?? '', { Reason: 'errors are real, seen in the logs' });
    expect(submission).toMatchObject({ ok: true, action: expect.stringMatching(/close|clear/) });
    await world.pass(0);
    world.transcript.push('--- ann presses the same button, as it was drawn before');
    await world.workspace.user('U0ANN').press(drawn.ts, 'Roll back', { asSeen: drawn });
    await isTold('U0ANN', /drawn for an earlier state/);
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 15 * MINUTE);
    await world.alert('ErrorsHigh', { status: 'resolved' });
    await world.until(
      'the report is there',
      () => world.transcript.some((line) => line.includes('Report:')),
      15 * MINUTE,
    );

    expect(percents()).toEqual([0, 10, 70, 50, 10, 0]);
    expect(world.pages).toEqual([]);
    await expect(told()).toMatchFileSnapshot(golden('roll-back-pressed'));
  });
});
