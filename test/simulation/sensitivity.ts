import type { Breakage } from './mutants.ts';
import { simulate } from './run.ts';
import { type Swarm, swarmOf } from './swarm.ts';

const HOUR = 3_600_000;
/** Short, because seconds are what a test of the tests may take. */
const brief: Partial<Swarm> = { stormMs: 4 * HOUR, calmMs: 3 * HOUR, services: 1, startsPerHour: 4 };

export interface Found {
  /** How many seeds it took, and what was said. */
  readonly seeds: number;
  readonly broken: string;
}

/** Seeds from 1 until one breaks a rule; null: none within its bound. */
export async function foundWithin(make: () => Breakage): Promise<Found | null> {
  const { within } = make();
  for (let seed = 1; seed <= within; seed += 1) {
    const mutant = make();
    const { broken } = await simulate(seed, { mutant, swarm: swarmFor(seed, mutant) });
    if (broken[0] !== undefined) return { seeds: seed, broken: broken[0] };
  }
  return null;
}

export function swarmFor(seed: number, { faults, swarm }: Pick<Breakage, 'faults' | 'swarm'>): Partial<Swarm> {
  const own = swarmOf(seed);
  return { ...brief, ...swarm, strength: { ...own.strength, ...faults } };
}
