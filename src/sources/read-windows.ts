import type { Metric } from '../analysis/types.ts';
import type { Asking } from './asking.ts';
import type { GridSeries } from './increase.ts';
import { type ArmRead, absent, readArm } from './read-arm.ts';
import { selectorsOf } from './selectors.ts';
import type { Windows } from './windows.ts';

/** Who asks, and until when. */
export interface Asker {
  readonly asking: Asking;
  readonly signal: AbortSignal;
}

export interface WindowsRead {
  readonly read: ArmRead;
  /** False: a question was called off or not asked at all, so the same a moment later is worth asking. */
  readonly wasAnswered: boolean;
}

/** Reads one metric over these windows, each selector with one range query. `fill` null: the selector cannot be filled so. */
export async function readWindows(
  { asking, signal }: Asker,
  metric: Metric,
  { endsMs, windowMs, stretch }: Windows,
  fill: (template: string) => string | null,
): Promise<WindowsRead> {
  try {
    const queries = selectorsOf(metric.source).map(fill);
    const whole = queries.filter((query) => query !== null);
    if (whole.length < queries.length) return { read: absent('no series were found'), wasAnswered: true };
    const found: GridSeries[][] = [];
    for (const answer of await Promise.all(
      whole.map((query) => asking.ask(query, stretch, signal, metric.labelDelayMs)),
    )) {
      if (!answer.ok) return { read: absent(answer.problem), wasAnswered: answer.wasAnswered };
      found.push(answer.value);
    }
    return { read: readArm(metric, found, endsMs, windowMs), wasAnswered: true };
  } catch (error) {
    // A placeholder that cannot be written where it stands, or a selector the policy leaves out.
    return { read: absent(error instanceof Error ? error.message : String(error)), wasAnswered: true };
  }
}
