import type { Metric } from '../analysis/types.ts';
import type { Asking } from './asking.ts';
import { messageOf } from './found.ts';
import type { GridSeries } from './increase.ts';
import { type ArmRead, absent, readArm } from './read-arm.ts';
import { selectorsOf } from './selectors.ts';
import { endsOf, type Windows } from './windows.ts';

/** Who asks, and until when. */
export interface Asker {
  readonly asking: Asking;
  readonly signal: AbortSignal;
  readonly readings: Readings;
}

/** What was read of the same series before, down to the object: the past of a rollout is the same at each of its looks. */
export interface Readings {
  of(metric: Metric, found: readonly GridSeries[][], windows: Windows): ArmRead;
}

interface Reading {
  readonly source: string;
  readonly found: readonly GridSeries[][];
  readonly windows: Windows;
  readonly read: ArmRead;
}

export function createReadings(): Readings {
  /** By what the first selector found; let go of with it. */
  const known = new WeakMap<readonly GridSeries[], Reading>();
  return {
    of: (metric, found, windows) => {
      const [first = []] = found;
      const before = known.get(first);
      // A plan that was stored and read again has another object that says the same.
      const source = JSON.stringify(metric.source);
      const isSame =
        before !== undefined &&
        before.source === source &&
        before.found.length === found.length &&
        before.found.every((series, k) => series === found[k]) &&
        areSame(before.windows, windows);
      if (isSame) return before.read;
      const read = readArm(metric, found, endsOf(windows), windows.windowMs);
      known.set(first, { source, found, windows, read });
      return read;
    },
  };
}

/** Windows are as long as each other, so their first and their number say all. */
function areSame(a: Windows, b: Windows): boolean {
  return a.windowMs === b.windowMs && a.count === b.count && a.firstEndMs === b.firstEndMs;
}

export interface WindowsRead {
  readonly read: ArmRead;
  /** False: a question was called off or not asked at all, so the same a moment later is worth asking. */
  readonly wasAnswered: boolean;
}

/** Reads one metric over these windows, each selector with one range query. `fill` null: the selector cannot be filled so. */
export async function readWindows(
  { asking, signal, readings }: Asker,
  metric: Metric,
  windows: Windows,
  fill: (template: string) => string | null,
): Promise<WindowsRead> {
  try {
    const queries = selectorsOf(metric.source).map(fill);
    const whole = queries.filter((query) => query !== null);
    if (whole.length < queries.length) return { read: absent('no series were found'), wasAnswered: true };
    const found: GridSeries[][] = [];
    for (const answer of await Promise.all(
      whole.map((query) => asking.ask(query, windows.stretch, signal, metric.labelDelayMs)),
    )) {
      if (!answer.ok) return { read: absent(answer.problem), wasAnswered: answer.wasAnswered };
      found.push(answer.value);
    }
    return { read: readings.of(metric, found, windows), wasAnswered: true };
  } catch (error) {
    // A placeholder that cannot be written where it stands, or a selector the policy leaves out.
    return { read: absent(messageOf(error)), wasAnswered: true };
  }
}
