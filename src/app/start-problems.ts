/** Why an instance cannot start although its configuration is well formed: one line a problem, each with what to do. */
export class StartProblems extends Error {
  override readonly name = 'StartProblems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options: { cause?: unknown } = {}) {
    super(`Lastgood cannot start:\n${problems.map((p) => `  - ${p}`).join('\n')}`, options);
    this.problems = problems;
  }
}
