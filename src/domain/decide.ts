import { onAlert } from './alerting.ts';
import { binding } from './binding.ts';
import { onSeen } from './drift.ts';
import type { Decision } from './effect.ts';
import type { Command, DomainEvent } from './event.ts';
import { hold, resume } from './holding.ts';
import { onMeasured } from './measured.ts';
import { onPager, onUnseen } from './paging.ts';
import { permit } from './permit.ts';
import type { Policy } from './policy.ts';
import { cancelRollout, promote } from './promote.ts';
import { cardsToDraw } from './redraw.ts';
import { acknowledge, automation, extend, freeze, unfreeze } from './responding.ts';
import { onRestored } from './restored.ts';
import { rollbackCommand } from './rollback-command.ts';
import { onShifted, onShiftFailed } from './shifted.ts';
import { onSilenced } from './silencing.ts';
import { start } from './start.ts';
import type { Actor, ServiceState } from './state.ts';
import { onTimer } from './timing.ts';
import { Ignored, isEnded, Refused, Turn } from './turn.ts';
import { onProbed } from './warming.ts';
import { utcTime, who } from './words.ts';

export interface Context {
  /** Unix ms. */
  readonly now: number;
  /** The policy in force now; what a rollout began with is in its plan. */
  readonly policy: Policy;
}

/**
 * What an event comes to: the state after it and what is to be done in the world. A function of its arguments: the same
 * in production, in a drill, in a backtest, in the simulation and in the demo.
 */
export function decide(state: ServiceState, event: DomainEvent, context: Context): Decision<ServiceState> {
  const now = Math.max(context.now, state.clockMs, momentOf(state, event));
  const turn = new Turn(state, now, context.policy);
  try {
    happen(turn, event);
  } catch (error) {
    if (error instanceof Refused) return { outcome: 'refused', refusal: error.refusal };
    if (error instanceof Ignored) return { outcome: 'ignored', why: error.message };
    throw error;
  }
  const { state: after, effects, journal, reply } = turn;
  const lines = effects.filter((effect) => effect.kind === 'say');
  const rest = effects.filter((effect) => effect.kind !== 'say');
  const cards = cardsToDraw(state, after, isUrgent(state, event));
  // A line stands in a card's thread, so the card comes before it.
  return { outcome: 'accepted', state: after, effects: [...rest, ...cards, ...lines], journal, reply };
}

/** A timer that fires says what time it is at least, also where the machine's clock was set back meanwhile. */
function momentOf(state: ServiceState, event: DomainEvent): number {
  const timer = event.type === 'timer' ? state.timers[event.key] : undefined;
  return event.type === 'timer' && timer?.epoch === event.epoch ? timer.atMs : 0;
}

/** A look that finds what was known before can wait; everything else is shown at once. */
function isUrgent(before: ServiceState, event: DomainEvent): boolean {
  return event.type !== 'measured' || before.degradation?.comparison === null;
}

function happen(turn: Turn, event: DomainEvent): void {
  switch (event.type) {
    case 'alert':
      onAlert(turn, event.alert, event.found ?? false);
      return;
    case 'command':
      onCommand(turn, event.command, event.actor, event.binding);
      return;
    case 'measured':
      onMeasured(turn, event.lookId, event.comparison, event.alike);
      return;
    case 'timer':
      onTimer(turn, event.key, event.epoch, event.putOffToMs);
      return;
    case 'shifted':
      onShifted(turn, event);
      return;
    case 'shift_failed':
      onShiftFailed(turn, event);
      return;
    case 'probed':
      onProbed(turn, event);
      return;
    case 'seen':
      onSeen(turn, event);
      return;
    case 'silenced':
      onSilenced(turn, event);
      return;
    case 'unseen':
      onUnseen(turn, event.degradationId, event.why);
      return;
    case 'restored':
      onRestored(turn, event.asOfMs);
      return;
    case 'policy_changed':
      onPolicyChanged(turn);
      return;
    default:
      onPager(turn, event);
  }
}

/** Target, steps and metrics stay as they began; approvers, channel, routing and mode are the new ones: the cards say so. */
function onPolicyChanged(turn: Turn): void {
  const { policy } = turn;
  turn.note(
    'policy-changed',
    turn.automation,
    `The policy of ${policy.service} is now ${policy.revision}${policy.commit === null ? '' : ` (commit ${policy.commit})`}.`,
  );
  if (turn.rollout) turn.setRollout({});
  if (turn.question) turn.setQuestion({});
}

function onCommand(turn: Turn, command: Command, actor: Actor, drawnFor: string | undefined): void {
  const forbidden = permit(turn.policy, actor, command.name);
  if (forbidden) throw new Refused(forbidden.code, forbidden.text);
  if (drawnFor !== undefined && drawnFor !== binding(turn.state, command.name))
    throw new Refused('stale', sinceThen(turn));
  switch (command.name) {
    case 'start':
      start(turn, command, actor);
      break;
    case 'promote':
      promote(turn, command, actor);
      break;
    case 'rollback':
      rollbackCommand(turn, command, actor);
      break;
    case 'hold':
      hold(turn, command, actor);
      break;
    case 'resume':
      resume(turn, command.reason, actor);
      break;
    case 'extend':
      extend(turn, command, actor);
      break;
    case 'acknowledge':
      acknowledge(turn, command.reason, actor);
      break;
    case 'cancel':
      cancelRollout(turn, command.reason, actor);
      break;
    case 'freeze':
      freeze(turn, command.reason, actor);
      break;
    case 'unfreeze':
      unfreeze(turn, command.reason, actor);
      break;
    case 'automation':
      automation(turn, command.on, command.reason, actor);
      break;
  }
}

/** Rule 8: pressed late or twice it does nothing, and says what has happened instead. */
function sinceThen(turn: Turn): string {
  const { degradation, rollout } = turn.state;
  const decision = degradation?.decision;
  const acknowledged = degradation?.acknowledged;
  const phase = rollout?.phase;
  const happened = decision
    ? `${decision.action} by ${who(decision.by)} at ${utcTime(decision.atMs)}.`
    : acknowledged
      ? `${who(acknowledged.by)} is on it since ${utcTime(acknowledged.atMs)}.`
      : phase
        ? `${rollout.id} ${isEnded(phase) ? 'has ended' : 'is now'}: ${phase.name.replace('_', ' ')}.`
        : 'It is over.';
  return `Nothing was changed: the button was drawn for an earlier state. ${happened} The card shows how it stands now.`;
}
