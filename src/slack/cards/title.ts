import type { Degradation, DegradationOutcome, Rollout } from '../../domain/state.ts';
import type { CardView } from '../../ports/chat.ts';
import { LIMIT } from './blocks.ts';
import { outside } from './text.ts';

export interface Headline {
  readonly emoji: string;
  readonly words: string;
}

const OUTCOME: Readonly<Record<DegradationOutcome, Headline>> = {
  recovered: { emoji: '✅', words: 'Recovered' },
  'rolled-back': { emoji: '⏪', words: 'Rolled back' },
  promoted: { emoji: '⏩', words: 'Promoted all the same' },
  cancelled: { emoji: '⏹️', words: 'Cancelled' },
  superseded: { emoji: '➡️', words: 'Superseded' },
  dismissed: { emoji: '✔️', words: 'Dismissed' },
};

/** What a degradation has come to, in an emoji and words. */
export function degradationHeadline(degradation: Degradation, rollout: Rollout | null): Headline {
  const { stage } = degradation;
  if (stage.name === 'ended') return OUTCOME[stage.outcome];
  const moving = rollout ? movement(rollout) : null;
  if (moving) return moving;
  switch (stage.name) {
    case 'grace':
      return { emoji: '🟠', words: 'Alert firing' };
    case 'asking':
      return { emoji: '🔴', words: 'Degraded, decision needed' };
    case 'recovering':
      return { emoji: '🟡', words: 'Recovering' };
    case 'held':
      return { emoji: '✋', words: 'A person is needed' };
    case 'decided':
      return { emoji: '☑️', words: 'Decided' };
  }
}

/** Phases that say more than the question's own stage. */
function movement({ phase }: Rollout): Headline | null {
  switch (phase.name) {
    case 'rolling_back':
      return { emoji: '⏪', words: 'Rolling back' };
    case 'verifying':
      return { emoji: '🔎', words: 'Rolled back, checking' };
    case 'stuck':
      return { emoji: '🚨', words: 'Stuck, a person is needed' };
    case 'holding':
      return { emoji: '⏸️', words: 'On hold' };
    default:
      return null;
  }
}

export function rolloutHeadline(rollout: Rollout): Headline {
  const moving = movement(rollout);
  if (moving) return moving;
  switch (rollout.phase.name) {
    case 'advancing':
      return rollout.phase.stage === 'warming'
        ? { emoji: '🌡️', words: 'Warming up' }
        : { emoji: '🚀', words: 'Rolling out' };
    case 'deciding':
      return { emoji: '🔴', words: 'Degraded, decision needed' };
    case 'watching':
      return { emoji: '👀', words: 'At 100 %, watched' };
    case 'succeeded':
      return { emoji: '✅', words: 'Succeeded' };
    case 'rolled_back':
      return { emoji: '⏪', words: 'Rolled back' };
    default:
      return { emoji: '⏹️', words: 'Cancelled' };
  }
}

/** "🔴 fraud-scorer v42: Degraded, decision needed", within Slack's limit of a header. */
export function headerText(view: CardView, headline: Headline): string {
  const room = LIMIT.header - headline.words.length - headline.emoji.length - 5;
  const service = outside(view.state.service, Math.floor(room * 0.6));
  const version = versionOf(view);
  const versionShown = version === '' ? '' : ` ${outside(version, room - service.length - 1)}`;
  return `${headline.emoji} ${service}${versionShown}: ${headline.words}`;
}

/** The candidate, or what serves where no rollout is concerned; empty where nobody knows. */
export function versionOf(view: CardView): string {
  if (view.rollout) return view.rollout.candidate.id;
  return view.state.served.findLast((s) => s.untilMs === null)?.version.id ?? '';
}
