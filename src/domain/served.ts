import type { Verdict } from '../analysis/types.ts';
import type { Version } from './version.ts';

/** What served all traffic, how long and how well: the evidence a way back is chosen by. */
export interface Served {
  readonly version: Version;
  readonly sinceMs: number;
  /** Null: still. */
  readonly untilMs: number | null;
  /** It was rolled back, or its watch was cut short: never credited as last known good. */
  readonly tainted: boolean;
  /** Since when no degradation of it is open; null: one is, or it serves no longer. */
  readonly cleanSinceMs: number | null;
  /** Its longest stretch without an open degradation, up to the last time one opened or it stopped serving. */
  readonly longestCleanMs: number;
  /** Verdicts of the looks taken while it served everything. */
  readonly looks: Readonly<Record<Verdict, number>>;
  /** Degradations opened while it served everything. Newest last, at most 5. */
  readonly degradations: readonly string[];
}

/** Why a rollback goes to the version it goes to: the evidence, as it was when it was chosen. */
export interface WayBack {
  readonly served: Served;
  /** How long it served without an open degradation, in one stretch. */
  readonly cleanMs: number;
  /** The policy's `lastGood.after` then. */
  readonly neededMs: number;
  /** `evidence`: the newest that qualifies. `person`: named, by version or by time. */
  readonly chosenBy: 'evidence' | 'person';
  /** Newer ones that qualified and were passed over, with why: "not ready: 0 of 3 instances". */
  readonly passedOver: readonly { readonly version: string; readonly why: string }[];
}

const KEPT = 20;
const DEGRADATIONS_KEPT = 5;
const NO_LOOKS: Served['looks'] = { healthy: 0, degraded: 0, inconclusive: 0, 'no-data': 0 };

/** `version` serves everything from now on; what served before has ended. */
export function serves(served: readonly Served[], version: Version, now: number): readonly Served[] {
  const last = served[served.length - 1];
  if (last && last.version.id === version.id && last.untilMs === null) return served;
  const closed = served.map((s) => (s.untilMs === null ? { ...s, untilMs: now, ...stretchEnded(s, now) } : s));
  return [...closed, begun(version, now)].slice(-KEPT);
}

export function begun(version: Version, now: number): Served {
  return {
    version,
    sinceMs: now,
    untilMs: null,
    tainted: false,
    cleanSinceMs: now,
    longestCleanMs: 0,
    looks: NO_LOOKS,
    degradations: [],
  };
}

/** This version gets no credit as last known good for the time it serves or served last. */
export function taint(served: readonly Served[], versionId: string): readonly Served[] {
  const index = served.findLastIndex((s) => s.version.id === versionId);
  return served.map((s, i) => (i === index ? { ...s, tainted: true } : s));
}

/** A degradation of what serves has opened: its good time stands still. */
export function troubled(served: readonly Served[], degradationId: string, now: number): readonly Served[] {
  return atPresent(served, (s) => ({
    ...s,
    ...stretchEnded(s, now),
    degradations: [...s.degradations, degradationId].slice(-DEGRADATIONS_KEPT),
  }));
}

/** It is over, and the version still serves: its good time begins anew. */
export function wellAgain(served: readonly Served[], now: number): readonly Served[] {
  return atPresent(served, (s) => ({ ...s, cleanSinceMs: s.cleanSinceMs ?? now }));
}

/** So many looks were taken while it serves everything. */
export function lookedAt(served: readonly Served[], verdict: Verdict, looks = 1): readonly Served[] {
  return atPresent(served, (s) => ({ ...s, looks: { ...s.looks, [verdict]: s.looks[verdict] + looks } }));
}

function atPresent(served: readonly Served[], change: (present: Served) => Served): readonly Served[] {
  return served.map((s, i) => (i === served.length - 1 && s.untilMs === null ? change(s) : s));
}

function stretchEnded(s: Served, now: number): Pick<Served, 'cleanSinceMs' | 'longestCleanMs'> {
  return { cleanSinceMs: null, longestCleanMs: cleanMs(s, now) };
}

/** Its longest stretch without an open degradation, in ms. */
export function cleanMs(s: Served, now: number): number {
  return Math.max(s.longestCleanMs, s.cleanSinceMs === null ? 0 : now - s.cleanSinceMs);
}

/** What serves now, as far as is known. */
export function serving(served: readonly Served[]): Version | null {
  const last = served[served.length - 1];
  return last && last.untilMs === null ? last.version : null;
}

/** What served all traffic at that moment. */
export function servedAt(served: readonly Served[], atMs: number): Served | null {
  return served.findLast((s) => s.sinceMs <= atMs && (s.untilMs === null || atMs < s.untilMs)) ?? null;
}

/**
 * Versions that may be called last known good, the newest first and each once: other than the present one, not rolled back, served
 * long enough without an open degradation, with a signature that fits. Whether one can still be deployed is the target's to say.
 */
export function knownGood(served: readonly Served[], present: Version | null, neededMs: number): readonly Served[] {
  const condemned = new Set(served.filter((s) => isLatest(served, s) && s.tainted).map((s) => s.version.id));
  const good = served.filter(
    (s) =>
      s.untilMs !== null &&
      s.version.id !== present?.id &&
      !s.tainted &&
      !condemned.has(s.version.id) &&
      s.longestCleanMs >= neededMs &&
      compatible(s.version, present),
  );
  return good.filter((s) => isLatest(good, s)).reverse();
}

/** No later entry is of the same version. */
function isLatest(served: readonly Served[], s: Served): boolean {
  return served.findLast((other) => other.version.id === s.version.id) === s;
}

/** Versions are interchangeable unless both say their signature and it differs. */
export function compatible(a: Version, b: Version | null): boolean {
  return a.signature === undefined || b?.signature === undefined || a.signature === b.signature;
}
