import { describe, expect, it } from 'vitest';
import type { GridSeries, NativePoint } from '../../src/sources/increase.ts';
import { createMatrix } from '../../src/sources/matrix.ts';
import { boundsFor, nativeTails } from '../../src/sources/native.ts';
import { readArm, together } from '../../src/sources/read-arm.ts';
import { metric } from './support.ts';

const ends = [30_000, 60_000, 90_000];
type Buckets = readonly (readonly [left: number, right: number, count: number])[];
const point = (buckets: Buckets): NativePoint => ({
  count: buckets.reduce((sum, [, , n]) => sum + n, 0),
  lefts: Float64Array.from(buckets, ([left]) => left),
  rights: Float64Array.from(buckets, ([, right]) => right),
  counts: Float64Array.from(buckets, ([, , n]) => n),
});
const series = (...points: (Buckets | null)[]): GridSeries => ({
  labels: {},
  at: new Array<number>(points.length).fill(Number.NaN),
  natives: points.map((buckets) => (buckets === null ? null : point(buckets))),
});
const arm = (...list: GridSeries[]) => ({ series: list, endsMs: ends });
const counts = (of: ReturnType<typeof nativeTails>) =>
  of.kind === 'tails' ? of.bounds.map((b) => b.windows.map((w) => [w.events, w.exposure])) : [];
const none: Buckets = [];

describe('tails of native histograms', () => {
  it('are counted at boundaries, window by window', () => {
    const one = arm(
      series(
        none,
        [[1, 2, 3]],
        [
          [1, 2, 5],
          [2, 4, 1],
        ],
        [
          [1, 2, 5],
          [2, 4, 1],
        ],
      ),
    );
    expect(counts(nativeTails(one, [1, 2, 4]))).toEqual([
      [
        [3, 3],
        [3, 3],
        [0, 0],
      ],
      [
        [0, 3],
        [1, 3],
        [0, 0],
      ],
      [
        [0, 3],
        [0, 3],
        [0, 0],
      ],
    ]);
  });

  it('begin anew where the count falls, and where only the buckets show the restart', () => {
    const fallen = arm(series([[1, 2, 10]], [[1, 2, 12]], [[1, 2, 4]], [[1, 2, 5]]));
    expect(counts(nativeTails(fallen, [1]))).toEqual([
      [
        [2, 2],
        [4, 4],
        [1, 1],
      ],
    ]);
    // Restarted and busier than before: 5 fast ones became 1, so all 11 are new.
    const busier = arm(
      series(
        [
          [1, 2, 5],
          [2, 4, 2],
        ],
        [
          [1, 2, 5],
          [2, 4, 3],
        ],
        [
          [1, 2, 1],
          [2, 4, 10],
        ],
        null,
      ),
    );
    expect(counts(nativeTails(busier, [2]))).toEqual([
      [
        [1, 1],
        [10, 11],
      ],
    ]);
  });

  it('count a later series from 0, the first of an arm from where it is seen, and nothing over a gap twice', () => {
    const first = series(null, [[1, 2, 100]], [[1, 2, 110]], null);
    const late = series(null, null, [[1, 2, 7]], [[1, 2, 9]]);
    expect(counts(nativeTails(arm(first, late), [1]))).toEqual([
      [
        [17, 17],
        [2, 2],
      ],
    ]);
    const gap = series([[1, 2, 1]], null, null, [[1, 2, 10]]);
    expect(counts(nativeTails(arm(gap), [1]))).toEqual([[[9, 9]]]);
  });

  it('have the bounds no bucket of any arm spans: a coarser one takes the boundaries within it', () => {
    const fine = arm(
      series(none, [
        [1, 1.5, 50],
        [1.5, 2, 30],
        [2, 3, 15],
        [3, 4, 5],
      ]),
    );
    const coarse = arm(
      series(none, [
        [1, 2, 80],
        [2, 4, 20],
      ]),
    );
    expect(boundsFor([fine], [fine], [])).toEqual([1.5, 2, 3]);
    expect(boundsFor([fine, coarse], [fine], [])).toEqual([2]);
    expect(boundsFor([fine, coarse], [fine], [1.4, 3.4])).toEqual([1, 4]);
    const none4 = arm(series(none, [[0.5, 8, 1]]));
    expect(boundsFor([coarse, none4], [coarse], [2.1])).toEqual([8]);
  });

  it('snap to the nearest boundary by ratio, each one once', () => {
    const one = arm(
      series(none, [
        [0.25, 0.5, 1],
        [0.5, 1, 1],
        [1, 2, 1],
      ]),
    );
    expect(boundsFor([one], [one], [0.3, 0.26, 0.9])).toEqual([0.25, 1]);
    expect(boundsFor([one], [one], [100])).toEqual([2]);
  });

  it('have six bounds at most, and the one nearest to telling anything where none does', () => {
    const many: Buckets = Array.from({ length: 40 }, (_, k): [number, number, number] => [k + 1, k + 2, 100]);
    const wide = arm(series(none, many));
    const bounds = boundsFor([wide], [wide], []);
    // Slower than them: 50, 25, 10, 5 and 2.5 %; the last stands for 2 % and for 0.5 %.
    expect(bounds).toEqual([21, 31, 37, 39, 40]);
    const fast = arm(
      series(none, [
        [1, 2, 10_000],
        [2, 4, 1],
      ]),
    );
    expect(boundsFor([fast], [fast], [])).toEqual([2]);
    expect(boundsFor([arm(series(none, none))], [], [])).toEqual([]);
  });

  it('without a boundary in common there is nothing to compare', () => {
    const latency = metric({ kind: 'latency', buckets: 'h', bounds: [] });
    const read = readArm(latency, [[series(none, none, none, none)]], ends, 30_000);
    const [only] = together(latency, [read], [0]);
    expect(only).toMatchObject({ series: null, problem: 'the native histograms have no bucket boundary in common' });
  });
});

describe('native histograms in an answer', () => {
  const stretch = { startMs: 0, endMs: 30_000, stepMs: 30_000 };
  const add = (...histograms: unknown[]) => {
    const matrix = createMatrix(stretch);
    expect(matrix.add({ resultType: 'matrix', result: [{ metric: {}, histograms }] })).toBeNull();
    return matrix.series()[0]?.natives;
  };

  it('may be without buckets, with infinite ends, and with a bucket around zero', () => {
    expect(add([0, { count: '0', sum: '0' }])?.[0]).toMatchObject({ count: 0, counts: { length: 0 } });
    const zero = add([
      30,
      {
        count: '3',
        sum: '1',
        buckets: [
          [3, '-0.001', '0.001', '1'],
          [0, '1', '+Inf', '2'],
        ],
      },
    ])?.[1];
    expect([...(zero?.lefts ?? [])]).toEqual([-0.001, 1]);
    expect([...(zero?.rights ?? [])]).toEqual([0.001, Number.POSITIVE_INFINITY]);
  });

  it.each([
    ['no histogram', 7],
    ['a count that is none', { count: 'NaN', buckets: [] }],
    ['a bucket that is none', { count: '1', buckets: [7] }],
    ['a bucket without a number', { count: '1', buckets: [[0, '1', '2', 'NaN']] }],
    ['a bucket without an end', { count: '1', buckets: [[0, '1', 'two', '1']] }],
  ])('that are %s are not counted', (_name, value) => {
    expect(add([0, value])?.[0]).toBeNull();
  });
});
