import type { CommandName } from './event.ts';
import type { ServiceState } from './state.ts';

/**
 * What a button is drawn for (rule 8). The card puts this into the button's value; a press whose binding is no longer the
 * state's is late or doubled, and does nothing. Comparisons and joining alerts do not change it, decisions do.
 */
export function binding(state: ServiceState, command: CommandName): string {
  const open = state.degradation && state.degradation.stage.name !== 'ended' ? state.degradation : null;
  const subject = `${state.rollout?.id ?? '-'}.${state.rollout?.epoch ?? 0}/${open?.id ?? '-'}.${open?.epoch ?? 0}`;
  switch (command) {
    case 'extend':
      return `${subject}/x${open?.extendedMs ?? 0}`;
    case 'acknowledge':
      return `${subject}/a${open?.acknowledged ? 1 : 0}`;
    default:
      return subject;
  }
}
