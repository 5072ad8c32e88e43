import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KillWorld, startKillWorld } from './kill-world.ts';
import { CHANNEL, SERVICE } from './support/outside.ts';
import { cardOf } from './support/slack-talk.ts';

let world: KillWorld;

const exposure = () => world.router.weights.candidate.percent;
const card = () => cardOf(world.workspace, CHANNEL, `card/${SERVICE}-r1`)?.text ?? '';

describe('killed while a shift is on its way, which lands long after', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    world = await startKillWorld();
  });
  afterAll(() => world?.stop());

  it('what was asserted last is asserted again, also after the rollout has ended', async () => {
    world.waiting.push({
      what: 'first shift: on its way',
      at: 'router',
      request: 'lost',
      matches: ({ method }) => method === 'PUT',
    });
    const ann = world.workspace.user('U0ANN');
    await ann.type(CHANNEL, `/rollout start ${SERVICE} v42`);
    await world.until('v42 gets 10 %', () => exposure() === 10, 20_000);
    expect(world.died).toEqual(['first shift: on its way']);
    await world.until('the card says so', () => /10 %/.test(card()), 20_000);
    await ann.type(CHANNEL, `/rollout rollback ${SERVICE} --now --reason "the wrong one"`);
    await world.until('all traffic is back', () => exposure() === 0, 20_000);
    await world.until('it is over', () => /Rolled back\b(?!,)/.test(card()), 40_000);

    const late = world.crossings.router.find(({ method, status }) => method === 'PUT' && status === null);
    if (!late) throw new Error('no shift was lost');
    await world.arriveLate(late);
    expect(exposure()).toBe(10);
    await world.until('traffic is back again', () => exposure() === 0, 40_000);
    expect(world.router.changes.map(({ weights }) => weights.candidate.percent)).toEqual([0, 10, 0, 10, 0]);
    // Nobody is told a story about it: nothing was decided.
    expect(world.workspace.messages(CHANNEL)).toHaveLength(1);
  });
});
