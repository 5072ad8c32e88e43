import type { MetricComparison } from '../../analysis/types.ts';
import type { JournalEntry } from '../../domain/effect.ts';
import type { Degradation } from '../../domain/state.ts';
import { duration, percent } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { type Block, context, type Drawing, firstThatFits, header, LIMIT, section } from './blocks.ts';
import { EMOJI } from './entry.ts';
import { gateOutcomes } from './gate-outcomes.ts';
import { type Facts, factsOf, isOneArmed, wholeService } from './held-against.ts';
import { reading } from './numbers.ts';
import { namedPlain } from './people.ts';
import { policyLine } from './revision.ts';
import { table, title, worstFirst } from './table.ts';
import { code, fitted, moment, outside } from './text.ts';
import { degradationHeadline, headerText, rolloutHeadline } from './title.ts';
import { evidenceLine } from './way-back.ts';

const DETAIL = [
  { rows: 12, lines: 40 },
  { rows: 8, lines: 25 },
  { rows: 5, lines: 12 },
  { rows: 2, lines: 5 },
];
const LINE = 220;

/** What happened, from the first signal to the end: for those who read it the next morning. */
export function report(view: CardView, journal: readonly JournalEntry[]): Drawing {
  const headline = `Report: ${headerText(view, ending(view))}`.slice(0, LIMIT.header);
  const entries = [...journal].sort((a, b) => a.atMs - b.atMs);
  const blocks = firstThatFits(
    DETAIL.map(({ rows, lines }) => () => [
      header(headline),
      section(fitted(summary(view, entries), LIMIT.text)),
      ...milestones(view, rows),
      ...timeline(entries, lines),
      ...context([`${code(view.card.id)} · ${policyLine(view.policy, view.rollout)}`]),
    ]),
  );
  const text = [headline, ...summaryLines(view, entries)].join('. ').replaceAll('*', '');
  return { text: fitted(text, LIMIT.fallback), blocks };
}

function ending(view: CardView): { emoji: string; words: string } {
  if (view.degradation) return degradationHeadline(view.degradation, view.rollout);
  return view.rollout ? rolloutHeadline(view.rollout) : { emoji: '🏁', words: 'Ended' };
}

function summary(view: CardView, entries: readonly JournalEntry[]): string {
  return summaryLines(view, entries).join('\n');
}

function summaryLines({ degradation, rollout }: CardView, entries: readonly JournalEntry[]): string[] {
  const lines: string[] = [];
  const decision = degradation?.decision ?? null;
  if (decision) {
    const why = decision.reason.trim() === '' ? '' : `: ${outside(decision.reason, 400)}`;
    lines.push(`*Decided by* ${namedPlain(decision.by)} (${outside(decision.action, 60)})${why}`);
  } else if (degradation) {
    lines.push('*Decided by* nobody: it ended without a decision');
  }
  if (degradation) lines.push(...durations(degradation));
  if (rollout) {
    lines.push(
      `*Versions* ${code(rollout.stable.id)} (stable), ${code(rollout.candidate.id)} (candidate); exposure ${exposures(rollout.shifts)}`,
    );
    lines.push(...gateOutcomes(rollout, entries));
    if (rollout.wayBack) lines.push(fitted(evidenceLine(rollout.wayBack), 1000));
    const last = entries[entries.length - 1];
    if (!degradation && last) {
      lines.push(
        `*Duration* ${duration(last.atMs - rollout.startedAtMs)}, started by ${namedPlain(rollout.startedBy)}`,
      );
    }
  }
  return lines.length > 0 ? lines : ['Nothing more is known.'];
}

function exposures(shifts: readonly { exposurePercent: number }[]): string {
  if (shifts.length === 0) return 'was never shifted';
  const shown = shifts.slice(-12).map((s) => percent(s.exposurePercent));
  return `${shifts.length > 12 ? '… → ' : ''}${shown.join(' → ')}`;
}

function durations(degradation: Degradation): string[] {
  const { openedAtMs, decision, stage } = degradation;
  const parts = [
    decision ? `decided after ${duration(decision.atMs - openedAtMs)}` : '',
    stage.name === 'ended' ? `over after ${duration(stage.atMs - openedAtMs)}` : '',
    degradation.extendedMs > 0 ? `deadline moved by ${duration(degradation.extendedMs)}` : '',
    degradation.page.state === 'none' ? 'nobody was paged' : `paged (${degradation.page.state})`,
  ].filter((s) => s !== '');
  return [`*Times* opened ${moment(openedAtMs, 'day')}, ${parts.join(', ')}`];
}

const WHEN = { opened: 'Opened', decided: 'Decided', ended: 'Ended' } as const;

/** Candidate against stable when it opened, at the decision and at the end. */
function milestones(view: CardView, rows: number): Block[] {
  const { degradation, rollout } = view;
  const all = (degradation?.milestones ?? []).filter((m) => m.comparison !== null);
  const last = all[all.length - 1]?.comparison ?? null;
  const shown = (['opened', 'decided', 'ended'] as const).flatMap((what) => all.findLast((m) => m.what === what) ?? []);
  const opened = shown[0]?.comparison ?? last;
  if (!opened || opened.metrics.length === 0) return [];
  const columns = [
    { title: 'Metric', align: 'left' as const },
    { title: 'Before', align: 'right' as const },
    ...shown.map((m) => ({ title: heading(m.what, m.exposurePercent), align: 'right' as const })),
  ];
  const lines = worstFirst(opened)
    .slice(0, rows)
    .map((metric) => [
      title(metric),
      reading(metric, metric.stableBefore),
      ...shown.map(({ comparison }) =>
        both(
          comparison?.metrics.find((m) => m.metric === metric.metric),
          factsOf(view),
        ),
      ),
    ]);
  const more = opened.metrics.length - lines.length;
  const legend = rollout ? 'Candidate / stable at each moment' : 'The service at each moment';
  return [table(columns, lines), ...context([more > 0 ? `${legend} · ${more} more metrics left out` : legend])];
}

function heading(what: keyof typeof WHEN, exposurePercent: number | null): string {
  return exposurePercent === null ? WHEN[what] : `${WHEN[what]} (${percent(exposurePercent)})`;
}

function both(metric: MetricComparison | undefined, facts: Facts): string {
  if (!metric) return '–';
  if (isOneArmed(metric, facts)) return reading(metric, wholeService(metric));
  const stable = reading(metric, metric.stableNow);
  return facts.arms === 2 ? `${reading(metric, metric.candidateNow)} / ${stable}` : stable;
}

/** The journal, oldest first; of a long one the beginning and the end. */
function timeline(entries: readonly JournalEntry[], lines: number): Block[] {
  if (entries.length === 0) return [];
  const head = Math.ceil(lines / 2);
  const short = entries.length <= lines;
  const shown = short ? entries : [...entries.slice(0, head), ...entries.slice(-(lines - head))];
  const words = shown.map((e) => `${moment(e.atMs, 'seconds')} ${EMOJI[e.what] ?? '•'} ${outside(e.text, LINE)}`);
  if (!short) words.splice(head, 0, `…${entries.length - lines} more, see \`/rollout history\``);
  const chunks: string[] = ['*Timeline*'];
  for (const line of words) {
    const last = chunks[chunks.length - 1] ?? '';
    if (last.length + line.length + 1 > LIMIT.text) chunks.push(line);
    else chunks[chunks.length - 1] = `${last}\n${line}`;
  }
  return chunks.map((chunk) => section(chunk));
}
