import { roundOfTheLoop } from '../clock.ts';

/** What waits besides, an alert or a press, waits this long at most for a hundred looks that come back together. */
const SLICE_MS = 8;

/** Resolves when it is one's turn to take the processor for a millisecond or so: in the order asked, with room for others in between. */
export function createTurns(): () => Promise<void> {
  let last = Promise.resolve();
  let beganMs = Number.NEGATIVE_INFINITY;
  return () => {
    last = last.then(async () => {
      if (performance.now() - beganMs < SLICE_MS) return;
      await roundOfTheLoop();
      beganMs = performance.now();
    });
    return last;
  };
}
