import { describe, expect, it } from 'vitest';
import { workOf } from '../../src/application/jobs.ts';
import type { CardRef, Effect, JournalKind } from '../../src/domain/effect.ts';
import type { WaitingLine } from '../../src/ports/store.ts';

type Line = WaitingLine['effect'];
const t0 = 1_000_000;
const card: CardRef = { kind: 'degradation', id: 'd1' };
const line = (text: string, what: JournalKind = 'question-joined', of = card): Line => ({
  kind: 'say',
  card: of,
  entry: { what, text, reason: 'r', numbers: [] } as never,
});
const lines = (count: number, from = 0) => Array.from({ length: count }, (_, i) => line(`line ${from + i}`));
const waits = (effects: readonly Line[], over: Partial<WaitingLine> = {}): readonly WaitingLine[] =>
  effects.map((effect) => ({ key: null, effect, isRunning: false, ...over }));

function said(effects: readonly Effect[], waiting: readonly WaitingLine[] = []) {
  const work = workOf('fraud-scorer', effects, t0, new Map([['chat/d1', waiting]]));
  const jobs = work.enqueue.filter(({ effect }) => effect.kind === 'say');
  return {
    jobs,
    cancel: work.cancel,
    texts: jobs.map(({ effect }) => (effect.kind === 'say' ? effect.entry.text : '')),
  };
}

describe('a flood of lines', () => {
  it('of one commit is cut short, and says how many are left out', () => {
    expect(said(lines(10)).texts).toEqual(lines(10).map(({ entry }) => entry.text));
    const { texts, jobs } = said(lines(500));
    expect(texts).toHaveLength(10);
    expect(texts.slice(8)).toEqual(['line 8', '491 more like these. The history has all of them.']);
    expect(jobs.at(-1)).toMatchObject({ key: `more/d1/${t0}`, lane: 'chat/d1', effect: { more: 491 } });
  });

  it('over time is one line that counts on while it waits', () => {
    const nine = waits(lines(9));
    const first = said(lines(3, 9), nine);
    expect(first.texts).toEqual(['3 more like these. The history has all of them.']);
    const more = { ...line('3 more'), more: 3 };
    const next = said(lines(4, 12), [...waits([more], { key: 'more/d1/7' }), ...nine]);
    expect(next.cancel).toEqual(['more/d1/7']);
    expect(next.texts).toEqual(['7 more like these. The history has all of them.']);
  });

  it('leaves the line that is being said as it is', () => {
    const more = { ...line('3 more'), more: 3 };
    const next = said(lines(4), [...waits([more], { key: 'more/d1/7', isRunning: true }), ...waits(lines(9))]);
    expect(next.cancel).toEqual([]);
    expect(next.texts).toEqual(['4 more like these. The history has all of them.']);
  });

  it('of one line too many is that line in its own words, until there are more', () => {
    expect(said([line('the eleventh')], waits(lines(10))).texts).toEqual(['the eleventh']);
    const one = { ...line('the eleventh'), more: 1 };
    const waiting = [...waits([one], { key: 'more/d1/7' }), ...waits(lines(9))];
    expect(said([line('the twelfth')], waiting).texts).toEqual(['2 more like these. The history has all of them.']);
  });

  it('never takes what else is told along, and no other thread', () => {
    const decided = line('Rolled back by Ada.', 'rollback-decided');
    const elsewhere = line('elsewhere', 'question-joined', { kind: 'degradation', id: 'd2' });
    expect(said([...lines(30), decided, elsewhere], waits(lines(10))).texts).toEqual([
      '30 more like these. The history has all of them.',
      'Rolled back by Ada.',
      'elsewhere',
    ]);
    const many = Array.from({ length: 30 }, () => decided);
    expect(said(many, waits(lines(10))).texts).toHaveLength(30);
  });
});
