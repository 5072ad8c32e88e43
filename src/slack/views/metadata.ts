import type { CommandName } from '../../domain/event.ts';

/** What a modal carries from the press to its submission. It holds nothing secret and decides nothing: all is checked again. */
export interface ModalMetadata {
  readonly service: string;
  readonly command: CommandName;
  readonly binding: string;
  readonly channel: string;
  readonly pace?: 'at-once';
}

const MODAL_COMMANDS = new Set<string>(['rollback', 'hold', 'promote', 'extend', 'resume', 'cancel']);

/** Commands that are asked for in a modal. Acknowledging needs none. */
export function hasModal(command: string): command is ModalMetadata['command'] {
  return MODAL_COMMANDS.has(command);
}

export function readMetadata(text: string | undefined): ModalMetadata | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '');
  } catch {
    // Not a modal of this make.
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { service, command, binding, channel, pace } = parsed as Record<string, unknown>;
  if (typeof service !== 'string' || typeof binding !== 'string' || typeof channel !== 'string') return null;
  if (typeof command !== 'string' || !hasModal(command)) return null;
  return { service, command, binding, channel, ...(pace === 'at-once' ? { pace } : {}) };
}
