import type { Rollout } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import { title } from './table.ts';

const SHOWN = 6;

/** What a gate asks for besides "no worse", and how far it has got; empty where it asks for no more. Markdown, escaped. */
export function objectiveWords({ plan, comparison }: Rollout): string {
  if (plan.objective !== 'better') return '';
  const improved = new Set(comparison?.improved ?? []);
  const better = (comparison?.metrics ?? []).filter((m) => improved.has(m.metric)).map((m) => title(m));
  const named = better.length > SHOWN ? [...better.slice(0, SHOWN), `${better.length - SHOWN} more`] : better;
  const soFar = named.length === 0 ? 'better in nothing so far' : `better so far in: ${list(named)}`;
  return `The gate asks for better, not only no worse: ${soFar}`;
}
