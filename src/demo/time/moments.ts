import type { DemoClock } from './demo-clock.ts';

/** Where Alertmanager, Prometheus and their webhook say when something was. */
const MOMENTS = new Set(['startsAt', 'endsAt', 'updatedAt', 'activeAt', 'uptime']);
/** "Not set" as Go writes it, and everything else that is no moment of this demo. */
const EARLIEST_MS = Date.parse('2000-01-01T00:00:00Z');

/** The same JSON with its moments moved; everything else, unknown keys too, stays as it is. */
export function movedMoments(value: unknown, move: (ms: number) => number): unknown {
  if (Array.isArray(value)) return value.map((one) => movedMoments(one, move));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      MOMENTS.has(key) && typeof inner === 'string' ? [key, movedText(inner, move)] : [key, movedMoments(inner, move)],
    ),
  );
}

function movedText(text: string, move: (ms: number) => number): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms < EARLIEST_MS) return text;
  return new Date(Math.round(move(ms))).toISOString();
}

/** An answer's JSON with its moments moved into the demo's time; what is not JSON stays as it is. */
export function answerInDemoTime(text: string, clock: DemoClock): string {
  return rewritten(text, (value) => movedMoments(value, clock.toDemo));
}

export function requestInWallTime(text: string, clock: DemoClock): string {
  return rewritten(text, (value) => movedMoments(value, clock.toWall));
}

export function rewritten(text: string, change: (value: unknown) => unknown): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not ours to judge: whoever reads it will say so.
    return text;
  }
  return JSON.stringify(change(parsed));
}
