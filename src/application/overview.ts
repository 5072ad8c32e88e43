import { initialState } from '../domain/initial.ts';
import { isUnderWay } from '../domain/turn.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { Store } from '../ports/store.ts';
import type { Overview, Status } from './api.ts';

export interface OverviewParts {
  readonly store: Pick<Store, 'changes'>;
  readonly policies: Policies;
  readonly clock: Clock;
}

/** Of every service that has a policy. States are looked at as they are read: those of thousands are more than fit into memory. */
export async function readOverview({ store, policies, clock }: OverviewParts, most: number): Promise<Overview> {
  const overview = gatherOverview(most);
  const unseen = new Map(policies.all().map((policy) => [policy.service, policy]));
  await store.changes(
    () => null,
    ({ state }) => {
      const policy = unseen.get(state.service);
      // It may be given twice.
      unseen.delete(state.service);
      if (policy) overview.add({ policy, state });
    },
  );
  for (const policy of unseen.values()) overview.add({ policy, state: initialState(policy.service, clock.now()) });
  return overview.done();
}

/** Takes services one at a time, and keeps no more of them than are shown. */
export function gatherOverview(most: number): { add(status: Status): void; done(): Overview } {
  const active = foremost(most, (a, b) => asked(b) - asked(a) || byName(a, b));
  const quiet = foremost(most, byName);
  return {
    add: (status) => (isUnderWay(status.state) ? active : quiet).add(status),
    done: () => ({
      active: active.list(),
      quiet: quiet.list(),
      activeCount: active.count(),
      quietCount: quiet.count(),
    }),
  };
}

function foremost(most: number, order: (a: Status, b: Status) => number) {
  let kept: Status[] = [];
  let count = 0;
  const list = () => kept.sort(order).slice(0, most);
  return {
    add(status: Status): void {
      count += 1;
      kept.push(status);
      if (kept.length >= 2 * most) kept = list();
    },
    list,
    count: () => count,
  };
}

function asked({ state: { degradation } }: Status): number {
  return degradation !== null && degradation.stage.name !== 'ended' ? 1 : 0;
}

function byName(a: Status, b: Status): number {
  return a.policy.service < b.policy.service ? -1 : 1;
}
