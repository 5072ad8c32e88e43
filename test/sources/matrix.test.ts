import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMatrix } from '../../src/sources/matrix.ts';

const stretch = { startMs: 30_000, endMs: 120_000, stepMs: 30_000 };
const data = (...result: object[]) => ({ resultType: 'matrix', result });
const series = (metric: object, values: [number, string][]) => ({ metric, values });

describe('the series of an answer', () => {
  it('are one where their labels are the same, in whatever order they come and in however many pieces', () => {
    const matrix = createMatrix(stretch);
    matrix.add(data(series({ a: 'x', b: 'y' }, [[30, '1']]), series({ b: 'y', a: 'x' }, [[60, '2']])));
    matrix.add(data(series({ a: 'x', b: 'y' }, [[90, '3']])));
    expect(matrix.series()).toEqual([{ labels: { a: 'x', b: 'y' }, at: [1, 2, 3, Number.NaN] }]);
  });

  it('are as many as there are sets of labels, however alike those are', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'cd', 'ef'), fc.constantFrom('x', 'y', 'xy', 'yx', ''), {
      maxKeys: 4,
    });
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 40 }), (all) => {
        const matrix = createMatrix(stretch);
        const counts = new Map<string, number>();
        for (const metric of all) {
          const key = JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
          counts.set(key, (counts.get(key) ?? 0) + 1);
          // Of several for the same moment the last one holds.
          matrix.add(data(series(metric, [[60, String(counts.get(key))]])));
        }
        expect(matrix.series().map((one) => one.at[1])).toEqual([...counts.values()]);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('have labels that are texts, and numbers where they lie on the grid', () => {
    const matrix = createMatrix(stretch);
    expect(
      matrix.add(
        data(
          series({ a: 7 }, [
            [30, '1'],
            [31, '9'],
            [150, '5'],
            [0, '6'],
            [120, 'NaN'],
          ]),
        ),
      ),
    ).toBe(null);
    expect(matrix.series()).toEqual([{ labels: { a: '7' }, at: [9, Number.NaN, Number.NaN, Number.NaN], odd: [3] }]);
  });

  it('are refused where they are none', () => {
    for (const wrong of [null, { resultType: 'vector', result: [] }, { resultType: 'matrix', result: {} }])
      expect(createMatrix(stretch).add(wrong)).toContain('other than a matrix');
    expect(createMatrix(stretch).add(data({ values: [] }))).toContain('without labels');
  });
});
