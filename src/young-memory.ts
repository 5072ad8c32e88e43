import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Up to here V8 lets the room for new things grow (bytes, both halves): what Node had for years. Today's V8 takes 128 MB under load and
 * keeps them, for a few per cent of speed.
 */
const MOST_BYTES = 32 * 1024 ** 2;

/** Everything is loaded: from here on the room for new things may grow, which bin/lastgood.js had held back. */
export function letYoungMemoryGrow(): void {
  // 2 is V8's own setting.
  setFlagsFromString('--semi-space-growth-factor=2');
  const observer = new PerformanceObserver(() => {
    const room = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (room && room.space_size < MOST_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  // It grows in collections only.
  observer.observe({ entryTypes: ['gc'] });
}
