import type { Policy } from '../domain/policy.ts';
import type { Alert } from '../domain/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { AcceptedAlerts, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Outcome, Submission, Submit } from './submit.ts';
import { batchesTogether } from './together.ts';

/** More alerts than this wait in memory for their turn only with their sender, who is told nothing meanwhile. */
const MOST_WAITING = 5_000;
/** Left behind by a process that died, read at a time. */
const LEFT_AT_A_TIME = 200;

export interface BacklogParts {
  readonly store: Pick<Store, 'accepted' | 'transaction' | 'unmatched'>;
  readonly submit: Submit;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** How an alert of a service comes to its state. */
  readonly submissionOf: (service: string, alert: Alert) => Submission;
}

/**
 * The way of a service's alerts to its decisions. Where nobody else is at it they are decided on at once, and stored with what
 * comes of them. Where many come at the same time each is only stored, which is cheap, and its sender is told; what waits for a
 * service is decided on together then. So a storm is let in about as fast as it can be written down, and costs a service a few commits
 * instead of one for every alert.
 */
export interface Backlog {
  /**
   * Resolves when they are durable; how many of them were known before, as far as that is known by then.
   * @param waits whoever brings them waits until they are decided on.
   */
  take(policy: Policy, alerts: readonly Alert[], submissions: readonly Submission[], waits: boolean): Promise<number>;
  /**
   * Decides on what was accepted before `beforeMs` and is not decided on yet: by a process that died, or where the deciding failed.
   * What another one decides on meanwhile is decided on once.
   */
  takeLeftBehind(beforeMs: number): Promise<void>;
  /** When nothing waits any more. */
  drained(): Promise<void>;
}

export function createBacklog(parts: BacklogParts): Backlog {
  const { store, submit, clock, telemetry } = parts;
  const together = batchesTogether(submit.batch, () => clock.now());
  /** Accepted alerts that wait in this process. */
  const ours = new Set<number>();
  let waiting = 0;

  /** What becomes of them now that nobody waits for it; what could not be decided on stays stored. */
  async function follow(
    service: string,
    stored: Promise<number>,
    decided: Promise<readonly Outcome[]>,
  ): Promise<boolean> {
    const [put, end] = await Promise.allSettled([stored, decided]);
    // Its sender was told that it is not stored.
    if (put.status === 'rejected') return false;
    ours.delete(put.value);
    if (end.status === 'rejected') {
      telemetry.problem(`alerts of ${service}, which are stored and tried again`, end.reason);
      return false;
    }
    const duplicates = duplicatesIn(end.value);
    if (duplicates > 0) telemetry.alertsReceived({ matched: 0, unmatched: 0, duplicates });
    return true;
  }

  async function later(policy: Policy, alerts: readonly Alert[], submissions: readonly Submission[]): Promise<void> {
    const { service } = policy;
    const stored = store.accepted.put({ service, alerts, atMs: clock.now() }).then((id) => {
      ours.add(id);
      return id;
    });
    waiting += alerts.length;
    // Its place in the line it has before it is stored: what comes after it is decided on after it.
    const followed = follow(service, stored, together.take(policy, submissions, stored));
    void followed.then(() => {
      waiting -= alerts.length;
    });
    await stored;
  }

  async function again({ id, service, alerts }: AcceptedAlerts): Promise<boolean> {
    const policy = parts.policies.get(service);
    if (!policy) return forget({ id, alerts });
    ours.add(id);
    const stored = Promise.resolve(id);
    const submissions = alerts.map((alert) => parts.submissionOf(service, alert));
    return follow(service, stored, together.take(policy, submissions, stored));
  }

  /** The policy that matched them is gone: nobody's by now. */
  async function forget({ id, alerts }: Pick<AcceptedAlerts, 'id' | 'alerts'>): Promise<true> {
    await store.unmatched.note(alerts, clock.now());
    await store.transaction((unit) => unit.settle([id]));
    return true;
  }

  return {
    async take(policy, alerts, submissions, waits) {
      if (waits || waiting >= MOST_WAITING || !together.isBusy(policy.service))
        return duplicatesIn(await together.take(policy, submissions));
      await later(policy, alerts, submissions);
      return 0;
    },
    drained: () => together.drained(),
    async takeLeftBehind(beforeMs) {
      for (let isWell = true; isWell; ) {
        const left = (await store.accepted.list(beforeMs, LEFT_AT_A_TIME)).filter(({ id }) => !ours.has(id));
        if (left.length === 0) return;
        // What fails is for the next time.
        isWell = (await Promise.all(left.map(again))).every((done) => done);
      }
    },
  };
}

function duplicatesIn(outcomes: readonly Outcome[]): number {
  return outcomes.filter((outcome) => outcome === 'duplicate').length;
}
