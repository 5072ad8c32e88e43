import type { Rollout } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import { presentGate } from './gate.ts';
import { title } from './table.ts';

const SHOWN = 6;

/**
 * What a gate asks for besides "no worse", and how far it has got; empty where it asks for no more, and where the step's gate has a
 * name and says itself what it waits for. Markdown, escaped.
 */
export function objectiveWords(rollout: Rollout): string {
  const { plan, comparison } = rollout;
  if (plan.objective !== 'better' || presentGate(rollout)) return '';
  const improved = new Set(comparison?.improved ?? []);
  const better = (comparison?.metrics ?? []).filter((m) => improved.has(m.metric)).map((m) => title(m));
  const named = better.length > SHOWN ? [...better.slice(0, SHOWN), `${better.length - SHOWN} more`] : better;
  const soFar = named.length === 0 ? 'better in nothing so far' : `better so far in: ${list(named)}`;
  return `The gate asks for better, not only no worse: ${soFar}`;
}
