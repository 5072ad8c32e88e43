import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { alwaysOurs, LeaseLost, type StillOurs } from '../runtime/performers/performer.ts';

/** Something that one replica does for all. */
export interface Duty {
  /** Whether it is for this replica now. Asked at least every `DUTY_LEASE_MS` / 2 by who has it, or it goes to another. */
  isOurs(): Promise<boolean>;
  readonly stillOurs: StillOurs;
  /** The next one need not wait. Never throws. */
  release(): Promise<void>;
}

/** Longer than the longest pause between two looks of who has a duty: 15 s. */
export const DUTY_LEASE_MS = 40_000;

/** Of an instance that works alone. */
export const soleDuty: Duty = {
  isOurs: async () => true,
  stillOurs: alwaysOurs,
  release: async () => undefined,
};

export function sharedDuty(
  name: string,
  { store, clock, owner }: { store: Pick<Store, 'duties'>; clock: Clock; owner: string },
): Duty {
  const isOurs = () => store.duties.hold(name, { owner, nowMs: clock.now(), leaseMs: DUTY_LEASE_MS });
  return {
    isOurs,
    async stillOurs() {
      if (!(await isOurs())) throw new LeaseLost();
    },
    async release() {
      // Where that fails it ends by itself.
      await store.duties.release(name, owner).catch(() => undefined);
    },
  };
}
