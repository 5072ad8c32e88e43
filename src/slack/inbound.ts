import type { Actor } from '../domain/state.ts';
import type { FormValues } from './views/form.ts';

/** What Slack sends, read leniently: only what is used is looked at, and nothing is taken for granted. */

/** The workspace somebody belongs to and its organisation, as the request says; null: it does not. */
export interface Home {
  readonly teamId: string | null;
  readonly enterpriseId: string | null;
}

export interface Press {
  readonly actor: Actor;
  readonly home: Home;
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
  readonly home: Home;
  readonly viewId: string;
  /** Another at every submission, also of one form. */
  readonly triggerId: string | null;
  readonly metadata: string | undefined;
  readonly values: FormValues;
}

export interface TypedCommand {
  readonly actor: Actor;
  readonly home: Home;
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
    home: homeOf(root),
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
    home: homeOf(root),
    viewId,
    triggerId: text(root.trigger_id),
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
    home: { teamId: text(root.team_id), enterpriseId: text(root.enterprise_id) },
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

/** An organisation counts only where it is said of the workspace the person is of, not of the one the channel is in. */
function homeOf(root: Record<string, unknown>): Home {
  const team = fields(root.team);
  const teamId = text(fields(root.user).team_id) ?? text(team.id);
  return { teamId, enterpriseId: teamId !== null && teamId === text(team.id) ? text(team.enterprise_id) : null };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
