import { join } from 'node:path';
import type { Comparison } from '../../../src/analysis/types.ts';
import { workOf } from '../../../src/application/jobs.ts';
import { decide } from '../../../src/domain/decide.ts';
import type { Effect } from '../../../src/domain/effect.ts';
import type { DomainEvent } from '../../../src/domain/event.ts';
import { initialState } from '../../../src/domain/initial.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import type { ServiceState } from '../../../src/domain/state.ts';
import { loadPolicies } from '../../../src/policies/index.ts';
import { openStore } from '../../../src/runtime/store.ts';
import { targetSchemas } from '../../../src/targets/index.ts';
import { firstLook } from './first-look.ts';

/** Looks are this far apart at first, so that they do not begin all at once. */
export interface Seeding {
  readonly directory: string;
  readonly everyMs: number;
  readonly nowMs: number;
}

/**
 * Puts a rollout that soaks at its first step, and was looked at once, under way for every policy, by real decisions, into the database an instance will
 * open: what it does with thousands of them is measured, not how they were begun.
 */
export async function seedRollouts({ directory, everyMs, nowMs }: Seeding): Promise<number> {
  const loaded = await loadPolicies({ directory: join(directory, 'policies'), targets: targetSchemas, secrets: {} });
  const store = await openStore(join(directory, 'data', 'lastgood.db'));
  const policies = loaded.policies.map(({ policy }) => policy);
  const beganMs = nowMs - 600_000;
  // The same for all: it costs as much as a hundred decisions.
  let found: Comparison | null = null;
  const find = (...of: Parameters<typeof firstLook>) => {
    found ??= firstLook(...of);
    return found;
  };
  try {
    for (let from = 0; from < policies.length; from += 500) {
      await store.transaction(async (unit) => {
        for (const [index, policy] of policies.slice(from, from + 500).entries()) {
          const { state, effects } = soaking(policy, beganMs, nowMs, find);
          const lookAtMs = together(nowMs + ((from + index) / policies.length) * everyMs, policies.length);
          const look = state.timers.look;
          if (!look) throw new Error('A rollout that soaks looks at nothing.');
          await unit.save({ ...state, timers: { ...state.timers, look: { ...look, atMs: lookAtMs } } }, 0);
          for (const job of workOf(policy.service, effects, nowMs).enqueue) {
            if (job.effect.kind !== 'timer') continue;
            const isLook = job.effect.key === 'look';
            await unit.enqueue(isLook ? { ...job, dueAtMs: lookAtMs, effect: { ...job.effect, atMs: lookAtMs } } : job);
          }
        }
      });
    }
    for (const { policy, yaml } of loaded.policies) {
      if (yaml !== null) await store.policies.keep(policy.service, policy.revision, yaml);
    }
  } finally {
    await store.close();
  }
  return policies.length;
}

/** Looks that were put off before the start are due together with others (application/quiet-looks.ts), the closer the more there are. */
function together(atMs: number, rollouts: number): number {
  const gridMs = rollouts <= 2_000 ? 1_000 : 250;
  return Math.ceil(atMs / gridMs) * gridMs;
}

function soaking(
  policy: Policy,
  beganMs: number,
  nowMs: number,
  find: typeof firstLook,
): { state: ServiceState; effects: Effect[] } {
  let state = initialState(policy.service, beganMs);
  const effects: Effect[] = [];
  const happen = (event: DomainEvent, atMs: number) => {
    const decision = decide(state, event, { now: atMs, policy });
    if (decision.outcome !== 'accepted') throw new Error(`${event.type}: ${JSON.stringify(decision)}`);
    state = decision.state;
    effects.push(...decision.effects);
  };
  const ready = { v41: { ready: true, detail: '' }, v42: { ready: true, detail: '' } };
  const observed = { stable: 'v41', candidate: null, exposurePercent: 0, ready, revision: null, notice: null };
  const actor = { kind: 'person', id: 'U0ANN', name: 'ann' } as const;
  const command = { name: 'start', candidate: { id: 'v42' }, observed, force: false, reason: 'bench' } as const;
  happen({ type: 'command', command, actor }, beganMs);
  const shift = effects.find((effect) => effect.kind === 'shift');
  if (!shift) throw new Error('A start that shifts nothing.');
  const { shiftId } = shift;
  happen({ type: 'shifted', shiftId, exposurePercent: 10, uncertain: false }, beganMs + 1000);
  const timer = state.timers.look;
  if (!timer) throw new Error('A rollout that soaks looks at nothing.');
  happen({ type: 'timer', key: 'look', epoch: timer.epoch }, timer.atMs);
  const look = effects.find((effect) => effect.kind === 'measure');
  if (!look) throw new Error('A look that measures nothing.');
  const comparison = find(policy, look.period, nowMs);
  happen({ type: 'measured', lookId: look.lookId, comparison }, nowMs);
  return { state, effects };
}
