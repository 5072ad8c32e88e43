/** Why an instance cannot start although its configuration is well formed: one line a problem, each with what to do. */
export class StartProblems extends Error {
  override readonly name = 'StartProblems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options: { cause?: unknown } = {}) {
    super(`Lastgood cannot start:\n${problems.map((p) => `  - ${p}`).join('\n')}`, options);
    this.problems = problems;
  }
}

/** What the machine refuses at the start is for the operator, like a wrong variable. */
export async function orProblem<T>(about: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    throw new StartProblems([`${about}: ${error instanceof Error ? error.message : String(error)}`], { cause: error });
  }
}
