import type { MetricComparison } from '../../analysis/types.ts';
import { percent } from '../../domain/words.ts';
import { timeOfDay } from '../narrator.ts';
import type { Milestone, WorldSnapshot } from '../world/types.ts';

/** What the terminal shows of one moment. */
export interface LiveMoment {
  readonly title: string;
  readonly snapshot: WorldSnapshot;
  readonly metrics: readonly MetricComparison[];
  /** The text of the newest card. */
  readonly card: string;
}

type Paint = (shade: keyof typeof shades, text: string) => string;

const shades = {
  dim: '2',
  bold: '1',
  red: '31',
  green: '32',
  yellow: '33',
  blue: '34',
  magenta: '35',
  cyan: '36',
} as const;
const paint: Paint = (shade, text) => `\u001b[${shades[shade]}m${text}\u001b[0m`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of
const COLOURS = /(\u001b\[\d+m)/;
const BAR = 40;
const CARD_LINES = 5;
const JOURNAL_LINES = 7;
/** A share of bad answers above this is drawn in red. */
const ALARMING = 0.1;

/** The whole view, a line each, with colours; none is wider than `columns`. Pure. */
export function liveLines({ title, snapshot, metrics, card }: LiveMoment, columns: number): string[] {
  const { nowMs, speed, service, now, split } = snapshot;
  const lines = [
    `${paint('bold', 'Lastgood demo')}  ${title}  ${paint('dim', `${timeOfDay(nowMs)}, ${speed.factor}×, ${service}`)}`,
    '',
    bar(split),
    ...roads(snapshot.road, nowMs),
    `${paint(tones[now.tone], `● ${now.title}`)}  ${now.detail}`,
    now.untilMs === null ? '' : `  ${now.until} ${timeOfDay(now.untilMs)} (${secondsLeft(now.untilMs, nowMs)})`,
    '',
    ...numbers(snapshot, metrics),
    '',
    paint('dim', 'The card'),
    ...wrapped(card, columns - 4)
      .slice(0, CARD_LINES)
      .map((line) => `  ${line}`),
    '',
    paint('dim', 'The journal'),
    ...snapshot.journal.slice(-JOURNAL_LINES).map(({ atMs, text }) => `  ${paint('dim', timeOfDay(atMs))}  ${text}`),
  ];
  return lines.map((line) => cut(line, columns));
}

const tones = { calm: 'blue', moving: 'cyan', alarm: 'red', good: 'green' } as const;

function bar({ stable, candidate }: WorldSnapshot['split']): string {
  const full = Math.round((candidate.percent / 100) * BAR);
  const arms = `${paint('blue', '█'.repeat(BAR - full))}${paint('magenta', '█'.repeat(full))}`;
  const second = candidate.version === null ? '' : `  ${candidate.version} ${percent(candidate.percent)}`;
  return `${stable.version ?? 'none'} ${percent(stable.percent)}  ${arms}${second}`;
}

function roads(road: readonly Milestone[], nowMs: number): string[] {
  return (['forward', 'back'] as const).map((direction) => {
    const steps = road.filter((one) => one.direction === direction).map((one) => milestone(one, nowMs));
    return steps.length === 0 ? '' : `${paint('dim', direction === 'forward' ? 'Out ' : 'Back')}  ${steps.join(' → ')}`;
  });
}

function milestone({ exposurePercent, state, untilMs, note }: Milestone, nowMs: number): string {
  const share = percent(exposurePercent);
  switch (state) {
    case 'done':
      return paint('green', `✓ ${share}`);
    case 'present':
      return paint('bold', `● ${share} ${note}${untilMs === null ? '' : ` ${secondsLeft(untilMs, nowMs)}`}`);
    case 'next':
      return `○ ${share}`;
    case 'skipped':
      return paint('dim', `– ${share}`);
  }
}

function numbers({ split, points }: WorldSnapshot, metrics: readonly MetricComparison[]): string[] {
  const arms = [split.stable.version, split.candidate.version].filter((version) => version !== null);
  const latest = (version: string) => points[version]?.at(-1) ?? null;
  const row = (name: string, values: readonly (number | null)[]) =>
    `${name.padEnd(22)}${values.map((value) => shown(value).padStart(10)).join('')}`;
  const plain = (share: 'errorShare' | 'slowShare') => arms.map((version) => latest(version)?.[share] ?? null);
  return [
    paint('dim', `${'Last seconds'.padEnd(22)}${arms.map((version) => version.padStart(10)).join('')}`),
    coloured(row('errors', plain('errorShare')), plain('errorShare')),
    coloured(row('slow answers', plain('slowShare')), plain('slowShare')),
    ...(metrics.length > 0 ? [paint('dim', 'Compared')] : []),
    ...metrics.map(compared),
  ];
}

/** Of the comparison: over the stretch that it judges, not the last seconds alone. */
function compared({ title, verdict, isShare, stableNow, candidateNow }: MetricComparison): string {
  const values = [stableNow, candidateNow].map(({ value }) => (isShare ? shown(value) : '').padStart(10)).join('');
  return `${title.padEnd(22)}${values}  ${paint(verdicts[verdict], verdict)}`;
}

const verdicts = { degraded: 'red', healthy: 'green', inconclusive: 'yellow', 'no-data': 'yellow' } as const;

function coloured(row: string, values: readonly (number | null)[]): string {
  const worst = Math.max(0, ...values.map((value) => value ?? 0));
  return worst > ALARMING ? paint('red', row) : row;
}

function shown(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

function secondsLeft(untilMs: number, nowMs: number): string {
  return `${Math.max(0, Math.ceil((untilMs - nowMs) / 1000))} s`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** To so many visible characters; what colours a line takes no room. */
function cut(line: string, columns: number): string {
  let seen = 0;
  let kept = '';
  for (const part of line.split(COLOURS)) {
    if (part.startsWith('\u001b')) kept += part;
    else {
      kept += part.slice(0, Math.max(0, columns - seen));
      seen += part.length;
    }
  }
  return kept;
}
