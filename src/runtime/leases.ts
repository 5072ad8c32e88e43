import type { Clock } from '../ports/clock.ts';
import type { Job, Store } from '../ports/store.ts';
import { alwaysOurs, LeaseLost, type StillOurs } from './performers/performer.ts';

/** A job that runs here. */
export interface Running {
  readonly job: Job;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  /** Infinity: it is lost, and not asked for again. */
  leaseUntilMs: number;
}

export interface LeaseParts {
  readonly store: Pick<Store, 'jobs'>;
  readonly clock: Clock;
  readonly leaseMs: number;
}

/** When a lease has to be renewed: with a third of it gone. */
export function keepAtMs({ leaseUntilMs }: Running, leaseMs: number): number {
  return leaseUntilMs - (leaseMs * 2) / 3;
}

/** Renews those that have to be. One that is lost ends its job, whose outcome would not be recorded anyway. */
export async function keepLeases(all: readonly Running[], { store, clock, leaseMs }: LeaseParts): Promise<void> {
  const nowMs = clock.now();
  for (const running of all) {
    if (nowMs < keepAtMs(running, leaseMs)) continue;
    const untilMs = nowMs + leaseMs;
    const isOurs = await store.jobs.extend(running.job.lease, untilMs);
    running.leaseUntilMs = isOurs ? untilMs : Number.POSITIVE_INFINITY;
    if (!isOurs) running.abort.abort();
  }
}

/** Asks the store itself: our own clock may have stood still as long as we did. Who works alone need not ask. */
export function guardOf(job: Job, alone: boolean, { store, clock, leaseMs }: LeaseParts): StillOurs {
  if (alone) return alwaysOurs;
  return async () => {
    for (;;) {
      const askedMs = clock.now();
      if (!(await store.jobs.extend(job.lease, askedMs + leaseMs))) throw new LeaseLost();
      // An answer that took so long is old: we stood still meanwhile.
      if (clock.now() - askedMs < leaseMs / 2) return;
    }
  };
}
