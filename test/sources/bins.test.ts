import { describe, expect, it } from 'vitest';
import type { Series } from '../../src/analysis/types.ts';
import { binned, sameBins } from '../../src/sources/bins.ts';
import type { GridSeries } from '../../src/sources/increase.ts';

const _ = Number.NaN;
const ends = [30_000, 60_000, 90_000];
const series = (labels: Record<string, string>, ...at: number[]): GridSeries => ({ labels, at });
const table = (of: Series | null | undefined) =>
  Object.fromEntries(
    (of?.kind === 'bins' ? of.bins : []).map((b) => [b.bin, b.windows.map((w) => [w.endMs, w.events, w.exposure])]),
  );

describe('bins of a distribution', () => {
  it('are the values of the label, summed over instances; all of them have the windows any of them has', () => {
    const found = [
      series({ country: 'DE', instance: 'a' }, 0, 5, 10, _),
      series({ country: 'DE', instance: 'b' }, 0, 1, 1, _),
      series({ country: 'FR', instance: 'a' }, _, _, 4, _),
    ];
    expect(table(binned(found, 'country', ends).series)).toEqual({
      DE: [
        [30_000, 6, 6],
        [60_000, 5, 9],
      ],
      FR: [
        [30_000, 0, 6],
        [60_000, 4, 9],
      ],
    });
  });

  it('of a classic histogram lie between its bounds', () => {
    const found = [
      series({ le: '0.10' }, 0, 2, 2, 2),
      series({ le: '0.5' }, 0, 5, 6, 6),
      series({ le: '+Inf' }, 0, 6, 9, 9),
    ];
    expect(table(binned(found, 'le', ends).series)).toEqual({
      '≤ 0.1': [
        [30_000, 2, 6],
        [60_000, 0, 3],
        [90_000, 0, 0],
      ],
      '≤ 0.5': [
        [30_000, 3, 6],
        [60_000, 1, 3],
        [90_000, 0, 0],
      ],
      '> 0.5': [
        [30_000, 1, 6],
        [60_000, 2, 3],
        [90_000, 0, 0],
      ],
    });
  });

  it('say what is wrong: nothing found, or not that label', () => {
    expect(binned([], 'country', ends).problem).toBe('no series were found');
    expect(binned([series({ a: 'b' }, 0, 1, 2, 3)], 'country', ends).problem).toBe('no series has the label "country"');
    expect(binned([series({ country: 'DE' }, _, _, _, _)], 'country', ends).problem).toBe('no series were found');
  });

  it('are the same in every arm, and beyond 50 the rarest over all are the others', () => {
    const arm = (from: number, to: number) => {
      const list = Array.from({ length: to - from }, (__, k) =>
        series({ c: `c${from + k}` }, 0, 1000 - from - k, 0, 0),
      );
      return binned(list, 'c', ends).series;
    };
    const [few, other, absent] = sameBins([arm(0, 3), arm(2, 5), null]);
    expect(Object.keys(table(few))).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    expect(Object.keys(table(other))).toEqual(Object.keys(table(few)));
    expect(table(few).c4?.[0]).toEqual([30_000, 0, 1000 + 999 + 998]);
    expect(absent).toBeNull();
    const [stable, candidate] = sameBins([arm(0, 60), arm(30, 90)]);
    const names = Object.keys(table(stable));
    expect(names).toHaveLength(50);
    expect(names.at(-1)).toBe('others');
    expect(Object.keys(table(candidate))).toEqual(names);
    for (const one of [stable, candidate]) {
      const bins = Object.values(table(one));
      expect(bins.reduce((sum, [w]) => sum + (w?.[1] ?? 0), 0)).toBe(bins[0]?.[0]?.[2]);
    }
  });
});
