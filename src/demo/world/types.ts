import type { Control } from '../controls.ts';
import type { Now } from './now.ts';
import type { Point } from './readings.ts';

/** Everything the page beside the channel shows: one JSON object, sent anew whenever something happens and at least each second. */
export interface WorldSnapshot {
  /** The demo's clock, Unix ms: it runs `speed.factor` times as fast as the wall's. */
  readonly nowMs: number;
  readonly speed: { readonly factor: number; readonly choices: readonly number[] };
  readonly service: string;
  /** An answer slower than this counts as slow. */
  readonly slowMs: number;
  readonly split: { readonly stable: Arm; readonly candidate: Arm };
  /** The last two minutes of each version, by version, oldest first. */
  readonly points: Readonly<Record<string, readonly Point[]>>;
  readonly now: Now;
  /** Where the story is, for the guided tour. */
  readonly moment: Moment;
  /** The rollout's way forward, and back once it goes back; empty without a rollout. */
  readonly road: readonly Milestone[];
  readonly alerts: readonly {
    readonly name: string;
    /** Which version it is about; null: none alone. */
    readonly version: string | null;
    readonly state: string;
    readonly summary: string;
    readonly sinceMs: number;
  }[];
  readonly incidents: readonly { readonly id: string; readonly state: string; readonly summary: string }[];
  /** Lastgood's journal as it is written, newest last, at most 60. */
  readonly journal: readonly JournalLine[];
  /** What the story tells and the visitor did. */
  readonly lines: readonly { readonly atMs: number; readonly kind: string; readonly text: string }[];
  readonly controls: readonly Control[];
  readonly sources: readonly Source[];
}

export interface Arm {
  readonly version: string | null;
  readonly percent: number;
}

export type Moment =
  | 'starting'
  | 'serving'
  | 'rolling-out'
  | 'asked'
  | 'paged'
  | 'held'
  | 'rolling-back'
  | 'verifying'
  | 'rolled-back'
  | 'succeeded';

/** One exposure of the plan. */
export interface Milestone {
  readonly direction: 'forward' | 'back';
  readonly exposurePercent: number;
  readonly state: 'done' | 'present' | 'next' | 'skipped';
  /** Of the present one: since when, and when something is decided at the latest; null: nothing runs. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** "gate passed", "soaking", "stable carries the load well" */
  readonly note: string;
}

export interface JournalLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly text: string;
}

/** Which Prometheus and Alertmanager are in use. */
export interface Source {
  readonly name: string;
  readonly real: boolean;
  /** `Prometheus 2.42.0`, `stand-in for Prometheus` */
  readonly label: string;
  readonly url: string;
}
