import { roundOfTheLoop } from '../clock.ts';

/**
 * Resolves when it is one's turn to take the processor for a millisecond or so: in the order asked, with a round of the event loop
 * before each, so that an alert or a press does not wait for a hundred looks that come back together.
 */
export function createTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(roundOfTheLoop);
    return last;
  };
}
