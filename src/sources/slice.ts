import type { GridSeries } from './increase.ts';
import { pointsOf, type Stretch } from './matrix.ts';

/**
 * What a query over `part` would have answered, from what it answered over `whole`: each point of a range query is evaluated by
 * itself. A series without a point in the part is not in its answer; one with points nobody can count with (NaN) is.
 */
export function sliced(series: readonly GridSeries[], whole: Stretch, part: Stretch): GridSeries[] {
  const from = Math.round((part.startMs - whole.startMs) / whole.stepMs);
  const to = from + pointsOf(part);
  if (from === 0 && to >= pointsOf(whole)) return series.slice();
  const out: GridSeries[] = [];
  for (const one of series) {
    const cut = cutOut(one, from, to);
    if (cut !== null) out.push(cut);
  }
  return out;
}

function cutOut(one: GridSeries, from: number, to: number): GridSeries | null {
  // A copy: a view would keep everybody's numbers in memory.
  const at = one.at.slice(from, to);
  const odd = within(one.odd, from, to);
  const oddNatives = within(one.oddNatives, from, to);
  const natives = one.natives?.slice(from, to);
  const hasNatives = oddNatives !== undefined || (natives?.some((point) => point !== null) ?? false);
  if (!hasNatives && odd === undefined && at.every(Number.isNaN)) return null;
  return {
    labels: one.labels,
    at,
    ...(natives !== undefined && hasNatives ? { natives } : {}),
    ...(odd === undefined ? {} : { odd }),
    ...(oddNatives === undefined ? {} : { oddNatives }),
  };
}

function within(indices: readonly number[] | undefined, from: number, to: number): number[] | undefined {
  if (indices === undefined) return undefined;
  const inside = indices.filter((index) => index >= from && index < to).map((index) => index - from);
  return inside.length > 0 ? inside : undefined;
}
