import { type Goals, goalsOf, PROMISED_SHARE, type Race, type Rival } from './goals.ts';
import type { MethodSummary, ScenarioSummary, Sort } from './summary.ts';
import { foundText, minutes, wrongText } from './words.ts';

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

interface Part {
  readonly sort: Sort;
  readonly about: string;
  readonly head: string;
  readonly cell: (m: MethodSummary) => string;
  readonly painted: (m: MethodSummary, paint: Paint) => string;
}

const PARTS: readonly Part[] = [
  {
    sort: 'healthy',
    about: 'False rollbacks in runs without a regression: per cent, with the 95 % interval.',
    head: 'No regression',
    cell: wrongText,
    painted: (m, paint) => (m.wrong <= PROMISED_SHARE ? paint.good : paint.bad)(wrongText(m)),
  },
  {
    sort: 'regression',
    about:
      'Minutes from its beginning until a regression is found, warm-up included: median / 90th percentile, and how many found it.',
    head: 'Regression',
    cell: foundText,
    painted: foundPainted,
  },
  {
    sort: 'tolerated',
    about:
      'Worse by exactly what is tolerated: per cent of the runs rolled back, with the 95 % interval. Neither right nor wrong.',
    head: 'At the limit',
    cell: wrongText,
    painted: wrongText,
  },
];

/** Everything that is printed of the runs, as one text; the same summaries give the same text. */
export function tableOf(summaries: readonly ScenarioSummary[], seed: number, paint: Paint): string {
  const columns = summaries[0]?.methods.map((m) => m.method) ?? [];
  const names = Math.max(...summaries.map((s) => mark(s).length), 20);
  const widths = columns.map((name) => Math.max(name.length, 16));
  const row = (name: string, runs: string, cells: readonly string[], painted: readonly string[]) =>
    `${name.padEnd(names)}  ${runs.padStart(5)}  ${cells.map((cell, i) => pad(cell, painted[i] ?? cell, widths[i] ?? 0)).join('  ')}`;
  const lines = [
    `Two hours of traffic a run, seed ${seed}; the candidate has half of it; a look every minute, after a warm-up of 2 minutes.`,
    ...PARTS.flatMap((part) => {
      const shown = summaries.filter((s) => s.sort === part.sort);
      if (shown.length === 0) return [];
      return [
        '',
        paint.faint(part.about),
        paint.strong(row(part.head, 'runs', columns, columns)),
        ...shown.map((s) =>
          row(
            mark(s),
            String(s.runs),
            s.methods.map(part.cell),
            s.methods.map((m) => part.painted(m, paint)),
          ),
        ),
      ];
    }),
    '',
    paint.faint(
      '–: fewer than half (nine tenths) of the runs. Not found: never rolled back, or before the regression began.',
    ),
    paint.faint('*: noise beyond what is promised.'),
    ...goalLines(goalsOf(summaries), paint),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function mark(s: ScenarioSummary): string {
  return s.sort === 'healthy' && !s.promised ? `${s.scenario} *` : s.scenario;
}

/** Padded by what is seen, not by the escape codes. */
function pad(text: string, painted: string, width: number): string {
  return `${' '.repeat(Math.max(0, width - text.length))}${painted}`;
}

function foundPainted(m: MethodSummary, paint: Paint): string {
  const found = m.found ?? 0;
  return found >= 0.9 ? paint.good(foundText(m)) : found < 0.5 ? paint.bad(foundText(m)) : foundText(m);
}

function goalLines({ broken, races }: Goals, paint: Paint): string[] {
  const lost = races.filter((race) => race.lost).length;
  return [
    '',
    paint.strong('Goal 1: at most 1 % false rollbacks wherever it is promised (noise up to CV 0.3, AR 0.6).'),
    ...(broken.length === 0
      ? [paint.good('  Reached.')]
      : [paint.bad('  Missed:'), ...broken.map((s) => paint.bad(`    ${s.scenario}: ${ownWrong(s)}`))]),
    paint.strong(
      'Goal 2: from 10 rps on no regression takes longer to find than the fastest method takes that is under 5 % false in every',
    ),
    paint.strong(
      '        promised scenario of the kind from 10 rps on. Behind it: the fastest under 5 % in this very traffic, by which it is not judged.',
    ),
    lost === 0 ? paint.good('  Reached.') : paint.bad(`  Missed in ${lost} of ${races.length}:`),
    ...races.map((race) => (race.lost ? paint.bad : same)(`    ${raceText(race)}`)),
  ];
}

function ownWrong({ methods: [own] }: ScenarioSummary): string {
  return own === undefined ? '–' : wrongText(own);
}

function raceText(race: Race): string {
  const rival = race.rival === null ? 'no other method is under 5 %' : timeOf(race.rival);
  const here = race.sameTraffic === null ? 'no other' : timeOf(race.sameTraffic);
  return `${race.scenario}: ours ${minutes(race.own)} min; ${rival}${race.lost ? ', which is sooner' : ''}. This traffic: ${here}`;
}

function timeOf({ method, medianDelay }: Rival): string {
  return `${method} ${minutes(medianDelay)} min`;
}
