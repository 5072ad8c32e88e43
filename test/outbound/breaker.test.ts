import { afterEach, describe, expect, it } from 'vitest';
import { type Breaker, createBreaker, type Reached } from '../../src/outbound/breaker.ts';
import { createHttp, type Http } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { type Loopback, serve } from './loopback.ts';

const start = Date.parse('2026-11-21T12:04:00Z');
const answers: Reached = { answered: true };

function stand() {
  const clock = { ms: start };
  const breaker = createBreaker({ host: 'http://router:9000', now: () => clock.ms });
  let calls = 0;
  const call = (reached: Reached) => {
    const failed = 'unreachable' in reached ? reached.unreachable : null;
    return breaker.run(
      async () => {
        calls += 1;
        if (failed !== null) throw new PortError('ambiguous', failed);
        return 'answer';
      },
      () => reached,
    );
  };
  return { clock, breaker, call, calls: () => calls };
}

async function failure(promise: Promise<unknown>): Promise<PortError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Fails once a second until it opens. */
async function opened({ clock, call }: ReturnType<typeof stand>): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    await failure(call({ unreachable: 'timed out' }));
    clock.ms += 1_000;
  }
}

describe('the circuit breaker', () => {
  it('lets failures through as they are, and leaves the host alone after five in a row', async () => {
    const at = stand();
    for (let i = 0; i < 5; i += 1) {
      expect(await failure(at.call({ unreachable: 'timed out' }))).toMatchObject({
        failure: 'ambiguous',
        message: 'timed out',
      });
      at.clock.ms += 500;
    }
    const refused = await failure(at.call(answers));
    expect(at.calls()).toBe(5);
    expect(refused).toMatchObject({ failure: 'retryable', retryAfterMs: 1_500 });
    expect(refused.message).toBe(
      'http://router:9000 has not answered 5 times in a row (last: timed out); it is asked again at 12:04:04 UTC',
    );
    expect(at.breaker.circuit()).toEqual({
      host: 'http://router:9000',
      state: 'open',
      sinceMs: start,
      lastProblem: 'timed out',
      failures: 5,
      againAtMs: start + 4_000,
      answeredAtMs: null,
    });
  });

  it('asks once when the wait is over, others wait for the outcome, and an answer closes it', async () => {
    const at = stand();
    await opened(at);
    at.clock.ms += 1_000;
    const { promise, resolve } = Promise.withResolvers<string>();
    const trial = at.breaker.run(
      () => promise,
      () => answers,
    );
    expect(at.breaker.circuit().state).toBe('half-open');
    expect(await failure(at.call(answers))).toMatchObject({ failure: 'retryable', retryAfterMs: 1_000 });
    expect(at.calls()).toBe(5);
    resolve('back');
    expect(await trial).toBe('back');
    expect(at.breaker.circuit()).toMatchObject({
      state: 'closed',
      sinceMs: at.clock.ms,
      lastProblem: null,
      answeredAtMs: at.clock.ms,
    });
    expect(await at.call(answers)).toBe('answer');
  });

  it('waits longer with every trial that fails, up to fifteen seconds', async () => {
    const at = stand();
    await opened(at);
    const waits: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { againAtMs } = at.breaker.circuit();
      if (againAtMs === null) throw new Error('it is not open');
      at.clock.ms = againAtMs - 1;
      await failure(at.call(answers));
      at.clock.ms = againAtMs;
      await failure(at.call({ unreachable: 'refused' }));
      waits.push((at.breaker.circuit().againAtMs ?? 0) - at.clock.ms);
    }
    expect(waits).toEqual([4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
    expect(at.calls()).toBe(5 + 6);
    expect(at.breaker.circuit()).toMatchObject({ state: 'open', sinceMs: start, lastProblem: 'refused', failures: 11 });
  });

  it('takes calls that fail side by side for one failure', async () => {
    const at = stand();
    for (let i = 0; i < 20; i += 1) await failure(at.call({ unreachable: 'reset' }));
    expect(at.breaker.circuit().state).toBe('closed');
    expect(await at.call(answers)).toBe('answer');
  });

  it('begins anew after an answer, and counts nothing that says nothing of the host', async () => {
    const at = stand();
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 4; i += 1) {
        at.clock.ms += 1_000;
        await failure(at.call({ unreachable: 'timed out' }));
      }
      await at.call(answers);
    }
    for (let i = 0; i < 10; i += 1) {
      at.clock.ms += 1_000;
      await expect(given(at.breaker)).rejects.toThrow('given up');
    }
    expect(at.breaker.circuit()).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('does not take a trial that was given up for an answer', async () => {
    const at = stand();
    await opened(at);
    at.clock.ms += 60_000;
    await expect(given(at.breaker)).rejects.toThrow('given up');
    expect(at.breaker.circuit().state).toBe('open');
  });
});

function given(breaker: Breaker): Promise<never> {
  return breaker.run(
    () => Promise.reject(new Error('given up')),
    () => ({ unknown: true }),
  );
}

describe('the HTTP client beside a host in trouble', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function host(answer: () => number | null) {
    let asked = 0;
    const server: Loopback = await serve((request, response) => {
      asked += 1;
      const status = answer();
      if (status === null) request.socket.destroy();
      else response.writeHead(status).end('{}');
    });
    const clock = { ms: start };
    const http = createHttp({ now: () => clock.ms });
    closing.push(
      () => http.close(),
      () => server.stop(),
    );
    return { server, clock, http, asked: () => asked };
  }
  const request = (http: Http, url: string, intent: 'read' | 'write' = 'read', accept?: () => boolean) =>
    http.request({ method: 'PUT', url, timeoutMs: 5_000, intent, ...(accept ? { accept } : {}) });

  async function fails(at: Awaited<ReturnType<typeof host>>, times: number, accept?: () => boolean) {
    for (let i = 0; i < times; i += 1) {
      await request(at.http, `${at.server.url}/split`, 'read', accept).catch((error: unknown) => error);
      at.clock.ms += 1_000;
    }
  }

  it('asks it no more after five 5xx, also where the caller takes them as answers; other hosts are asked as before', async () => {
    const at = await host(() => 503);
    const other = await host(() => 200);
    await fails(at, 5, () => true);
    const error = await failure(request(at.http, `${at.server.url}/other?token=query-secret`, 'write'));
    expect(error).toMatchObject({ failure: 'retryable', retryAfterMs: 1_000 });
    expect(error.message).toContain(
      `${at.server.url} has not answered 5 times in a row (last: PUT ${at.server.url}/split`,
    );
    expect(error.message).not.toContain('query-secret');
    expect(at.asked()).toBe(5);
    expect((await request(at.http, `${other.server.url}/`)).status).toBe(200);
    expect(at.http.circuits().map(({ state }) => state)).toEqual(['open', 'closed']);
    at.clock.ms += 1_000;
    await failure(request(at.http, `${at.server.url}/split`));
    expect(at.asked()).toBe(6);
  });

  it.each([400, 401, 404, 409, 429, 302])('counts %i as an answer', async (status) => {
    const at = await host(() => status);
    await fails(at, 12);
    expect(at.asked()).toBe(12);
    expect(at.http.circuits()).toMatchObject([{ state: 'closed', failures: 0 }]);
  });

  it('keeps what a lost write may have done apart from what was not sent', async () => {
    const at = await host(() => null);
    const kinds: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      const error = await failure(request(at.http, `${at.server.url}/split`, 'write'));
      kinds.push(error.failure);
      if (i === 5) expect(error.message).not.toContain('may have taken effect');
      at.clock.ms += 1_000;
    }
    expect(kinds).toEqual(['ambiguous', 'ambiguous', 'ambiguous', 'ambiguous', 'ambiguous', 'retryable']);
    expect(at.asked()).toBe(5);
  });

  it('does not hold calls that were given up against the host', async () => {
    const at = await host(() => 200);
    for (let i = 0; i < 10; i += 1) {
      await failure(
        at.http.request({ method: 'GET', url: at.server.url, timeoutMs: 5_000, intent: 'read' }, AbortSignal.abort()),
      );
      at.clock.ms += 1_000;
    }
    expect((await request(at.http, at.server.url)).status).toBe(200);
  });
});
