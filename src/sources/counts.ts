import type { CountWindow, Measure, Series } from '../analysis/types.ts';
import { firstSeen, type GridSeries, sumIncreases } from './increase.ts';
import { CELLS } from './selectors.ts';

/** Counters as windows of events and exposure. */

/** What one arm's series come to: windows, or why there are none. */
export interface Counted {
  readonly series: Series | null;
  /** What is wrong or absent; null where nothing is. */
  readonly problem: string | null;
}

export function nothing(problem: string): Counted {
  return { series: null, problem };
}

type Found = readonly GridSeries[];

/** Requests without an error series are requests without errors; errors without requests are nothing that can be judged. */
export function counted(events: Found, all: Found, endsMs: readonly number[]): Counted {
  const seenAt = Math.min(firstSeen(events), firstSeen(all));
  if (firstSeen(all) === Number.POSITIVE_INFINITY) {
    return nothing(events.length > 0 ? 'events were found but nothing they are a part of' : 'no series were found');
  }
  const happened = sumIncreases(events, seenAt, endsMs.length);
  const total = sumIncreases(all, seenAt, endsMs.length);
  return counts(
    windowsOf(endsMs, (i) => {
      const exposure = total[i] ?? Number.NaN;
      return Number.isNaN(exposure) ? null : { events: known(happened[i]), exposure };
    }),
  );
}

/**
 * Cells of a confusion matrix as wrong ones of all. A cell without a series has counted nothing as long as another has one: a
 * model without a single false alarm has no series of them.
 */
export function labelled(measure: Measure, found: readonly Found[], endsMs: readonly number[]): Counted {
  const seenAt = firstSeen(found.flat());
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const cells = CELLS[measure].map((cell, k) => ({
    ...cell,
    counted: sumIncreases(found[k] ?? [], seenAt, endsMs.length),
  }));
  return counts(
    windowsOf(endsMs, (i) => {
      if (cells.every((cell) => Number.isNaN(cell.counted[i] ?? Number.NaN))) return null;
      const sum = (of: 'wrong' | 'all') => cells.reduce((total, cell) => total + cell[of] * known(cell.counted[i]), 0);
      return { events: sum('wrong'), exposure: sum('all') };
    }),
  );
}

/** Exposure is seconds of running instances: those that had a value at the window's end. */
export function perInstance(events: Found, endsMs: readonly number[], windowMs: number): Counted {
  const seenAt = firstSeen(events);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const happened = sumIncreases(events, seenAt, endsMs.length);
  const instances = events.map((s) => `${s.labels.job ?? ''}/${s.labels.instance ?? s.labels.pod ?? ''}`);
  return counts(
    windowsOf(endsMs, (i) => {
      const count = happened[i] ?? Number.NaN;
      if (Number.isNaN(count)) return null;
      const running = new Set(instances.filter((_, k) => !Number.isNaN(events[k]?.at[i + 1] ?? Number.NaN)));
      return { events: count, exposure: (running.size * windowMs) / 1000 };
    }),
  );
}

/** How much traffic an arm had: what a split is checked by. */
export function traffic(requests: Found, endsMs: readonly number[]): Counted {
  const seenAt = firstSeen(requests);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const total = sumIncreases(requests, seenAt, endsMs.length);
  return counts(
    windowsOf(endsMs, (i) => {
      const exposure = total[i] ?? Number.NaN;
      return Number.isNaN(exposure) ? null : { events: exposure, exposure };
    }),
  );
}

/** Several series of a gauge are averaged. */
export function gauge(found: Found, endsMs: readonly number[]): Counted {
  if (firstSeen(found) === Number.POSITIVE_INFINITY) return nothing('no usable numbers were found');
  const windows = endsMs.flatMap((endMs, i) => {
    const values = found.map((s) => s.at[i + 1] ?? Number.NaN).filter((v) => !Number.isNaN(v));
    return values.length === 0 ? [] : [{ endMs, value: values.reduce((sum, v) => sum + v / values.length, 0) }];
  });
  return { series: { kind: 'values', windows }, problem: null };
}

export function windowsOf(
  endsMs: readonly number[],
  at: (i: number) => { events: number; exposure: number } | null,
): CountWindow[] {
  const windows: CountWindow[] = [];
  endsMs.forEach((endMs, i) => {
    const window = at(i);
    if (window !== null) windows.push({ endMs, events: window.events, exposure: window.exposure });
  });
  return windows;
}

function counts(windows: readonly CountWindow[]): Counted {
  return { series: { kind: 'counts', windows }, problem: null };
}

function known(count: number | undefined): number {
  return count === undefined || Number.isNaN(count) ? 0 : count;
}
