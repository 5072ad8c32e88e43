import type { View } from '@slack/web-api';
import type { Status } from '../../application/api.ts';
import type { Command, CommandName } from '../../domain/event.ts';
import type { Served } from '../../domain/served.ts';
import { duration, percent } from '../../domain/words.ts';
import { type Block, LIMIT, plain, section } from '../cards/blocks.ts';
import { isOneStep } from '../cards/strategy.ts';
import { fitted, outside } from '../cards/text.ts';
import { type Choice, choosesWayBack, optionDescription, waysBack } from '../cards/way-back.ts';
import { explain, extensionLeft, nextStep, phasesFrom, underWay } from './explain.ts';
import type { ModalMetadata } from './metadata.ts';
import { modal } from './modal.ts';

const MINUTE_MS = 60_000;
const HOLDS_MS = [10 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS];
const EXTENSIONS_MS = [10 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS];
const REASON_LENGTH = 500;

export const REASON_BLOCK = 'reason';

interface Option {
  readonly value: string;
  readonly text: string;
}

/** Block of the version to go back to. */
const TO_BLOCK = 'to';
/** Slack's limit of an option's value; longer versions go by when they began to serve. */
const VALUE_LENGTH = 75;

export const TITLES: Readonly<Partial<Record<CommandName, string>>> = {
  rollback: 'Roll back',
  hold: 'Hold',
  promote: 'Promote',
  extend: 'Extend the deadline',
  resume: 'Resume',
  cancel: 'Close',
};

/** The modal that asks for the reason and the choices of a command, after what will happen was said. */
export function form(metadata: ModalMetadata, status: Status): View {
  return modal({
    title: TITLES[metadata.command] ?? 'Decide',
    submit: TITLES[metadata.command]?.split(' ').slice(0, 2).join(' ') ?? 'Submit',
    metadata: JSON.stringify(metadata),
    blocks: [section(fitted(explain(metadata, status), LIMIT.text)), ...choices(metadata, status), reasonInput()],
  });
}

function reasonInput(): Block {
  return {
    type: 'input',
    block_id: REASON_BLOCK,
    label: plain('Reason'),
    hint: plain('Goes into the thread and the journal.'),
    element: { type: 'plain_text_input', action_id: 'value', max_length: REASON_LENGTH, focus_on_load: true },
  };
}

function choices(metadata: ModalMetadata, status: Status): Block[] {
  switch (metadata.command) {
    case 'rollback':
      return [
        ...versions(status),
        ...(metadata.pace ? [section('At once: straight to *0 %*.')] : [choice('pace', 'Pace', paces(status))]),
      ];
    case 'hold':
      return [choice('duration', 'For how long', holds(status))];
    case 'extend':
      return [choice('extension', 'By how long', extensions(status))];
    case 'promote':
      return [choice('scope', 'How far', scopes(status))];
    default:
      return [];
  }
}

function choice(id: string, label: string, options: readonly [Option, ...Option[]]): Block {
  const drawn = options.map(({ value, text }) => ({ value, text: plain(text.slice(0, LIMIT.buttonText)) }));
  return {
    type: 'input',
    block_id: id,
    label: plain(label),
    element: { type: 'radio_buttons', action_id: 'value', options: drawn, initial_option: drawn[0] },
  };
}

/** Where to go back to, where there is a choice: what is known good, then what is not proven. */
function versions(status: Status): Block[] {
  const options = choicesOf(status).map((one, index) => ({
    value: optionValue(one.served),
    text: plain(`${outside(one.served.version.id, 50)} · ${mark(one, index)}`),
    description: plain(optionDescription(one)),
  }));
  if (options.length === 0) return [];
  const element = { type: 'static_select', action_id: 'value', options, initial_option: options[0] };
  return [{ type: 'input', block_id: TO_BLOCK, label: plain('Back to'), element }];
}

function choicesOf({ policy, state }: Status): readonly Choice[] {
  const rollout = underWay(state);
  return choosesWayBack(rollout) ? waysBack({ policy, state, rollout }) : [];
}

/** The newest known good one stands first. */
function mark({ isProven }: Choice, index: number): string {
  if (!isProven) return 'not proven';
  return index === 0 ? 'last known good' : 'known good';
}

function optionValue({ version, sinceMs }: Served): string {
  const fits = version.id.length <= VALUE_LENGTH && version.id !== '' && !version.id.startsWith('#');
  return fits ? version.id : `#${sinceMs}`;
}

/** The version an option stood for; null: none was asked for, or what it stood for is forgotten. */
function versionOf(value: string, served: readonly Served[]): string | null {
  return (value.startsWith('#') ? served.find((s) => optionValue(s) === value)?.version.id : value) || null;
}

function paces(status: Status): [Option, ...Option[]] {
  const phases = phasesFrom(status).map((phase) => percent(phase.exposurePercent));
  const rollout = underWay(status.state);
  const straight = rollout && isOneStep(rollout) ? 'all traffic in one step' : 'straight to 0 %';
  const atOnce = { value: 'at-once', text: `At once: ${straight}` };
  return phases.length > 1 ? [{ value: 'phased', text: `By phases: ${phases.join(' → ')}` }, atOnce] : [atOnce];
}

function holds({ policy }: Status): [Option, ...Option[]] {
  const own = policy.respond.holdMs;
  const rest = HOLDS_MS.filter((ms) => ms !== own).map((ms) => ({ value: String(ms), text: duration(ms) }));
  return [{ value: String(own), text: duration(own) }, ...rest];
}

/** 10, 30 and 60 min, as far as the cap allows; what is left of it where that is less. */
function extensions(status: Status): [Option, ...Option[]] {
  const left = extensionLeft(status);
  const [first = left, ...rest] = EXTENSIONS_MS.filter((ms) => ms <= left);
  const option = (ms: number) => ({ value: String(ms), text: duration(ms) });
  return [option(first), ...rest.map(option)];
}

function scopes({ state, policy }: Status): [Option, ...Option[]] {
  const rollout = underWay(state);
  const next = rollout ? nextStep(rollout) : undefined;
  const takes = policy.approvers.quorum > 1 ? ` (takes ${policy.approvers.quorum} approvers)` : '';
  const oneStep = rollout !== null && isOneStep(rollout);
  const forward = next ? `The next step: ${percent(next.exposurePercent)}` : 'The next step';
  const step = { value: 'step', text: oneStep ? 'All traffic, in one step' : forward };
  return next && next.exposurePercent < 100 ? [step, { value: 'all', text: `All steps: 100 %${takes}` }] : [step];
}

/** What is asked before a modal is opened: the mildest form of the command. */
export function mildest(metadata: Pick<ModalMetadata, 'command' | 'pace'>, status: Status): Command | null {
  const reason = '';
  switch (metadata.command) {
    case 'rollback':
      return { name: 'rollback', pace: metadata.pace ?? 'phased', to: firstUnproven(status), reason };
    case 'hold':
      return { name: 'hold', forMs: null, reason };
    case 'promote':
      return { name: 'promote', scope: 'step', reason };
    case 'extend':
      return {
        name: 'extend',
        byMs: Math.min(EXTENSIONS_MS[0] ?? MINUTE_MS, extensionLeft(status) || MINUTE_MS),
        reason,
      };
    case 'resume':
    case 'cancel':
    case 'acknowledge':
      return { name: metadata.command, reason };
    default:
      return null;
  }
}

/** Where nothing is known good but something else served, people may still choose that; null: there is better, or no choice. */
function firstUnproven(status: Status): string | null {
  const [first] = choicesOf(status);
  return first && !first.isProven ? first.served.version.id : null;
}

/** Values as Slack sends them: block id → action id → what was entered. */
export type FormValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The command that was filled in; a text where something is missing. `served` is what the service's versions are looked up in. */
export function readForm(
  metadata: ModalMetadata,
  values: FormValues,
  served: readonly Served[],
): Command | { readonly problem: string } {
  const reason = entered(values, REASON_BLOCK).trim();
  if (reason === '') return { problem: 'Say why: the thread and the journal keep it.' };
  const number = (block: string) => Number(entered(values, block));
  switch (metadata.command) {
    case 'rollback': {
      const pace = metadata.pace ?? (entered(values, 'pace') === 'at-once' ? 'at-once' : 'phased');
      const chosen = entered(values, TO_BLOCK);
      const to = versionOf(chosen, served);
      if (to === null && chosen !== '') return { problem: 'That version is no longer known: press the button again.' };
      return { name: 'rollback', pace, to, reason };
    }
    case 'hold':
      return { name: 'hold', forMs: number('duration') || null, reason };
    case 'promote':
      return { name: 'promote', scope: entered(values, 'scope') === 'all' ? 'all' : 'step', reason };
    case 'extend':
      return { name: 'extend', byMs: number('extension'), reason };
    case 'resume':
    case 'cancel':
      return { name: metadata.command, reason };
    default:
      return { problem: 'This form is from another version of Lastgood: press the button again.' };
  }
}

function entered(values: FormValues, block: string): string {
  const field = values[block]?.value as { value?: unknown; selected_option?: { value?: unknown } | null } | undefined;
  const value = field?.selected_option?.value ?? field?.value;
  return typeof value === 'string' ? value : '';
}
