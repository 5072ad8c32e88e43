export { type Commits, headStamp } from './git.ts';
export { type LoadOptions, type LoadResult, loadPolicies, validateDirectory } from './load.ts';
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
