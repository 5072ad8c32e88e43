import { type Figure, type Outcome, spaced } from './figures.ts';
import type { Row } from './row.ts';

export interface Told {
  readonly row: Pick<Row, 'name' | 'title' | 'floor'>;
  readonly outcome: Outcome;
}

/** Three figures that matter; what is large needs no digits behind the point. */
export function number(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-GB');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function quantity(value: number, unit: Figure['unit']): string {
  return `${number(value)}${spaced(unit)}`;
}

function verdict({ ok }: Figure): string {
  return ok === null ? '' : ok ? 'ok' : 'falls short';
}

function cells(figure: Figure): readonly string[] {
  const { name, unit, ours, floor, goal } = figure;
  const ratio = floor === null || floor === 0 ? '' : `${number(ours / floor)} ×`;
  return [name, quantity(ours, unit), floor === null ? '' : quantity(floor, unit), ratio, goal, verdict(figure)];
}

const HEAD = ['', 'ours', 'floor', 'ratio', 'to reach', ''];

/** For the terminal. */
export function tableOf(all: readonly Told[]): string {
  const rows = all.map(({ outcome }) => ('figures' in outcome ? outcome.figures.map(cells) : []));
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.flat().map((row) => row[i]?.length ?? 0)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => (i === 0 || i > 3 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const parts = all.map(({ row, outcome }, i) => {
    const title = `${row.title}${row.floor === '' ? '' : `\n  floor: ${row.floor}`}`;
    if ('notMeasured' in outcome) return `${title}\n  not measured: ${outcome.notMeasured}`;
    return [title, ...(rows[i] ?? []).map((row) => `  ${line(row)}`), ...outcome.notes.map((n) => `  ${n}`)].join('\n');
  });
  return [`  ${line(HEAD)}`, ...parts].join('\n\n');
}

/** For docs/performance.md. */
export function markdownOf(all: readonly Told[]): string {
  const lines = all.flatMap(({ row, outcome }) => {
    if ('notMeasured' in outcome) return [`| **${row.title}** | not measured: ${outcome.notMeasured} | | | | |`];
    return outcome.figures.map((figure, i) => {
      const [name = '', ...rest] = cells(figure);
      return `| ${i === 0 ? `**${row.title}**: ` : ''}${name} | ${rest.join(' | ')} |`;
    });
  });
  const notes = all.flatMap(({ row, outcome }) => {
    const floor = row.floor === '' ? [] : [`floor: ${row.floor}.`];
    const said = [...floor, ...('notes' in outcome ? outcome.notes : [])].join(' ');
    return said === '' ? [] : [`- ${row.title}: ${said}`];
  });
  return ['| | ours | floor | ratio | to reach | |', '|---|---:|---:|---:|---|---|', ...lines, '', ...notes].join('\n');
}
