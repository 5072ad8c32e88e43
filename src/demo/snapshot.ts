import { who } from '../domain/words.ts';
import type { Controls } from './controls.ts';
import type { Incident, Lab } from './lab/index.ts';
import type { Narrator } from './narrator.ts';
import { SERVICE, SLOW_SECONDS, SPEEDS } from './scenario.ts';
import type { DemoClock } from './time/demo-clock.ts';
import type { Watch } from './watch.ts';
import { nowOf } from './world/now.ts';
import type { Readings } from './world/readings.ts';
import { momentOf, roadOf } from './world/road.ts';
import type { Source, WorldSnapshot } from './world/types.ts';

export interface SnapshotParts {
  readonly lab: Lab;
  readonly watch: Watch;
  readonly readings: Readings;
  readonly narrator: Narrator;
  readonly controls: Controls;
  readonly clock: DemoClock;
  readonly incidents: () => readonly Incident[];
  /** Empty until they run. */
  readonly sources: () => readonly Source[];
  /** Prometheus in the demo's time; null until it runs. */
  readonly prometheusUrl: () => string | null;
}

const SHOWN_LINES = 80;

/** Everything the panel shows, as JSON: read from the lab, from Lastgood's queries and from Prometheus, never written. */
export async function snapshot(parts: SnapshotParts): Promise<WorldSnapshot> {
  const { lab, watch, readings, narrator, controls, clock } = parts;
  const url = parts.prometheusUrl();
  const alerts = url === null ? [] : await alertsOf(url);
  const nowMs = clock.now();
  const state = watch.state();
  const { stable, candidate } = lab.splitter.split();
  return {
    nowMs,
    speed: { factor: clock.factor, choices: SPEEDS },
    service: SERVICE,
    slowMs: SLOW_SECONDS * 1000,
    split: { stable, candidate },
    points: readings.points(),
    now: nowOf(state, nowMs, watch.journal()),
    moment: momentOf(state),
    road: roadOf(state, nowMs),
    alerts,
    incidents: parts.incidents().map(({ dedupKey, state, summary }) => ({ id: dedupKey, state, summary })),
    journal: watch.journal().map((entry) => ({
      atMs: entry.atMs,
      who: who(entry.actor),
      what: entry.what,
      text: entry.text,
    })),
    lines: narrator.lines.slice(-SHOWN_LINES),
    controls: controls.list(),
    sources: parts.sources(),
  };
}

interface ListedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

/** As Prometheus lists them, pending ones too. A Prometheus that does not answer has none to show. */
async function alertsOf(url: string): Promise<WorldSnapshot['alerts']> {
  try {
    const response = await fetch(`${url}/api/v1/alerts`, { signal: AbortSignal.timeout(1_000) });
    const { data } = (await response.json()) as { data: { alerts: readonly ListedAlert[] } };
    return data.alerts.map(({ labels, annotations, state, activeAt }) => ({
      name: labels.alertname ?? '',
      version: labels.version ?? null,
      state,
      summary: annotations.summary ?? '',
      sinceMs: Date.parse(activeAt),
    }));
  } catch {
    return [];
  }
}
