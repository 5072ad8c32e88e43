import { binding } from '../../domain/binding.ts';
import type { CommandName } from '../../domain/event.ts';
import type { Degradation, Phase, Rollback, Rollout } from '../../domain/state.ts';
import type { CardView } from '../../ports/chat.ts';
import { type Block, LIMIT, plain } from './blocks.ts';

/** One button, as data. What it does when pressed is asked again then: the state may have moved on. */
export interface CardButton {
  readonly command: CommandName;
  readonly label: string;
  readonly danger?: boolean;
  /** Only for a rollback: leaves the presser no choice of pace. */
  readonly pace?: 'at-once';
}

/** What a button's value holds. Written by the card, read back from the press. */
export interface ButtonValue {
  readonly service: string;
  readonly binding: string;
  readonly pace?: 'at-once';
}

export const ACTION_PREFIX = 'rollout:';

const ROLL_BACK: CardButton = { command: 'rollback', label: 'Roll back', danger: true };
const HOLD: CardButton = { command: 'hold', label: 'Hold' };
const PROMOTE: CardButton = { command: 'promote', label: 'Promote' };
const EXTEND: CardButton = { command: 'extend', label: 'Extend' };
const ACKNOWLEDGE: CardButton = { command: 'acknowledge', label: 'Acknowledge' };
const RESUME: CardButton = { command: 'resume', label: 'Resume' };
const PAUSE_HERE: CardButton = { command: 'hold', label: 'Pause here' };
const TO_ZERO_NOW: CardButton = { command: 'rollback', label: 'To 0 % now', danger: true, pace: 'at-once' };
const TRY_AGAIN: CardButton = { command: 'resume', label: 'Try again' };
const CANCEL: CardButton = { command: 'cancel', label: 'Cancel rollout' };
const DISMISS: CardButton = { command: 'cancel', label: 'Dismiss' };

/** The buttons a card offers in its state; none where the card is no longer the one to answer on. */
export function buttonsFor(view: CardView): readonly CardButton[] {
  if (!view.current) return [];
  if (view.card.kind === 'rollout') {
    // While a question is open its own card has the buttons: one place to answer.
    return view.rollout && !openQuestion(view) ? forRollout(view.rollout) : [];
  }
  const { degradation } = view;
  if (!degradation || degradation.stage.name === 'ended') return [];
  return [
    ...(view.rollout ? forQuestion(view.rollout, degradation) : [ROLL_BACK]),
    ...answers(degradation, view),
    ...(view.rollout ? [] : [DISMISS]),
  ];
}

/** The state's open question about this view's rollout. */
export function openQuestion(view: CardView): Degradation | null {
  const { degradation } = view.state;
  if (!degradation || degradation.stage.name === 'ended') return null;
  return degradation.rolloutId === (view.rollout?.id ?? null) ? degradation : null;
}

function forRollout({ phase, exposurePercent }: Rollout): readonly CardButton[] {
  switch (phase.name) {
    case 'advancing':
      if (exposurePercent > 0) return [ROLL_BACK, HOLD, PROMOTE];
      // Soaking at 0 % is a step like any other: the shadow.
      return phase.stage === 'soaking' ? [CANCEL, HOLD, PROMOTE] : [CANCEL, HOLD];
    case 'watching':
      return [ROLL_BACK];
    case 'deciding':
      return [ROLL_BACK, HOLD, ...(exposurePercent < 100 ? [PROMOTE] : [])];
    default:
      return inAnyCase(phase, exposurePercent);
  }
}

function forQuestion({ phase, exposurePercent }: Rollout, degradation: Degradation): readonly CardButton[] {
  switch (phase.name) {
    case 'deciding':
      if (typeof phase.during === 'object') return [TO_ZERO_NOW, RESUME];
      return [ROLL_BACK, HOLD, ...(exposurePercent < 100 && phase.during === 'advancing' ? [PROMOTE] : [])];
    case 'advancing':
      // In grace nothing was asked yet; people may answer all the same.
      return degradation.stage.name === 'decided' ? [ROLL_BACK, HOLD] : [ROLL_BACK, HOLD, PROMOTE];
    case 'watching':
      return [ROLL_BACK, HOLD];
    default:
      return inAnyCase(phase, exposurePercent);
  }
}

function inAnyCase(phase: Phase, exposurePercent: number): readonly CardButton[] {
  switch (phase.name) {
    case 'holding':
      return typeof phase.during === 'object' ? [RESUME, TO_ZERO_NOW] : [RESUME, ...backFrom(exposurePercent)];
    case 'rolling_back':
      return atTheEnd(phase.rollback) ? [PAUSE_HERE] : [PAUSE_HERE, TO_ZERO_NOW];
    case 'stuck':
      // After 100 % it is stuck for want of a way back: a person names one, and trying again would find none.
      return phase.during === 'watching' ? [ROLL_BACK] : [TRY_AGAIN, ROLL_BACK];
    default:
      return [];
  }
}

function backFrom(exposurePercent: number): readonly CardButton[] {
  return exposurePercent > 0 ? [ROLL_BACK] : [CANCEL];
}

/** It is on its way to 0 already: nothing to hasten. */
function atTheEnd(rollback: Rollback): boolean {
  return rollback.phases[rollback.phase]?.exposurePercent === 0;
}

function answers(degradation: Degradation, view: CardView): readonly CardButton[] {
  const { stage } = degradation;
  const more = stage.name === 'asking' && degradation.extendedMs < view.policy.respond.extendCapMs;
  const nobody = degradation.acknowledged === null && stage.name !== 'decided';
  return [...(more ? [EXTEND] : []), ...(nobody ? [ACKNOWLEDGE] : [])];
}

/** The row of buttons; empty where there is none. */
export function buttonRow(view: CardView): Block[] {
  const buttons = buttonsFor(view);
  if (buttons.length === 0) return [];
  return [{ type: 'actions', elements: buttons.map((button) => element(button, view)) }];
}

function element(button: CardButton, view: CardView): Record<string, unknown> {
  const value: ButtonValue = {
    service: view.state.service,
    binding: binding(view.state, button.command),
    ...(button.pace ? { pace: button.pace } : {}),
  };
  return {
    type: 'button',
    action_id: `${ACTION_PREFIX}${button.command}`,
    text: plain(button.label.slice(0, LIMIT.buttonText)),
    value: JSON.stringify(value),
    ...(button.danger ? { style: 'danger' } : {}),
  };
}

/** Null where it is not a value a card of ours wrote. */
export function readValue(value: string | undefined): ButtonValue | null {
  if (value === undefined || value.length > LIMIT.buttonValue) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Not ours: somebody else's button, or an older card of another make.
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { service, binding: bound, pace } = parsed as Record<string, unknown>;
  if (typeof service !== 'string' || typeof bound !== 'string') return null;
  return { service, binding: bound, ...(pace === 'at-once' ? { pace } : {}) };
}
