import { describe, expect, it } from 'vitest';
import { workOf } from '../../src/application/jobs.ts';
import type { CardRef, Effect } from '../../src/domain/effect.ts';

const t0 = 1_000_000;
const card: CardRef = { kind: 'degradation', id: 'd1' };
const work = (...effects: Effect[]) => workOf('fraud-scorer', effects, t0);
const timer = (atMs: number, epoch: number): Effect => ({ kind: 'timer', key: 'look', atMs, epoch });
const page = (action: 'trigger' | 'resolve'): Effect => ({ kind: 'page', action, degradationId: 'd1', summary: 's' });
const drawn = (urgent: boolean): Effect => ({ kind: 'card', card, urgent });
const said: Extract<Effect, { kind: 'say' }> = { kind: 'say', card, entry: {} as never };

describe('effects become jobs', () => {
  it('what moves traffic before what decides, what wakes, what is read', () => {
    const split = { stable: 'a', candidate: 'b', exposurePercent: 0 };
    const shift: Effect = { kind: 'shift', shiftId: 's1', split, gaining: 'a' };
    const { enqueue } = work(drawn(false), said, { kind: 'report', card }, page('trigger'), timer(t0, 1), shift);
    const order = [...enqueue].sort((a, b) => a.priority - b.priority).map((job) => job.effect.kind);
    expect(order).toEqual(['shift', 'timer', 'page', 'say', 'card', 'report']);
  });

  it('a timer is due at its moment, and the last with its key stands', () => {
    expect(work(timer(t0 + 5, 1), timer(t0 + 9, 2)).enqueue).toMatchObject([
      { key: 'timer/look', dueAtMs: t0 + 9, lane: null, merge: false, effect: { epoch: 2 } },
    ]);
  });

  it('a cancelled timer takes back what was set before it, and nothing set after it', () => {
    const cancelled: Effect = { kind: 'cancel_timer', key: 'look' };
    expect(work(timer(t0, 1), cancelled)).toEqual({ cancel: ['timer/look'], enqueue: [] });
    expect(work(cancelled, timer(t0, 2)).enqueue).toHaveLength(1);
  });

  it('many changes of a card are one job, as urgent as the most urgent of them', () => {
    expect(work(drawn(true), drawn(false)).enqueue).toMatchObject([
      { key: 'card/d1', lane: 'chat/d1', merge: true, priority: 4, dueAtMs: t0 },
    ]);
    expect(work(drawn(false)).enqueue).toMatchObject([{ priority: 7, dueAtMs: t0 + 250 }]);
  });

  it('every line is said, in order, after its card', () => {
    const { enqueue } = work(said, drawn(true), said);
    expect(enqueue.map((job) => [job.effect.kind, job.key, job.lane])).toEqual([
      ['say', null, 'chat/d1'],
      ['card', 'card/d1', 'chat/d1'],
      ['say', null, 'chat/d1'],
    ]);
  });

  it('every change of a card is shown at once, only one more alert within a second', () => {
    const joined: Effect = { ...said, entry: { what: 'question-joined' } as never };
    const opened: Effect = { ...said, entry: { what: 'question-opened' } as never };
    const cardOf = (...effects: Effect[]) => work(drawn(true), ...effects).enqueue[0];
    expect(cardOf(opened, joined)).toMatchObject({ key: 'card/d1', dueAtMs: t0 });
    expect(cardOf(joined, joined)).toMatchObject({ key: 'card/d1', dueAtMs: t0 + 750, priority: 4 });
    const sooner: Effect = { kind: 'timer', key: 'deadline', atMs: t0 + 60_000, epoch: 2 };
    expect(work(sooner, drawn(true), joined).enqueue[1]).toMatchObject({ key: 'card/d1', dueAtMs: t0 });
  });

  it('a trigger and its resolve share a lane', () => {
    expect(work(page('trigger'), page('resolve')).enqueue.map((job) => [job.key, job.lane, job.priority])).toEqual([
      ['page/d1/trigger', 'page/d1', 3],
      ['page/d1/resolve', 'page/d1', 3],
    ]);
  });
});
