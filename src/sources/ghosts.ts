import { type GridSeries, noNumbers } from './increase.ts';
import type { Ghost } from './kept-store.ts';

/** What each selector found, with the series that are gone, which have their last value where what is kept ends. */
export function withGhosts(
  found: readonly (readonly GridSeries[])[],
  ghosts: readonly Ghost[],
  points: number,
): (readonly GridSeries[])[] {
  return found.map((series, selector) => {
    const own = ghosts.filter((ghost) => ghost.selector === selector);
    return own.length === 0 ? series : joined(series, own, points);
  });
}

function joined(series: readonly GridSeries[], ghosts: readonly Ghost[], points: number): readonly GridSeries[] {
  const left = new Map(ghosts.map((ghost) => [keyOf(ghost.labels), ghost]));
  const out = series.map((one) => {
    const ghost = left.get(keyOf(one.labels));
    if (ghost === undefined) return one;
    left.delete(keyOf(one.labels));
    // A copy: others may read the same answer.
    const at = one.at.slice();
    at[0] = ghost.value;
    return { ...one, at };
  });
  for (const { labels, value } of left.values()) {
    const at = noNumbers(points);
    at[0] = value;
    out.push({ labels, at });
  }
  return out;
}

function keyOf(labels: GridSeries['labels']): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
