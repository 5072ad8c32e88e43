import type { Io } from '../command.ts';

/** `fine` ✓, `remark` ! (works, but look at it), `problem` ✗. */
export interface Finding {
  readonly level: 'fine' | 'remark' | 'problem';
  readonly text: string;
  /** What to do; null where nothing is. */
  readonly todo: string | null;
}

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const fine = (text: string): Finding => ({ level: 'fine', text, todo: null });
export const remark = (text: string, todo: string): Finding => ({ level: 'remark', text, todo });
export const problem = (text: string, todo: string | null): Finding => ({ level: 'problem', text, todo });

const marks = {
  fine: { mark: '✓', colour: 32 },
  remark: { mark: '!', colour: 33 },
  problem: { mark: '✗', colour: 31 },
} as const;

/** One section as lines of a terminal; what came from outside cannot move its cursor. */
export function printSection({ title, findings }: Section, io: Io): void {
  io.out(io.colours ? `\u001b[1m${title}\u001b[22m` : title);
  for (const { level, text, todo } of findings) {
    const { mark, colour } = marks[level];
    const [first = '', ...rest] = text.split('\n').map(visible);
    io.out(`  ${io.colours ? `\u001b[${colour}m${mark}\u001b[39m` : mark} ${first}`);
    for (const line of rest) io.out(`      ${line}`);
    if (todo !== null) io.out(`    → ${visible(todo)}`);
  }
  io.out('');
}

/** Says how it ends, and answers whether all is well enough. */
export function printSummary(sections: readonly Section[], io: Io): boolean {
  const all = sections.flatMap(({ findings }) => findings);
  const count = (level: Finding['level']) => all.filter((finding) => finding.level === level).length;
  const counted = (number: number, one: string) => `${number} ${one}${number === 1 ? '' : 's'}`;
  const problems = count('problem');
  const text = `${counted(problems, 'problem')}, ${counted(count('remark'), 'remark')}, ${count('fine')} fine`;
  io.out(io.colours ? `\u001b[${problems > 0 ? 31 : 32}m${text}\u001b[39m` : text);
  return problems === 0;
}

function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
