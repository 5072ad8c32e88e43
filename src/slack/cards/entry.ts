import type { JournalEntry, JournalKind } from '../../domain/effect.ts';
import { type Drawing, LIMIT, section, withIds } from './blocks.ts';
import { outside, outsideLines } from './text.ts';

/** One line of the journal as one line of the thread. */
export function entryLine(entry: JournalEntry): Drawing {
  const emoji = EMOJI[entry.what] ?? '•';
  const blocks = withIds([section(`${emoji} ${outsideLines(entry.text, LIMIT.text - 10)}`)]);
  return { text: `${emoji} ${outside(entry.text, LIMIT.fallback - 10)}`, blocks };
}

export const EMOJI: Readonly<Partial<Record<JournalKind, string>>> = {
  'rollout-started': '🚀',
  'step-ordered': '🔼',
  shifted: '↔️',
  'shift-failed': '⚠️',
  'gate-passed': '✅',
  'would-have': '👁️',
  'rollout-completed': '🏁',
  'rollout-succeeded': '✅',
  'rollout-cancelled': '⏹️',
  'alert-fired': '🔥',
  'alert-resolved': '✅',
  'question-opened': '🔴',
  'question-joined': '➕',
  'question-paused': '⏯️',
  'question-resumed': '⏯️',
  'question-ended': '🏁',
  'deadline-reached': '⏰',
  'deadline-postponed': '⏰',
  held: '⏸️',
  resumed: '▶️',
  promoted: '⏩',
  voted: '🗳️',
  'rollback-decided': '⏪',
  'phase-ordered': '🔽',
  'phase-passed': '✅',
  'rolled-back': '⏪',
  stuck: '🚨',
  extended: '⏳',
  acknowledged: '👤',
  paged: '📟',
  'page-acknowledged': '📟',
  'page-resolved': '📟',
  'page-failed': '⚠️',
  frozen: '🧊',
  unfrozen: '☀️',
  'automation-off': '⏻',
  'automation-on': '⏻',
  'policy-changed': '📝',
  warming: '🌡️',
  'warmed-up': '🌡️',
  'way-back-chosen': '🧭',
  'alerts-silenced': '🔕',
  'silence-lifted': '🔔',
  'silence-failed': '⚠️',
  'drift-noticed': '⚠️',
};
