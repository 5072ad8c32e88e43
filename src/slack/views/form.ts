import type { View } from '@slack/web-api';
import type { Status } from '../../application/api.ts';
import type { Command, CommandName } from '../../domain/event.ts';
import { duration, percent } from '../../domain/words.ts';
import { type Block, LIMIT, plain, section } from '../cards/blocks.ts';
import { fitted } from '../cards/text.ts';
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
      return metadata.pace ? [section('At once: straight to *0 %*.')] : [choice('pace', 'Pace', paces(status))];
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

function paces(status: Status): [Option, ...Option[]] {
  const phases = phasesFrom(status).map((phase) => percent(phase.exposurePercent));
  const atOnce = { value: 'at-once', text: 'At once: straight to 0 %' };
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
  const step = { value: 'step', text: next ? `The next step: ${percent(next.exposurePercent)}` : 'The next step' };
  return next && next.exposurePercent < 100 ? [step, { value: 'all', text: `All steps: 100 %${takes}` }] : [step];
}

/** What is asked before a modal is opened: the mildest form of the command. */
export function mildest(metadata: Pick<ModalMetadata, 'command' | 'pace'>, status: Status): Command | null {
  const reason = '';
  switch (metadata.command) {
    case 'rollback':
      return { name: 'rollback', pace: metadata.pace ?? 'phased', to: null, reason };
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

/** Values as Slack sends them: block id → action id → what was entered. */
export type FormValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The command that was filled in; a text where something is missing. */
export function readForm(metadata: ModalMetadata, values: FormValues): Command | { readonly problem: string } {
  const reason = entered(values, REASON_BLOCK).trim();
  if (reason === '') return { problem: 'Say why: the thread and the journal keep it.' };
  const number = (block: string) => Number(entered(values, block));
  switch (metadata.command) {
    case 'rollback': {
      const pace = metadata.pace ?? (entered(values, 'pace') === 'at-once' ? 'at-once' : 'phased');
      return { name: 'rollback', pace, to: null, reason };
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
