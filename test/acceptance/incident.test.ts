import { afterEach, describe, expect, it } from 'vitest';
import { CHANNEL, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
let world: World;
afterEach(() => world.stop());

describe('an incident whose policy is edited while it is open', () => {
  it('is resolved with the key it was opened with, also where the policy pages nobody any more', async () => {
    world = await startWorld((yaml) => yaml.replace('escalate: {', 'escalate: { routingKey: of-then, '));
    await world.workspace.user('U0ANN').type(CHANNEL, '/rollout start fraud-scorer v42');
    await world.until('v42 gets 70 %', () => world.router.weights.candidate.percent === 70, 30 * MINUTE);
    world.degrade('v42', 0.12);
    await world.pass(2 * MINUTE);
    await world.alert('ErrorsHigh');
    await world.until('somebody is paged', () => world.pages.length > 0, 10 * MINUTE);
    await world.edit((yaml) => yaml.replace(/^escalate:.*\n/m, ''));
    // Found again from the archive, not from memory.
    await world.restart();
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 30 * MINUTE);
    await world.alert('ErrorsHigh', { status: 'resolved' });
    await world.until('it is over', () => world.pages.some(({ action }) => action === 'resolve'), 30 * MINUTE);
    const heard = world.pages.map(({ action, routingKey, dedupKey }) => [action, routingKey, dedupKey]);
    const [[, , dedupKey] = []] = heard;
    expect(heard.at(0)).toEqual(['trigger', 'of-then', dedupKey]);
    expect(heard.at(-1)).toEqual(['resolve', 'of-then', dedupKey]);
    expect(new Set(world.pages.map(({ routingKey }) => routingKey))).toEqual(new Set(['of-then']));
    const state = (await world.app.application.status('fraud-scorer'))?.state;
    expect(JSON.stringify(state)).not.toContain('of-then');
  });
});
