/** Of the demo: what was read longer ago than this is not how it is now. A reading comes each second, and may come late. */
const STALE_AFTER_MS = 3_500;

/** The newest reading of a version; null: there is none, or it is too old to count as the present. */
export function newestOf({ points, nowMs }, version) {
  const point = points[version]?.at(-1);
  return point && nowMs - point.atMs < STALE_AFTER_MS ? point : null;
}

/** It was measured before, and is not any more. */
export function isUnmeasured(state, version) {
  return (state.points[version]?.length ?? 0) > 0 && newestOf(state, version) === null;
}

/** With an empty reading wherever none was taken for a while, so that the line has a gap there. */
export function withGaps(points) {
  return points.flatMap((point, index) => {
    const beforeMs = points[index - 1]?.atMs ?? point.atMs;
    return point.atMs - beforeMs > STALE_AFTER_MS ? [{ atMs: beforeMs + 1 }, point] : [point];
  });
}
