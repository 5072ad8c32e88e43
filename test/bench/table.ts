import { brokenPromises, type MethodSummary, PROMISED_SHARE, type ScenarioSummary } from './summary.ts';

/** How the table is painted; plain where it is not a terminal. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

export const plainPaint: Paint = { good: same, bad: same, strong: same, faint: same };
export const terminalPaint: Paint = { good: ansi(32), bad: ansi(31), strong: ansi(1), faint: ansi(2) };

function same(text: string): string {
  return text;
}
function ansi(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

/** Everything that is printed, as one text; the same summaries give the same text. */
export function tableOf(summaries: readonly ScenarioSummary[], seed: number, paint: Paint): string {
  const columns = summaries[0]?.methods.map((m) => m.method) ?? [];
  const names = Math.max(...summaries.map((s) => s.scenario.length), 20);
  const widths = columns.map((name) => Math.max(name.length, 16));
  const row = (name: string, runs: string, cells: readonly string[], painted: readonly string[]) =>
    `${name.padEnd(names)}  ${runs.padStart(5)}  ${cells.map((cell, i) => pad(cell, painted[i] ?? cell, widths[i] ?? 0)).join('  ')}`;
  const head = (title: string) => paint.strong(row(title, 'runs', columns, columns));
  const without = summaries.filter((s) => !s.isRegression);
  const regressions = summaries.filter((s) => s.isRegression);
  const lines = [
    `Two hours of traffic a run, seed ${seed}; the candidate has half of it; a look every minute, after a warm-up of 2 minutes.`,
    '',
    paint.faint('False rollbacks in runs without a regression: per cent, with the 95 % interval.'),
    head('No regression'),
    ...without.map((s) =>
      row(
        mark(s),
        String(s.runs),
        s.methods.map(wrongText),
        s.methods.map((m) => wrongPainted(m, paint)),
      ),
    ),
    '',
    paint.faint(
      'Minutes from its beginning until a regression is found, warm-up included: median / 90th percentile, and how many found it.',
    ),
    head('Regression'),
    ...regressions.map((s) =>
      row(
        s.scenario,
        String(s.runs),
        s.methods.map(foundText),
        s.methods.map((m) => foundPainted(m, paint)),
      ),
    ),
    '',
    paint.faint(
      '–: fewer than half (nine tenths) of the runs. Not found: never rolled back, or before the regression began.',
    ),
    paint.faint('*: noise beyond what is promised.'),
    ...verdict(summaries, paint),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function mark(s: ScenarioSummary): string {
  return s.promised ? s.scenario : `${s.scenario} *`;
}

/** Padded by what is seen, not by the escape codes. */
function pad(text: string, painted: string, width: number): string {
  return `${' '.repeat(Math.max(0, width - text.length))}${painted}`;
}

function wrongText(m: MethodSummary): string {
  return `${percent(m.wrong)} (${percent(m.wrongLow)}–${percent(m.wrongHigh)})`;
}

function wrongPainted(m: MethodSummary, paint: Paint): string {
  return m.wrong <= PROMISED_SHARE ? paint.good(wrongText(m)) : paint.bad(wrongText(m));
}

function foundText(m: MethodSummary): string {
  return `${minutes(m.medianDelay)} / ${minutes(m.p90Delay)}  ${wholePercent(m.found ?? 0).padStart(5)}`;
}

function foundPainted(m: MethodSummary, paint: Paint): string {
  const found = m.found ?? 0;
  return found >= 0.9 ? paint.good(foundText(m)) : found < 0.5 ? paint.bad(foundText(m)) : foundText(m);
}

/** One decimal below ten; 0 and 100 only where none or all of the runs are meant. */
function percent(share: number): string {
  const value = share * 100;
  if (value === 0 || value === 100) return String(value);
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}

function wholePercent(share: number): string {
  return `${share > 0.99 && share < 1 ? '>99' : share > 0 && share < 0.01 ? '<1' : Math.round(share * 100)} %`;
}

function minutes(value: number | null): string {
  return value === null ? '–' : String(value);
}

function verdict(summaries: readonly ScenarioSummary[], paint: Paint): string[] {
  const broken = brokenPromises(summaries);
  if (broken.length === 0) {
    return [paint.good('At most 1 % false rollbacks wherever it is promised (noise up to CV 0.3, AR 0.6).')];
  }
  return [
    paint.bad('More than 1 % false rollbacks where at most 1 % is promised:'),
    ...broken.map((s) => paint.bad(`  ${s.scenario}: ${wrongText(s.methods[0] as MethodSummary)}`)),
  ];
}
