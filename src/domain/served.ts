import type { Served, Version } from './state.ts';

const KEPT = 20;

/** `version` serves everything from now on; what served before has ended. */
export function serves(served: readonly Served[], version: Version, now: number): readonly Served[] {
  const last = served[served.length - 1];
  if (last && last.version.id === version.id && last.untilMs === null) return served;
  const closed = served.map((s) => (s.untilMs === null ? { ...s, untilMs: now } : s));
  return [...closed, { version, sinceMs: now, untilMs: null, tainted: false }].slice(-KEPT);
}

/** This version gets no credit as last known good for the time it serves or served last. */
export function taint(served: readonly Served[], versionId: string): readonly Served[] {
  const index = served.findLastIndex((s) => s.version.id === versionId);
  return served.map((s, i) => (i === index ? { ...s, tainted: true } : s));
}

/** What serves now, as far as is known. */
export function serving(served: readonly Served[]): Version | null {
  const last = served[served.length - 1];
  return last && last.untilMs === null ? last.version : null;
}

/**
 * The newest version, other than the serving one, that served long enough without a degradation and whose signature fits.
 * Whether it can still be deployed is the target's to say.
 */
export function lastKnownGood(served: readonly Served[], afterMs: number): Version | null {
  const present = serving(served);
  const good = served.findLast(
    (s) =>
      s.untilMs !== null &&
      !s.tainted &&
      s.version.id !== present?.id &&
      s.untilMs - s.sinceMs >= afterMs &&
      compatible(s.version, present),
  );
  return good?.version ?? null;
}

/** Versions are interchangeable unless both say their signature and it differs. */
export function compatible(a: Version, b: Version | null): boolean {
  return a.signature === undefined || b?.signature === undefined || a.signature === b.signature;
}
