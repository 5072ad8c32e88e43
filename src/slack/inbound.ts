import type { Actor } from '../domain/state.ts';
import type { FormValues } from './views/form.ts';

/** What Slack sends, read leniently: only what is used is looked at, and nothing is taken for granted. */

export interface Press {
  readonly actor: Actor;
  readonly channel: string | null;
  /** The message's own, and its parent's where it stands in a thread. */
  readonly threadTs: string | null;
  readonly triggerId: string;
  readonly actionId: string;
  readonly actionTs: string;
  readonly value: string | undefined;
}

export interface ModalSubmission {
  readonly actor: Actor;
  readonly viewId: string;
  readonly metadata: string | undefined;
  readonly values: FormValues;
}

export interface TypedCommand {
  readonly actor: Actor;
  /** As typed, with the slash: workspaces may name it differently. */
  readonly command: string;
  readonly text: string;
  readonly triggerId: string;
}

export function readPress(body: unknown): Press | null {
  const root = fields(body);
  const action = fields(Array.isArray(root.actions) ? root.actions[0] : undefined);
  const actor = actorOf(root.user);
  const triggerId = text(root.trigger_id);
  const actionId = text(action.action_id);
  if (!actor || triggerId === null || actionId === null) return null;
  return {
    actor,
    channel: text(fields(root.channel).id) ?? text(fields(root.container).channel_id),
    threadTs: text(fields(root.message).thread_ts) ?? text(fields(root.container).thread_ts),
    triggerId,
    actionId,
    actionTs: text(action.action_ts) ?? '',
    value: text(action.value) ?? undefined,
  };
}

export function readSubmission(body: unknown): ModalSubmission | null {
  const root = fields(body);
  const view = fields(root.view);
  const actor = actorOf(root.user);
  const viewId = text(view.id);
  if (!actor || viewId === null) return null;
  return {
    actor,
    viewId,
    metadata: text(view.private_metadata) ?? undefined,
    values: fields(fields(view.state).values) as FormValues,
  };
}

/** It is shown in answers, so it is no more than a name. */
const COMMAND = /^\/[\w-]{1,40}$/;

export function readCommand(body: unknown): TypedCommand | null {
  const root = fields(body);
  const id = text(root.user_id);
  const triggerId = text(root.trigger_id);
  if (id === null || triggerId === null) return null;
  return {
    actor: { kind: 'person', id, name: text(root.user_name) ?? id },
    command: COMMAND.exec(text(root.command) ?? '')?.[0] ?? '/rollout',
    text: text(root.text) ?? '',
    triggerId,
  };
}

function actorOf(user: unknown): Actor | null {
  const { id, username, name } = fields(user);
  if (typeof id !== 'string' || id === '') return null;
  return { kind: 'person', id, name: text(username) ?? text(name) ?? id };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
