import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CardRef, JournalEntry } from '../../src/domain/effect.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import { cardPerformer } from '../../src/runtime/performers/card.ts';
import { viewOf } from '../../src/runtime/performers/message.ts';
import { reportPerformer } from '../../src/runtime/performers/report.ts';
import { sayPerformer } from '../../src/runtime/performers/say.ts';
import { openStore } from '../../src/runtime/store.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { fakeWorld, jobOf } from './fakes.ts';
import { degradation, policy, rollout, saveState, service, state, t0 } from './support.ts';

let store: Store;
let clock: VirtualClock;
let fake: ReturnType<typeof fakeWorld>;
const card: CardRef = { kind: 'degradation', id: degradation().id };
const cardId = `card/${card.id}`;
const lost = new PortError('ambiguous', 'Slack did not answer in time.');

beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  fake = fakeWorld(store, clock);
  await saveState(store, state({ degradation: degradation() }));
});
afterEach(() => store.close());

const signal = () => new AbortController().signal;
const draw = () =>
  cardPerformer(fake.world).perform({ kind: 'card', card, urgent: true }, jobOf(cardEffect()), signal());
const cardEffect = () => ({ kind: 'card' as const, card, urgent: true });
const say = (text: string, id: number) => {
  const effect = { kind: 'say' as const, card, entry: entry(text) };
  return sayPerformer(fake.world).perform(effect, jobOf(effect, { id }), signal());
};
const report = () => {
  const effect = { kind: 'report' as const, card };
  return reportPerformer(fake.world).perform(effect, jobOf(effect), signal());
};
const change = () =>
  saveState(store, state({ degradation: degradation({ stage: { name: 'held', why: 'no-data' }, epoch: 2 }) }));
const updates = () => fake.chat.messages.get(cardId)?.updates;

describe('a card', () => {
  it('is posted once, to the policy’s channel, and then brought to the state', async () => {
    await draw();
    await change();
    await draw();
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `update ${cardId}`]);
    expect(fake.chat.messages.get(cardId)).toMatchObject({
      channel: '#ml-rollouts',
      content: { kind: 'card', view: { current: true, degradation: { epoch: 2 }, rollout: { id: rollout().id } } },
    });
  });

  it('that shows the same already is left alone, whatever else counts on', async () => {
    await draw();
    await saveState(
      store,
      state({ degradation: degradation(), clockMs: t0 + 5, sequence: 99, look: { id: 4, askedAtMs: t0 } }),
    );
    await draw();
    expect(updates()).toBe(0);
  });

  it('whose post got lost is looked for before it is sent again', async () => {
    fake.chat.trouble = (call) => (call.startsWith('post') ? 'lost-reply' : null);
    await expect(draw()).rejects.toThrow('did not answer');
    await change();
    fake.chat.trouble = () => null;
    await draw();
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `find ${cardId}`, `update ${cardId}`]);
    expect(fake.chat.messages.get(cardId)).toMatchObject({ content: { view: { degradation: { epoch: 2 } } } });
    await draw();
    expect(updates()).toBe(1);
  });

  it('whose post never arrived is sent again, once it can no longer be on its way', async () => {
    fake.chat.trouble = () => lost;
    await expect(draw()).rejects.toThrow('did not answer');
    fake.chat.trouble = () => null;
    clock.jump(1_000);
    await expect(draw()).rejects.toMatchObject({ failure: 'ambiguous', retryAfterMs: 4_000 });
    clock.jump(4_000);
    await draw();
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `find ${cardId}`, `find ${cardId}`, `post ${cardId}`]);
  });

  it('whose post is not there is sent again where the clock was set back meanwhile: nobody waits for an hour', async () => {
    fake.chat.trouble = () => lost;
    await expect(draw()).rejects.toThrow('did not answer');
    fake.chat.trouble = () => null;
    clock.jump(-3_600_000);
    await expect(draw()).rejects.toMatchObject({ failure: 'ambiguous', retryAfterMs: 5_000 });
    clock.jump(5_000);
    await draw();
    expect(fake.chat.messages.has(cardId)).toBe(true);
  });

  it('that was refused for now is simply posted later: it is known not to be there', async () => {
    fake.chat.trouble = () => new PortError('retryable', 'rate limited', { retryAfterMs: 3_000 });
    await expect(draw()).rejects.toMatchObject({ failure: 'retryable', retryAfterMs: 3_000 });
    fake.chat.trouble = () => null;
    await draw();
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `post ${cardId}`]);
  });

  it('that somebody deleted is posted anew', async () => {
    await draw();
    fake.chat.messages.clear();
    await change();
    await draw();
    expect(fake.chat.messages.has(cardId)).toBe(true);
    expect(fake.problems).toEqual([`update ${cardId}: message_not_found`]);
  });

  it('that cannot be changed for a reason of Slack’s is not posted twice: it is changed when Slack lets us again', async () => {
    await draw();
    await change();
    const refused = new PortError('permanent', 'Slack does not accept the bot token.');
    fake.chat.trouble = () => refused;
    await expect(draw()).rejects.toThrow('bot token');
    fake.chat.trouble = () => null;
    await draw();
    expect(fake.chat.calls.slice(-1)).toEqual([`update ${cardId}`]);
    expect(fake.chat.messages.get(cardId)).toMatchObject({ content: { view: { degradation: { epoch: 2 } } } });
  });

  it('whose post got lost is posted all the same where Slack does not let us look for it', async () => {
    fake.chat.trouble = () => lost;
    await expect(draw()).rejects.toThrow('did not answer');
    fake.chat.trouble = (call) => (call.startsWith('find') ? new PortError('permanent', 'missing_scope') : null);
    await draw();
    expect(fake.chat.messages.has(cardId)).toBe(true);
    expect(fake.problems).toEqual([`find ${cardId}: missing_scope`]);
  });

  it('is never given up: what is true is shown whenever Slack is back, or was put right', () => {
    const { retry } = cardPerformer(fake.world);
    expect(retry.giveUpAfterMs).toBeNull();
    expect(retry.permanentMs).toBeLessThanOrEqual(10 * 60_000);
  });

  it('of a degradation that is past is still brought up to date, and is not the current one', async () => {
    const past = {
      rollouts: [],
      degradations: [degradation({ stage: { name: 'ended', atMs: t0, outcome: 'recovered' } })],
    };
    await saveState(store, state({ past, degradation: degradation({ id: `${service}-d9` }) }));
    await draw();
    expect(fake.chat.messages.get(cardId)).toMatchObject({
      content: { view: { current: false, degradation: { id: card.id, stage: { name: 'ended' } } } },
    });
  });

  it('of what is long forgotten is nobody’s concern', async () => {
    await saveState(store, state({ degradation: null }));
    expect(await draw()).toEqual({ kind: 'done' });
    expect(fake.chat.calls).toEqual([]);
  });

  it('of a rollout shows its own degradation', () => {
    const open = degradation();
    const ref: CardRef = { kind: 'rollout', id: rollout().id };
    expect(viewOf(ref, state({ degradation: open }), policy())).toMatchObject({ current: true, degradation: open });
    const foreign = state({ degradation: degradation({ rolloutId: null }) });
    expect(viewOf(ref, foreign, policy())?.degradation).toBeNull();
  });
});

describe('a line in the thread', () => {
  it('comes after its card, which is posted where it is not there yet', async () => {
    await say('one', 7);
    await say('two', 8);
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `post say/${service}/7`, `post say/${service}/8`]);
    const line = fake.chat.messages.get(`say/${service}/7`);
    expect(line).toMatchObject({
      thread: fake.chat.messages.get(cardId)?.address,
      content: { entry: { text: 'one' } },
    });
  });

  it('is said once, although the reply got lost and the job came again', async () => {
    await draw();
    fake.chat.trouble = (call) => (call.startsWith('post say') ? 'lost-reply' : null);
    await expect(say('one', 7)).rejects.toThrow('did not answer');
    fake.chat.trouble = () => null;
    await say('one', 7);
    await say('one', 7);
    expect(fake.chat.calls.filter((call) => call.startsWith('post say'))).toHaveLength(1);
  });

  it('that would have to wait for its place is not begun: it comes again then', async () => {
    await draw();
    const chat = { ...fake.world.chat, waitMs: () => 700 };
    const effect = { kind: 'say' as const, card, entry: entry('too soon') };
    const outcome = await sayPerformer({ ...fake.world, chat }).perform(effect, jobOf(effect, { id: 7 }), signal());
    expect(outcome).toMatchObject({ kind: 'again', atMs: clock.now() + 700, problem: null });
    expect(await store.messages.get(`say/${service}/7`)).toBeNull();
    expect(fake.chat.calls).toEqual([`post ${cardId}`]);
  });

  it('is old news after an outage: the card shows what is true, the journal keeps the line', async () => {
    clock.jump(11 * 60_000);
    await say('one', 7);
    expect(fake.chat.calls).toEqual([]);
  });
});

describe('the report', () => {
  it('stands in the thread once, with the journal from the oldest line on, each line once', async () => {
    await store.transaction(async (unit) => {
      await unit.append(service, [
        entry('began', { rolloutId: rollout().id }),
        entry('asked', { rolloutId: rollout().id, degradationId: card.id }),
        entry('alone', { degradationId: card.id }),
        entry('another matter', { rolloutId: 'r0', degradationId: 'd0' }),
      ]);
    });
    await report();
    await report();
    expect(fake.chat.calls).toEqual([`post ${cardId}`, `post report/${card.id}`]);
    const posted = fake.chat.messages.get(`report/${card.id}`);
    expect(posted).toMatchObject({ thread: fake.chat.messages.get(cardId)?.address, content: { kind: 'report' } });
    const journal = posted?.content.kind === 'report' ? posted.content.journal : [];
    expect(journal.map(({ text }) => text)).toEqual(['began', 'asked', 'alone']);
  });
});

function entry(text: string, over: Partial<JournalEntry> = {}): JournalEntry {
  const actor = { kind: 'policy', id: 'p', name: 'p' } as const;
  const nothing = { from: null, to: null, reason: '', numbers: [], policyRevision: 'rev1' };
  return { atMs: t0, actor, what: 'held', rolloutId: null, degradationId: null, text, ...nothing, ...over };
}
