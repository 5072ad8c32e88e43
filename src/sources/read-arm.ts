import type { CountWindow, Metric, MetricKind, Series } from '../analysis/types.ts';
import { firstSeen, type GridSeries, sumIncreases } from './increase.ts';

/** From the series of one metric and arm to the windows the comparison takes. Pure: every rule of reading is here. */

/** The selectors of a metric, by what they count. `kind` says whether a sample before the first window is needed. */
export function selectorsOf(source: MetricKind): readonly string[] {
  switch (source.kind) {
    case 'proportion':
      return [source.bad ?? source.good ?? source.total, source.total];
    case 'rate':
      return source.per === null ? [source.events] : [source.events, source.per];
    case 'latency':
      return [source.buckets];
    case 'gauge':
    case 'limit':
    case 'drift-score':
      return [source.value];
    default:
      return [];
  }
}

export interface ArmRead {
  readonly series: Series | null;
  /** What is wrong or absent; null where nothing is. */
  readonly problem: string | null;
  /** `good` of a proportion found nothing: all failed, or the selector is mistyped. Only the other arm can tell. */
  readonly noGood: boolean;
}

/** `found`: the series of each selector, in the order of `selectorsOf`; `endsMs`: the windows' ends. */
export function readArm(
  metric: Metric,
  found: readonly (readonly GridSeries[])[],
  endsMs: readonly number[],
  windowMs: number,
): ArmRead {
  const { source } = metric;
  const [first = [], second = []] = found;
  switch (source.kind) {
    case 'proportion':
      return counted(first, second, endsMs, source.good !== null);
    case 'rate':
      return source.per === null ? perInstance(first, endsMs, windowMs) : counted(first, second, endsMs, false);
    case 'latency':
      return tails(first, endsMs);
    case 'gauge':
    case 'limit':
    case 'drift-score':
      return gauge(first, endsMs);
    default:
      return nothing(`${source.kind} is not read yet`);
  }
}

function nothing(problem: string): ArmRead {
  return { series: null, problem, noGood: false };
}

function windowsOf(
  endsMs: readonly number[],
  at: (i: number) => { events: number; exposure: number } | null,
): CountWindow[] {
  return endsMs.flatMap((endMs, i) => {
    const window = at(i);
    return window === null ? [] : [{ endMs, ...window }];
  });
}

/** Requests without an error series are requests without errors; errors without requests are nothing that can be judged. */
function counted(
  events: readonly GridSeries[],
  all: readonly GridSeries[],
  endsMs: readonly number[],
  isGood: boolean,
): ArmRead {
  const seenAt = Math.min(firstSeen(events), firstSeen(all));
  if (firstSeen(all) === Number.POSITIVE_INFINITY) {
    return nothing(events.length > 0 ? 'events were found but nothing they are a part of' : 'no series were found');
  }
  const happened = sumIncreases(events, seenAt, endsMs.length);
  const total = sumIncreases(all, seenAt, endsMs.length);
  const windows = windowsOf(endsMs, (i) => {
    const exposure = total[i] ?? Number.NaN;
    const count = happened[i] ?? Number.NaN;
    return Number.isNaN(exposure) ? null : { events: Number.isNaN(count) ? 0 : count, exposure };
  });
  return { series: { kind: 'counts', windows }, problem: null, noGood: isGood && events.length === 0 };
}

/** Exposure is seconds of running instances: those that had a value at the window's end. */
function perInstance(events: readonly GridSeries[], endsMs: readonly number[], windowMs: number): ArmRead {
  const seenAt = firstSeen(events);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const happened = sumIncreases(events, seenAt, endsMs.length);
  const windows = windowsOf(endsMs, (i) => {
    const count = happened[i] ?? Number.NaN;
    if (Number.isNaN(count)) return null;
    const running = new Set<string>();
    for (const s of events) {
      if (!Number.isNaN(s.at[i + 1] ?? Number.NaN))
        running.add(`${s.labels.job ?? ''}/${s.labels.instance ?? s.labels.pod ?? ''}`);
    }
    return { events: count, exposure: (running.size * windowMs) / 1000 };
  });
  return { series: { kind: 'counts', windows }, problem: null, noGood: false };
}

/** Cumulative buckets become "slower than the bound". Only bounds that every instance has can be summed. */
function tails(buckets: readonly GridSeries[], endsMs: readonly number[]): ArmRead {
  const seenAt = firstSeen(buckets);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const byBound = new Map<number, GridSeries[]>();
  const boundsOf = new Map<string, Set<number>>();
  for (const s of buckets) {
    const bound = boundOf(s.labels.le);
    if (bound === null) continue;
    byBound.set(bound, [...(byBound.get(bound) ?? []), s]);
    const { le: _le, ...rest } = s.labels;
    const instance = JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
    boundsOf.set(instance, (boundsOf.get(instance) ?? new Set()).add(bound));
  }
  const everybody = byBound.get(Number.POSITIVE_INFINITY);
  if (everybody === undefined) return nothing('the series have no bucket le="+Inf": is it a classic histogram?');
  const all = sumIncreases(everybody, seenAt, endsMs.length);
  const shared = [...byBound.keys()].filter(
    (bound) => Number.isFinite(bound) && [...boundsOf.values()].every((bounds) => bounds.has(bound)),
  );
  if (shared.length === 0) return nothing('no bucket bound is common to all instances');
  const bounds = shared
    .sort((a, b) => a - b)
    .map((bound) => {
      const within = sumIncreases(byBound.get(bound) ?? [], seenAt, endsMs.length);
      const windows = windowsOf(endsMs, (i) => {
        const exposure = all[i] ?? Number.NaN;
        const fast = within[i] ?? Number.NaN;
        if (Number.isNaN(exposure) || Number.isNaN(fast)) return null;
        return { events: Math.max(0, exposure - fast), exposure };
      });
      return { bound, windows };
    });
  return { series: { kind: 'tails', bounds }, problem: null, noGood: false };
}

function boundOf(le: string | undefined): number | null {
  if (le === undefined) return null;
  if (le === '+Inf' || le === 'Inf') return Number.POSITIVE_INFINITY;
  const bound = Number(le);
  return le.trim() === '' || Number.isNaN(bound) ? null : bound;
}

/** Several series of a gauge are averaged. */
function gauge(found: readonly GridSeries[], endsMs: readonly number[]): ArmRead {
  if (firstSeen(found) === Number.POSITIVE_INFINITY) return nothing('no usable numbers were found');
  const windows = endsMs.flatMap((endMs, i) => {
    const known = found.map((s) => s.at[i + 1] ?? Number.NaN).filter((v) => !Number.isNaN(v));
    return known.length === 0 ? [] : [{ endMs, value: known.reduce((sum, v) => sum + v / known.length, 0) }];
  });
  return { series: { kind: 'values', windows }, problem: null, noGood: false };
}
