import type { Clock } from '../ports/clock.ts';
import type { DegradedMode } from '../ports/health.ts';
import type { Pager } from '../ports/pager.ts';
import type { Duties } from '../ports/store.ts';
import { DUTY_LEASE_MS } from './duty.ts';

export interface StorePageParts {
  readonly pager: Pager;
  /** This installation's name. */
  readonly instance: string;
  /** Whether there is a key to page with that no policy holds. */
  readonly isPossible: boolean;
  readonly duties: Duties;
  /** This process, different at every start. */
  readonly owner: string;
  /** By which duties run out. */
  readonly clock: Clock;
  readonly leaseMs?: number;
  readonly onProblem: (error: unknown) => void;
}

export interface StorePage {
  /** To be called before anything can go wrong. Never throws, as the others. */
  begin(): Promise<void>;
  /** To be called after each round of health checks; what could not be sent is sent after the next. */
  round(modes: readonly DegradedMode[], signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
}

const PREFIX = 'database-page/';

/**
 * Without its database Lastgood decides nothing, pages for no question and says nothing in Slack: whoever holds the installation's
 * own routing key is called, and told when it is over.
 *
 * That somebody was called cannot be written down then. So each process has written down before that it may call: a duty, kept while
 * the database answers, and let go of at an end with nobody called. Where it runs out its process has died, or does not reach the
 * database: one of those that do resolves what may be open. Resolving what is not is taken by PagerDuty, and does nothing.
 */
export function createStorePage(parts: StorePageParts): StorePage {
  const { pager, instance, isPossible, duties, owner, clock, leaseMs = DUTY_LEASE_MS, onProblem } = parts;
  const ours = `${PREFIX}${owner}`;
  let isSent = false;
  /** Also where it was cut off: it may have got through. */
  let mayBeOpen = false;
  const hold = (duty: string) => duties.hold(duty, { owner, nowMs: clock.now(), leaseMs });
  const send = (mode: DegradedMode | null, signal: AbortSignal) =>
    pager.send(
      {
        action: mode ? 'trigger' : 'resolve',
        dedupKey: `${instance}/database`,
        summary: mode ? `Lastgood decides nothing: ${mode.text}` : 'The database answers again.',
        service: 'lastgood',
        severity: 'critical',
        routingKey: null,
        links: [],
        details: { 'how to answer': 'Do what the summary says; /readyz and `lastgood doctor` say how it does.' },
      },
      signal,
    );
  const takeOver = async () => {
    const taken: string[] = [];
    for (const duty of await duties.lapsed(PREFIX, clock.now()))
      if (duty !== ours && (await hold(duty))) taken.push(duty);
    return taken;
  };
  const safely = (work: () => Promise<unknown>) => (isPossible ? work().then(() => undefined, onProblem) : nothing);
  return {
    begin: () => safely(() => hold(ours)),
    round: (modes, signal) =>
      safely(async () => {
        const mode = modes.find(({ part }) => part === 'store') ?? null;
        if (mode !== null) {
          mayBeOpen = true;
          if (!isSent) await send(mode, signal);
          isSent = true;
          return;
        }
        await hold(ours);
        const taken = await takeOver();
        if (!mayBeOpen && taken.length === 0) return;
        // What cannot be sent runs out again, and is the next one's.
        await send(null, signal);
        isSent = mayBeOpen = false;
        for (const duty of taken) await duties.release(duty, owner);
      }),
    end: () => safely(async () => mayBeOpen || (await duties.release(ours, owner))),
  };
}

const nothing = Promise.resolve();
