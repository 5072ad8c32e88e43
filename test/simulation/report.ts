import type { RunResult } from './run.ts';
import { FAULTS } from './swarm.ts';

/** What many runs came to. */
export class Tally {
  readonly failed: RunResult[] = [];
  runs = 0;
  hours = 0;
  readonly #faults = new Map<string, number>();
  readonly #reached = new Map<string, number>();

  add(result: RunResult): void {
    this.runs += 1;
    this.hours += result.hours;
    addUp(this.#faults, result.faults);
    addUp(this.#reached, result.reached);
    if (result.broken.length > 0) this.failed.push(result);
  }

  /** Kinds of fault that never struck. */
  get missing(): readonly string[] {
    return FAULTS.filter((fault) => !this.#faults.has(fault));
  }

  text(seconds: number): string {
    const speed = Math.round((this.hours / seconds) * 60);
    const of = (prefix: string) =>
      [...this.#reached]
        .filter(([name]) => name.startsWith(`${prefix} `))
        .map(([name, count]) => [name.slice(prefix.length + 1), count] as const);
    return [
      `${this.runs} runs, ${Math.round(this.hours)} hours simulated in ${Math.round(seconds)} s: ${speed} hours a minute.`,
      '',
      table('Faults', [...this.#faults]),
      ...(this.missing.length > 0 ? [`  never: ${this.missing.join(', ')}`] : []),
      ...['phase', 'stage', 'verdict', 'event', 'effect', 'performed', 'journal', 'intake', 'promotion'].map((name) =>
        table(name, of(name)),
      ),
      '',
    ].join('\n');
  }
}

export function failureOf({ seed, broken, lines }: RunResult): string {
  return [
    `Seed ${seed} broke a rule:`,
    ...broken.map((one) => `  ${one}`),
    'What happened last:',
    ...lines.map((line) => `  ${line}`),
    `Repeat it: SEED=${seed} npm run simulate`,
    '',
  ].join('\n');
}

function addUp(sums: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums.set(name, (sums.get(name) ?? 0) + count);
}

function table(title: string, rows: readonly (readonly [string, number])[]): string {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`);
  return `${title}: ${sorted.join(', ') || 'none'}`;
}
