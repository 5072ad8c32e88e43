import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Up to here V8 lets the room for new things grow (bytes, both halves), or to twice that where it grows faster than we look. Node had
 * 32 MB for years; today's V8 takes 128 MB under load and keeps them, for a few per cent of speed.
 */
const MOST_BYTES = 32 * 1024 ** 2;

/**
 * By how much the rest may grow, in per cent of what is alive, before all of it is looked through. V8 would let it grow to four times
 * that: where a thousand rollouts are looked at these were 400 MB of what nobody needed any more, to spare one per cent of a core.
 */
const GROWTH_PERCENT = 40;

/** How V8 goes about memory from here on. */
export function limitMemory(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  // V8 learns from a first round of looks, which last, where to put what later ones make, which does not.
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Everything is loaded, policies as well: from here on the room for new things may grow, which bin/lastgood.js had held back. Earlier it
 * would become as large as it can, and stay so: thousands of policies are read without a pause in which we could look.
 */
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
