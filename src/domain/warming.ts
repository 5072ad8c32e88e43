import type { DomainEvent } from './event.ts';
import { Ignored, type Turn } from './turn.ts';

export function onProbed(turn: Turn, event: Extract<DomainEvent, { type: 'probed' }>): void {
  if (turn.state.probe?.id !== event.probeId) throw new Ignored(`probe ${event.probeId} was replaced by a newer one`);
  turn.set({ probe: null });
}
