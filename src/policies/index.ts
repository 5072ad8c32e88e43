export { type Commits, headStamp } from './git.ts';
export { KeptPolicies } from './kept.ts';
export type { Measured } from './lint-in-time.ts';
export {
  type LoadOptions,
  type LoadResult,
  loadPolicies,
  type Measure,
  validateDirectory,
} from './load.ts';
export { MatcherProblem, parseMatchers } from './matchers.ts';
export {
  type LoadedPolicy,
  type ParseResult,
  type PolicyOptions,
  parsePolicy,
  revisionOf,
  type TargetSchemas,
} from './parse.ts';
export { formatProblems, formatWarnings, type PolicyProblem } from './problem.ts';
