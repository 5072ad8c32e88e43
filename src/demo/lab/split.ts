import { isRecord } from './serve.ts';

export interface ArmSplit {
  /** Null: there is none; only the candidate may be missing, and then it has no traffic. */
  readonly version: string | null;
  readonly percent: number;
}

export interface Split {
  readonly stable: ArmSplit;
  readonly candidate: ArmSplit;
  /** Goes up with every change. */
  readonly revision: number;
}

export interface WantedSplit extends Omit<Split, 'revision'> {
  /** Undefined: whatever is there now is overwritten. */
  readonly revision: number | undefined | null;
}

/** What a PUT asks for, or what is wrong with it. Nothing is guessed: unknown keys and sums other than 100 are refused. */
export function parseSplit(
  body: unknown,
  known: readonly string[],
): { wanted: WantedSplit; problem: null } | { wanted: null; problem: string } {
  if (!isRecord(body)) return no('an object is needed');
  const extra = Object.keys(body).find((key) => !['stable', 'candidate', 'revision'].includes(key));
  if (extra !== undefined) return no(`unknown key ${extra}`);
  const { stable, candidate, revision } = body;
  for (const [name, arm] of Object.entries({ stable, candidate })) {
    const problem = armProblem(name, arm, known);
    if (problem !== null) return no(problem);
  }
  const wanted = { stable, candidate, revision } as WantedSplit;
  if (Math.abs(wanted.stable.percent + wanted.candidate.percent - 100) > 1e-6)
    return no('the percents must sum to 100');
  if (wanted.candidate.version === null && wanted.candidate.percent > 0) return no('traffic for no candidate');
  if (wanted.stable.version === null) return no('stable must be a version');
  return { wanted, problem: null };
}

function armProblem(name: string, arm: unknown, known: readonly string[]): string | null {
  if (!isRecord(arm)) return `${name} must be an object`;
  const extra = Object.keys(arm).find((key) => key !== 'version' && key !== 'percent');
  if (extra !== undefined) return `unknown key ${name}.${extra}`;
  if (arm.version !== null && !known.includes(String(arm.version))) return `${name}.version is not deployed here`;
  const { percent } = arm;
  return typeof percent === 'number' && percent >= 0 && percent <= 100 ? null : `${name}.percent must be 0 to 100`;
}

function no(problem: string): { wanted: null; problem: string } {
  return { wanted: null, problem };
}
