import { describe, expect, it } from 'vitest';
import { boundsAskedFor } from '../../src/analysis/arms/bounds.ts';

describe('bucket bounds that stand for the policy’s', () => {
  const classic = [0.1, 0.25, 0.5, Number.POSITIVE_INFINITY];
  it('are all finite ones where it names none', () => {
    expect([...boundsAskedFor(classic, [])]).toEqual([0.1, 0.25, 0.5]);
  });

  it('are those it names where the histogram has them', () => {
    expect([...boundsAskedFor(classic, [0.5, 0.1])]).toEqual([0.5, 0.1]);
    expect([...boundsAskedFor([0.1 + 0.2, 0.5], [0.3])]).toEqual([0.1 + 0.2]);
  });

  it('are the nearest ones where it has not: buckets of native histograms lie at powers of two and between', () => {
    const native = [-13, -8, -7].map((k) => 2 ** (k / 4));
    expect([...boundsAskedFor(native, [0.1, 0.25, 0.3])]).toEqual(native);
    expect([...boundsAskedFor([0.25, 0.5], [0.35355339])]).toHaveLength(1);
  });

  it('are none where none is near, rather than another question than the policy asked', () => {
    expect([...boundsAskedFor(classic, [2, 0])]).toEqual([]);
  });
});
