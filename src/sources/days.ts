import type { Metric } from '../analysis/types.ts';
import type { MetricRequest } from '../ports/metric-source.ts';
import { fillForWholeService, type Placeholders } from './promql.ts';
import { type ArmRead, absent, together } from './read-arm.ts';
import { type Asker, readWindows, type WindowsRead } from './read-windows.ts';
import { createSharing, type Sharing } from './sharing.ts';
import { budgetWindows, historyWindows, type Windows } from './windows.ts';

/** Days of the whole service, any version: they change slowly and cost much, so what was read is kept. */

const HISTORY_KEPT_MS = 3_600_000;
const BUDGET_KEPT_MS = 60_000;
/** What Prometheus refuses or does not manage in time is not asked for at every look. */
const FAILURE_KEPT_MS = 60_000;
/** Metrics of all services that are kept, of each kind. */
const MOST_KEPT = 500;

export interface Days {
  /** An hour a window over fifteen days, kept for an hour. */
  history(asker: DaysAsker, metric: Metric): Promise<ArmRead>;
  /** Five minutes a window over three days, kept for a minute. */
  budget(asker: DaysAsker, metric: Metric): Promise<ArmRead>;
}

export interface DaysAsker extends Asker {
  readonly request: MetricRequest;
}

export function createDays(now: () => number): Days {
  const histories = keeping(now, HISTORY_KEPT_MS);
  const budgets = keeping(now, BUDGET_KEPT_MS);
  return {
    history: (asker, metric) => readDays(histories, asker, metric, historyWindows(asker.request.period)),
    budget: (asker, metric) => readDays(budgets, asker, metric, budgetWindows(asker.request.period)),
  };
}

function keeping(now: () => number, keptMs: number): Sharing<WindowsRead> {
  return createSharing<WindowsRead>({
    now,
    keepMs: ({ read, wasAnswered }) => (read.series !== null ? keptMs : wasAnswered ? FAILURE_KEPT_MS : 0),
    mostWeight: MOST_KEPT,
    weightOf: () => 1,
    stopped: { read: absent('the look was stopped before Prometheus answered'), wasAnswered: false },
  });
}

async function readDays(
  kept: Sharing<WindowsRead>,
  { request, asking, signal, readings }: DaysAsker,
  metric: Metric,
  windows: Windows,
): Promise<ArmRead> {
  const values: Placeholders = { version: request.stable, arm: 'stable', service: request.service };
  let mayBeWide = true;
  const fill = (template: string) => {
    const query = fillForWholeService(template, values);
    if (query === null) mayBeWide = false;
    return query;
  };
  // The version does not stand in what is asked, so it does not stand in the key.
  const key = JSON.stringify([windows.stretch.endMs, request.service, metric.source]);
  const { read } = await kept.get(key, signal, async (stop) => {
    const { read: alone, wasAnswered } = await readWindows({ asking, signal: stop, readings }, metric, windows, fill);
    if (!mayBeWide)
      return { read: absent('the selectors name one version in a way that any could not fit'), wasAnswered };
    const [only = alone] = together(metric, [alone], [0]);
    return { read: only, wasAnswered };
  });
  return read;
}
