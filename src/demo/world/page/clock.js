/** Less than this is the jitter of the way here, and only nudges the clock: a countdown must not stutter. */
const JITTER_MS = 400;

/**
 * The demo's clock between two snapshots: it goes on at `factor` times the speed of the visitor's.
 * `wall`: milliseconds of a clock that never goes back.
 */
export function createClock(wall = () => performance.now()) {
  let known = null;
  const nowMs = () => (known === null ? Date.now() : known.atMs + (wall() - known.wallMs) * known.factor);
  return {
    nowMs,
    set(atMs, factor) {
      const aheadMs = known !== null && known.factor === factor ? nowMs() - atMs : Number.POSITIVE_INFINITY;
      const started = Math.abs(aheadMs) < JITTER_MS * factor ? atMs + aheadMs * 0.8 : atMs;
      known = { atMs: started, wallMs: wall(), factor };
    },
  };
}
