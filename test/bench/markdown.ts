import { RIVAL_SHARE, wrongOf } from './goals.ts';
import type { MethodSummary, ScenarioSummary } from './summary.ts';
import { minutes, percent, wholePercent } from './words.ts';

/** The table of the README: what a reader cares about, of what `tableOf` prints. */

export const README_BEGIN = '<!-- bench:decisions -->';
export const README_END = '<!-- /bench:decisions -->';

export interface MarkdownRun {
  readonly seed: number;
  readonly runs: number;
}

export function markdownOf(summaries: readonly ScenarioSummary[], { seed, runs }: MarkdownRun): string {
  const shown = summaries.filter((s) => s.inReadme);
  const methods = summaries[0]?.methods.map((m) => m.method) ?? [];
  const byName = new Map(summaries.map((s) => [s.scenario, s]));
  const head = (title: string) => [row([title, ...methods]), row(['---', ...methods.map(() => '--:')])];
  const lines = [
    ...head('**Rolled back by mistake**: share of two-hour runs without a regression'),
    ...shown
      .filter((s) => s.sort === 'healthy')
      .map((s) => row([s.promised ? s.scenario : `${s.scenario} *`, ...s.methods.map(wrongCell)])),
    '',
    ...head('**Minutes until a regression is found**: median'),
    ...shown
      .filter((s) => s.sort === 'regression')
      .map((s) => row([s.scenario, ...s.methods.map((m) => foundCell(m, byName.get(s.twin ?? '')))])),
    '',
    `\\* Beyond what is promised. † Found in fewer than 90 % of the runs. ~~Struck through~~: rolls back by mistake in 5 % and more of the`,
    `same traffic without the regression. Seed ${seed}, up to ${runs} runs a row.`,
  ];
  return `${lines.join('\n')}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function wrongCell(m: MethodSummary): string {
  return `${percent(m.wrong)} %`;
}

/** What a method finds that cries wolf in the same traffic is worth nothing: it is struck out. */
function foundCell(m: MethodSummary, twin: ScenarioSummary | undefined): string {
  const found = m.found ?? 0;
  const text =
    m.medianDelay === null ? `– (${wholePercent(found)})` : `${minutes(m.medianDelay)}${found < 0.9 ? ' †' : ''}`;
  return twin !== undefined && wrongOf(twin, m.method) >= RIVAL_SHARE ? `~~${text}~~` : text;
}

/** The README with the table in its place. Throws an Error where the place is not marked. */
export function intoReadme(readme: string, table: string): string {
  const { from, to } = placeOf(readme);
  return `${readme.slice(0, from)}\n${table}${readme.slice(to)}`;
}

/** What stands between the marks. */
export function tableIn(readme: string): string {
  const { from, to } = placeOf(readme);
  return readme.slice(from, to).trimStart();
}

function placeOf(readme: string): { readonly from: number; readonly to: number } {
  const begin = readme.indexOf(README_BEGIN);
  const to = readme.indexOf(README_END);
  if (begin < 0 || to < begin) throw new Error(`README.md has no place for the table: ${README_BEGIN} … ${README_END}`);
  return { from: begin + README_BEGIN.length, to };
}
