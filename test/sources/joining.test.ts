import { describe, expect, it } from 'vitest';
import { PortError } from '../../src/ports/failure.ts';
import { createBatch } from '../../src/sources/asking.ts';
import type { Found } from '../../src/sources/found.ts';
import { prometheusApi } from '../../src/sources/prometheus-api.ts';
import { evaluator, type Stored } from './evaluator.ts';
import { endpoint, until } from './support.ts';

const STEP_MS = 30_000;
const NOW_MS = 1_795_220_400_000;
const stretch = { startMs: NOW_MS - 1_200_000, endMs: NOW_MS, stepMs: STEP_MS };
const query = (service: string, version = 'v41') => `t{service="${service}",version="${version}"}`;
const signal = () => new AbortController().signal;
const names = (n: number) => Array.from({ length: n }, (_, k) => `s${k}`);

/** A counter every fifteen seconds over an hour. */
function series(service: string, version = 'v41', toMs = NOW_MS): Stored {
  const samples = Array.from({ length: 240 }, (_, k): [number, string] => [NOW_MS - 3_600_000 + k * 15_000, String(k)]);
  return { labels: { __name__: 't', service, version }, samples: samples.filter(([at]) => at <= toMs) };
}

function setUp(stored: Stored[], { mostRequests = 120, mostKeptBytes = 1e7, gatherMs = 0 } = {}) {
  const server = evaluator(() => stored);
  const clock = { nowMs: NOW_MS + 600_000 };
  const api = prometheusApi(server.http, endpoint('http://prometheus'), 1000);
  const batch = createBatch(api, { now: () => clock.nowMs, gatherMs, mostKeptBytes });
  const ask = (services: readonly string[], stop: AbortSignal = signal()) =>
    Promise.all(services.map((service) => batch.look(mostRequests).ask(query(service), stretch, stop)));
  const queries = () => server.asked.splice(0).map((a) => a.query);
  return { server, clock, batch, ask, queries };
}

const servicesIn = (found: Found) => (found.ok ? found.value.map((s) => s.labels.service) : found.problem);
const joined = (services: readonly string[]) => `t{service=~"${services.join('|')}",version="v41"}`;
const refusal = (status: number, error: string) => ({
  status,
  body: { status: 'error', errorType: 'execution', error },
});

describe('queries of several services', () => {
  it('are one, and each gets its own', async () => {
    const { ask, queries } = setUp(names(3).map((s) => series(s)));
    const found = await ask(['s0', 's2', 'nowhere']);
    expect(found.map(servicesIn)).toEqual([['s0'], ['s2'], []]);
    expect(queries()).toEqual([joined(['s0', 's2', 'nowhere'])]);
  });

  it('are no longer than a hundred values a label', async () => {
    const { ask, queries } = setUp(names(250).map((s) => series(s)));
    const found = await ask(names(250));
    expect(found.map(servicesIn)).toEqual(names(250).map((s) => [s]));
    expect(queries().map((q) => q.split('|').length)).toEqual([100, 100, 50]);
  });

  it('wait for each other where others ask for the like; one by itself waits for nobody', async () => {
    const { batch, queries } = setUp(
      names(4).map((s) => series(s)),
      { gatherMs: 200, mostKeptBytes: 0 },
    );
    const one = (service: string) => batch.look(9).ask(query(service), stretch, signal());
    await one('s0');
    await one('s1');
    expect(queries()).toHaveLength(2);
    const first = one('s2');
    await new Promise((turn) => setImmediate(turn));
    await Promise.all([first, one('s3')]);
    expect(queries()).toEqual([joined(['s2', 's3'])]);
  });

  it('over stretches that lie far apart are two', async () => {
    const { batch, queries } = setUp([series('s0'), series('s1')]);
    const early = { ...stretch, startMs: NOW_MS - 3_600_000, endMs: NOW_MS - 3_000_000 };
    const nearly = { ...stretch, startMs: stretch.startMs - STEP_MS };
    const look = batch.look(9);
    await Promise.all([look.ask(query('s0'), early, signal()), look.ask(query('s1'), stretch, signal())]);
    expect(queries()).toEqual([query('s0'), query('s1')]);
    await Promise.all([look.ask(query('s0'), nearly, signal()), look.ask(query('s2'), stretch, signal())]);
    expect(queries()).toEqual([joined(['s0', 's2'])]);
  });

  it('count for each look against what it may send', async () => {
    const { batch } = setUp(names(3).map((s) => series(s)));
    const look = batch.look(2);
    const found = await Promise.all(names(3).map((s) => look.ask(query(s), stretch, signal())));
    expect(found.map((f) => f.ok)).toEqual([true, true, false]);
    expect(servicesIn(await batch.look(2).ask(query('s2'), stretch, signal()))).toEqual(['s2']);
  });
});

describe('a joined query that fails', () => {
  it.each([
    [400, 'parse error'],
    [422, 'query processing would load too many samples into memory'],
    [413, 'too large'],
  ])(
    'with %i: each is asked by itself once, and only what is one’s own fault is its failure',
    async (status, error) => {
      const { ask, server, queries } = setUp(names(3).map((s) => series(s)));
      server.intercept = async (q) => (q.includes('s1') ? refusal(status, error) : null);
      const found = await ask(names(3));
      expect(found.map(servicesIn)).toEqual([['s0'], expect.stringContaining(error), ['s2']]);
      expect(queries()).toEqual([joined(names(3)), ...names(3).map((s) => query(s))]);
      // And the next ones are not joined again at once.
      const next = await ask(['s3', 's4']);
      expect(next.map(servicesIn)).toEqual([[], []]);
      expect(queries()).toEqual([query('s3'), query('s4')]);
    },
  );

  it('for the length of its answer: each is asked by itself', async () => {
    const { ask, server } = setUp(names(2).map((s) => series(s)));
    server.intercept = async (q) => {
      if (q.includes('|')) throw new PortError('permanent', 'POST http://p answered with more than 64 MiB.');
      return null;
    };
    expect((await ask(names(2))).map(servicesIn)).toEqual([['s0'], ['s1']]);
  });

  it('after some minutes they are joined again', async () => {
    const { ask, server, clock, queries } = setUp(names(9).map((s) => series(s)));
    server.intercept = async () => refusal(422, 'too many samples');
    await ask(names(4));
    server.intercept = async () => null;
    queries();
    await ask(['s4', 's5']);
    expect(queries()).toHaveLength(2);
    clock.nowMs += 300_000;
    await ask(['s6', 's7']);
    expect(queries()).toHaveLength(1);
  });

  it('because the server is unwell fails all, and nobody asks again; the next are fewer', async () => {
    const { ask, server, queries } = setUp(names(8).map((s) => series(s)));
    server.intercept = async () => refusal(503, 'query timed out in expression evaluation');
    const found = await ask(names(4));
    expect(found.map((f) => !f.ok && f.problem)).toEqual(names(4).map(() => expect.stringContaining('timed out')));
    expect(queries()).toHaveLength(1);
    server.intercept = async () => null;
    await ask(names(8));
    expect(queries()).toHaveLength(4);
  });

  it('in time fails all alike', async () => {
    const { ask, server, queries } = setUp([]);
    server.intercept = async () => {
      throw new PortError('retryable', 'POST http://p did not answer within 1 s.');
    };
    const found = await ask(names(3));
    expect(found.every((f) => !f.ok && f.problem.includes('did not answer within 1 s'))).toBe(true);
    expect(queries()).toHaveLength(1);
  });

  it('in part is no data for anybody', async () => {
    const { ask, server } = setUp([]);
    const data = { resultType: 'matrix', result: [] };
    server.intercept = async () => ({ status: 200, body: { status: 'success', data, warnings: ['store-0 is down'] } });
    const found = await ask(names(2));
    expect(found.map((f) => !f.ok && f.problem)).toEqual(
      names(2).map(() => expect.stringContaining('store-0 is down')),
    );
  });
});

describe('an answer to a joined query', () => {
  it.each([
    ['without the labels', { pod: 'a' }],
    ['with others than were asked for', { service: 's0|s1', version: 'v41' }],
  ])('%s is not believed: each is asked by itself', async (_name, metric) => {
    const { ask, server, queries } = setUp([]);
    const data = { resultType: 'matrix', result: [{ metric, values: [[NOW_MS / 1000, '7']] }] };
    server.intercept = async () => ({ status: 200, body: { status: 'success', data } });
    const found = await ask(names(2));
    expect(found.map((f) => f.ok && f.value.map((s) => s.labels))).toEqual([[metric], [metric]]);
    expect(queries()).toHaveLength(3);
  });

  it('may have series between the services that nobody asked for; with too many of them fewer are joined', async () => {
    const versions = Array.from({ length: 20 }, (_, k) => `v${k}`);
    const { batch, queries } = setUp(
      names(20).flatMap((s) => versions.map((v) => series(s, v))),
      { mostKeptBytes: 0 },
    );
    const pairs = names(20).map((s, k) => query(s, `v${k}`));
    const round = (at: typeof stretch) => Promise.all(pairs.map((q) => batch.look(9).ask(q, at, signal())));
    for (const found of await round(stretch)) expect(found.ok && found.value).toHaveLength(1);
    expect(queries()).toHaveLength(1);
    for (const found of await round({ ...stretch, endMs: NOW_MS - STEP_MS }))
      expect(found.ok && found.value).toHaveLength(1);
    expect(queries()).toHaveLength(4);
  });
});

describe('one who stops waiting', () => {
  it('stops nobody else; the last one stops the query', async () => {
    const { batch, server } = setUp(names(2).map((s) => series(s)));
    let letGo: () => void = () => undefined;
    let calledOff = 0;
    server.intercept = async (_query, called) => {
      await new Promise<void>((go) => {
        letGo = go;
        called?.addEventListener('abort', () => {
          calledOff += 1;
          go();
        });
      });
      return null;
    };
    const both = () => {
      const stops = [new AbortController(), new AbortController()];
      const found = stops.map((stop, k) => batch.look(9).ask(query(`s${k}`), stretch, stop.signal));
      return { stops, found };
    };
    const first = both();
    await until(() => server.asked.length === 1);
    first.stops[0]?.abort();
    expect(await first.found[0]).toMatchObject({ ok: false, wasAnswered: false });
    expect(calledOff).toBe(0);
    letGo();
    expect(await first.found[1]).toMatchObject({ ok: true, value: { length: 1 } });
    const second = both();
    await until(() => server.asked.length === 2);
    for (const stop of second.stops) stop.abort();
    await Promise.all(second.found);
    expect(calledOff).toBe(1);
  });

  it('before its query is sent is not asked for', async () => {
    const { batch, queries } = setUp(names(2).map((s) => series(s)));
    const stop = new AbortController();
    const left = batch.look(9).ask(query('s0'), stretch, stop.signal);
    const stays = batch.look(9).ask(query('s1'), stretch, signal());
    stop.abort();
    await Promise.all([left, stays]);
    expect(queries()).toEqual([query('s1')]);
  });
});
