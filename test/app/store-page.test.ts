import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DUTY_LEASE_MS } from '../../src/app/duty.ts';
import { createStorePage, type StorePage } from '../../src/app/store-page.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { DegradedMode } from '../../src/ports/health.ts';
import type { Page } from '../../src/ports/pager.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';

const trouble: DegradedMode = { part: 'store', name: 'database', sinceMs: 0, text: 'The database is away.' };
const elsewhere: DegradedMode = { part: 'slack', name: 'Web API', sinceMs: 0, text: 'Slack is away.' };
const never = new AbortController().signal;

let store: Store;
let nowMs: number;
let sent: Pick<Page, 'action' | 'dedupKey'>[];
let problems: unknown[];
let isPagerAway: boolean;
let isAnswerLost: boolean;

beforeEach(async () => {
  store = await openStore(':memory:');
  nowMs = 1_000_000;
  sent = [];
  problems = [];
  isPagerAway = false;
  isAnswerLost = false;
});
afterEach(() => store.close());

type Process = StorePage & { reach: { away: boolean } };

/** One process; `away`: while its database does not answer. */
async function begun(owner: string, { isPossible = true } = {}): Promise<Process> {
  const reach = { away: false };
  const reached = <T>(call: () => Promise<T>) => (reach.away ? Promise.reject(new Error('away')) : call());
  const process = {
    reach,
    ...createStorePage({
      instance: 'acme',
      isPossible,
      owner,
      clock: { now: () => nowMs, sleepUntil: async () => undefined },
      duties: {
        hold: (duty, request) => reached(() => store.duties.hold(duty, request)),
        release: (duty, who) => reached(() => store.duties.release(duty, who)),
        lapsed: (prefix, atMs) => reached(() => store.duties.lapsed(prefix, atMs)),
      },
      pager: {
        async send({ action, dedupKey }) {
          if (isPagerAway) throw new PortError('retryable', 'PagerDuty is away');
          sent.push({ action, dedupKey });
          if (isAnswerLost) throw new PortError('ambiguous', 'the answer did not come');
        },
      },
      onProblem: (error) => void problems.push(error),
    }),
  };
  await process.begin();
  return process;
}

async function loses(process: Process): Promise<void> {
  process.reach.away = true;
  await process.round([trouble], never);
}

const actions = () => sent.map(({ action }) => action);

describe('the page about the database', () => {
  it('is opened once and resolved once by the process that lives through it', async () => {
    const process = await begun('a');
    await process.round([elsewhere], never);
    await loses(process);
    await process.round([trouble], never);
    process.reach.away = false;
    nowMs += 3_600_000;
    await process.round([], never);
    await process.round([], never);
    expect(sent).toEqual([
      { action: 'trigger', dedupKey: 'acme/database' },
      { action: 'resolve', dedupKey: 'acme/database' },
    ]);
    expect(problems).toEqual([]);
  });

  it('is resolved by the next process where the one that opened it died', async () => {
    await loses(await begun('a'));
    const next = await begun('b');
    await next.round([], never);
    expect(actions()).toEqual(['trigger']);
    nowMs += DUTY_LEASE_MS;
    await next.round([], never);
    await next.round([], never);
    await next.end();
    const third = await begun('c');
    nowMs += DUTY_LEASE_MS;
    await third.round([], never);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('is resolved by the next process where the one that opened it was stopped in order', async () => {
    const process = await begun('a');
    await loses(process);
    await process.end();
    nowMs += DUTY_LEASE_MS;
    await (await begun('b')).round([], never);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('is resolved by the next process where the one that opened it was stopped before the answer came', async () => {
    const process = await begun('a');
    isAnswerLost = true;
    await loses(process);
    isAnswerLost = false;
    process.reach.away = false;
    await process.end();
    nowMs += DUTY_LEASE_MS;
    await (await begun('b')).round([], never);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('is resolved by one of several replicas', async () => {
    await loses(await begun('a'));
    const others = [await begun('b'), await begun('c')];
    nowMs += DUTY_LEASE_MS - 1;
    await Promise.all(others.map((other) => other.round([], never)));
    expect(actions()).toEqual(['trigger']);
    nowMs += 1;
    await Promise.all(others.map((other) => other.round([], never)));
    await Promise.all(others.map((other) => other.round([], never)));
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('is resolved later where PagerDuty is away, by whoever is there then', async () => {
    await loses(await begun('a'));
    nowMs += DUTY_LEASE_MS;
    isPagerAway = true;
    await (await begun('b')).round([], never);
    expect(problems).toHaveLength(1);
    isPagerAway = false;
    nowMs += DUTY_LEASE_MS;
    await (await begun('c')).round([], never);
    expect(actions()).toEqual(['trigger', 'resolve']);
  });

  it('is nothing to resolve after an end without trouble', async () => {
    const process = await begun('a');
    await process.round([], never);
    await process.end();
    nowMs += DUTY_LEASE_MS;
    await (await begun('b')).round([], never);
    expect(sent).toEqual([]);
  });

  it('is none, and nothing is written down, where there is no key to page with', async () => {
    const process = await begun('a', { isPossible: false });
    await loses(process);
    expect(sent).toEqual([]);
    expect(await store.duties.lapsed('', Number.MAX_SAFE_INTEGER)).toEqual([]);
  });
});
