import type { DegradedMode } from '../ports/health.ts';
import type { Pager } from '../ports/pager.ts';

export interface StorePageParts {
  readonly pager: Pager;
  /** This installation's name. */
  readonly instance: string;
  /** Whether there is a key to page with that no policy holds. */
  readonly isPossible: boolean;
  readonly onProblem: (error: unknown) => void;
}

/**
 * Without its database Lastgood decides nothing, pages for no question and says nothing in Slack: whoever holds the installation's
 * own routing key is called. Called after each round of health checks; what could not be sent is sent after the next.
 */
export function createStorePage(
  parts: StorePageParts,
): (modes: readonly DegradedMode[], signal: AbortSignal) => Promise<void> {
  const { pager, instance, isPossible, onProblem } = parts;
  let isOpen = false;
  return async (modes, signal) => {
    const mode = modes.find(({ part }) => part === 'store');
    if (!isPossible || (mode !== undefined) === isOpen) return;
    const page = {
      action: mode ? 'trigger' : 'resolve',
      dedupKey: `${instance}/database`,
      summary: mode ? `Lastgood decides nothing: ${mode.text}` : 'The database answers again.',
      service: 'lastgood',
      severity: 'critical',
      routingKey: null,
      links: [],
      details: { 'how to answer': 'Do what the summary says; /readyz and `lastgood doctor` say how it does.' },
    } as const;
    try {
      await pager.send(page, signal);
      isOpen = mode !== undefined;
    } catch (error) {
      onProblem(error);
    }
  };
}
