import type { ParseResult } from './parse.ts';
import type { PolicyProblem } from './problem.ts';

type Parsed = Pick<ParseResult, 'requires' | 'place'>;

/**
 * What is wrong with what services require of each other, by service. A service whose policy has other problems exists all the
 * same: nobody is told that it does not because of them.
 */
export function requirementProblems(parsed: ReadonlyMap<string, Parsed>): ReadonlyMap<string, PolicyProblem> {
  const problems = new Map<string, PolicyProblem>();
  for (const [service, { requires, place }] of parsed) {
    const message = requires === null ? null : problemWith(service, requires, parsed);
    if (message !== null) problems.set(service, { ...place(['requires'], 'value'), path: 'requires', message });
  }
  return problems;
}

function problemWith(service: string, requires: string, parsed: ReadonlyMap<string, Parsed>): string | null {
  if (requires === service) return 'a service cannot require itself';
  if (!parsed.has(requires)) return `there is no policy for ${requires}`;
  const chain = [service];
  for (let next: string | null = requires; next !== null; next = parsed.get(next)?.requires ?? null) {
    if (next === service) return `goes in a circle: ${[...chain, service].join(' → ')}`;
    // A circle further on is said where it is.
    if (chain.includes(next)) return null;
    chain.push(next);
  }
  return null;
}
