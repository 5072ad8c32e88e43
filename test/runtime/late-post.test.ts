import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Chat, ChatMessage } from '../../src/ports/chat.ts';
import type { Store } from '../../src/ports/store.ts';
import { bring } from '../../src/runtime/performers/message.ts';
import { LeaseLost, type StillOurs } from '../../src/runtime/performers/performer.ts';
import { openStore } from '../../src/runtime/store.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { fakeWorld } from './fakes.ts';
import { t0 } from './support.ts';

const live = new AbortController().signal;
const note = (text: string): ChatMessage => ({
  id: 'card/x-d1',
  channel: '#ml-rollouts',
  thread: null,
  content: { kind: 'note', text },
});

/** A replica that stands still right after it was told that the job is its own, and is overtaken by another. */
describe('a message of who stood still', () => {
  let store: Store;
  let standing: { id: string; ts: string; text: string }[];
  /** What happens between the last look at the lease and the call. */
  let meanwhile: () => Promise<void>;
  let isLost: boolean;
  beforeEach(async () => {
    store = await openStore(':memory:');
    clock = virtualClock(t0);
    standing = [];
    isLost = false;
    meanwhile = async () => undefined;
  });
  afterEach(() => store.close());

  const textOf = ({ content }: ChatMessage) => (content.kind === 'note' ? content.text : '');
  const chat: Chat = {
    async post(message) {
      const happens = meanwhile;
      meanwhile = async () => undefined;
      await happens();
      const ts = `${standing.length + 1}.0`;
      standing.push({ id: message.id, ts, text: textOf(message) });
      return { channel: 'C1', ts };
    },
    async update({ ts }, message) {
      const happens = meanwhile;
      meanwhile = async () => undefined;
      await happens();
      standing = standing.map((one) => (one.ts === ts ? { ...one, text: textOf(message) } : one));
    },
    async remove({ ts }) {
      standing = standing.filter((one) => one.ts !== ts);
    },
    async find(message) {
      const found = standing.find(({ id }) => id === message.id);
      return found ? { channel: 'C1', ts: found.ts } : null;
    },
  };
  let clock: VirtualClock;
  const world = () => ({ ...fakeWorld(store, clock).world, chat });
  const guard: StillOurs = async () => {
    if (isLost) throw new LeaseLost();
  };
  const overtaken = (text: string) => async () => {
    isLost = true;
    // So long that the other one may be sure that nothing is on its way.
    clock.jump(10_000);
    await bring(world(), note(text), live);
  };

  it('is taken back where another one stands for it by now', async () => {
    meanwhile = overtaken('theirs');
    await expect(bring(world(), note('late'), live, guard)).rejects.toThrow(LeaseLost);
    expect(standing.map(({ text }) => text)).toEqual(['theirs']);
    const known = await store.messages.get('card/x-d1');
    expect(known?.address?.ts).toBe(standing[0]?.ts);
    await bring(world(), note('next'), live);
    expect(standing.map(({ text }) => text)).toEqual(['next']);
  });

  it('that covered a newer one is drawn anew with the next', async () => {
    await bring(world(), note('first'), live);
    meanwhile = overtaken('theirs');
    await expect(bring(world(), note('late'), live, guard)).rejects.toThrow(LeaseLost);
    expect(standing.map(({ text }) => text)).toEqual(['late']);
    await bring(world(), note('theirs'), live);
    expect(standing.map(({ text }) => text)).toEqual(['theirs']);
  });

  it('is not sent where it is known to be lost, and what stands is known as before', async () => {
    await bring(world(), note('theirs'), live);
    const before = await store.messages.get('card/x-d1');
    isLost = true;
    await expect(bring(world(), note('late'), live, guard)).rejects.toThrow(LeaseLost);
    await expect(bring(world(), { ...note('late'), id: 'card/x-d2' }, live, guard)).rejects.toThrow(LeaseLost);
    expect(standing.map(({ text }) => text)).toEqual(['theirs']);
    expect(await store.messages.get('card/x-d1')).toEqual(before);
    expect(await store.messages.get('card/x-d2')).toBeNull();
  });
});
