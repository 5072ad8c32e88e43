import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/analysis/types.ts';
import { createPrometheusSource } from '../../src/sources/prometheus.ts';
import { type AskedQuery, fakePrometheus, growing } from './fake-prometheus.ts';
import { endpoint, metric, until } from './support.ts';

/** Looks whose selectors name their service: what thousands of rollouts are read by. */

const WINDOW_MS = 30_000;
const BEGAN_MS = Date.UTC(2026, 10, 20, 12);
const share = (bad: string, total = 't', name = bad): Metric =>
  metric(
    {
      kind: 'proportion',
      bad: `${bad}{s="{{service}}",v="{{version}}"}`,
      good: null,
      total: `${total}{s="{{service}}",v="{{version}}"}`,
    },
    name,
  );

function setUp(options: { mostRequests?: number; answer?: (asked: AskedQuery) => object[] } = {}) {
  const clock = { nowMs: BEGAN_MS + 20 * WINDOW_MS + 10_000 };
  const fake = fakePrometheus(options.answer ?? ((asked) => [growing(asked, asked.query.startsWith('t') ? 100 : 1)]));
  const source = createPrometheusSource({
    http: fake.http,
    endpoint: endpoint('http://prometheus'),
    now: () => clock.nowMs,
    gatherMs: 0,
    ...(options.mostRequests === undefined ? {} : { mostRequests: options.mostRequests }),
  });
  const look = (metrics: readonly Metric[], service = 'ranker', signal = new AbortController().signal) =>
    source.read(
      {
        service,
        stable: 'v41',
        candidate: 'v42',
        metrics,
        windowMs: WINDOW_MS,
        period: {
          fromMs: BEGAN_MS,
          toMs: clock.nowMs,
          healthyFromMs: BEGAN_MS,
          restartsAtMs: [],
          beforeOffsetMs: 40 * WINDOW_MS,
          against: 'stable',
        },
      },
      signal,
    );
  const queries = () => fake.asked.splice(0).map((a) => [a.query, (a.endMs - a.startMs) / a.stepMs] as const);
  return { ...fake, clock, look, queries };
}

describe('a look that names its service', () => {
  it('asks for what is new of both arms in one query a selector, and for what metrics share once', async () => {
    const { look, queries, clock } = setUp();
    const metrics = [share('a'), share('b'), share('c')];
    const first = await look(metrics);
    expect(queries()).toHaveLength(8);
    clock.nowMs += WINDOW_MS;
    const second = await look(metrics);
    const both = (name: string) => `${name}{s="ranker",v=~"v41|v42"}`;
    // The new window, and two that were too young before: the past ends a window later as well.
    expect(queries().sort()).toEqual(
      ['a', 'b', 'c', 't']
        .flatMap((name) => [[both(name), 3] as const, [`${name}{s="ranker",v="v41"}`, 1] as const])
        .sort(),
    );
    for (const [samples, windows] of [
      [first, 20],
      [second, 21],
    ] as const) {
      for (const { stableNow, candidateNow, missing } of samples) {
        expect(missing).toBe(null);
        for (const arm of [stableNow, candidateNow]) {
          expect(arm?.kind === 'counts' && arm.windows).toHaveLength(windows);
          expect(arm?.kind === 'counts' && arm.windows.at(-1)).toMatchObject({ events: 30, exposure: 3000 });
        }
      }
    }
  });

  it('sends no more than it may; what metrics share counts once', async () => {
    // Three of each arm's metrics: stable, past and candidate of a and t are six, and b's are three more.
    const { look } = setUp({ mostRequests: 9 });
    const [a, b, c] = await look([share('a'), share('b'), share('c')]);
    expect([a?.missing, b?.missing]).toEqual([null, null]);
    expect(c?.missing).toContain('stable, stable before, candidate: the look would have taken more than 9 queries');
  });

  it('that stops waiting is told so at once, stops nobody else, and reads as ever afterwards', async () => {
    const { look, hold, release, queries, open, calledOff, clock } = setUp();
    await look([share('a')]);
    await look([share('a')], 'search');
    clock.nowMs += WINDOW_MS;
    queries();
    hold();
    const stop = new AbortController();
    const stopped = look([share('a')], 'ranker', stop.signal);
    const stays = look([share('a')], 'search');
    await until(() => open() > 0);
    stop.abort();
    const [none] = await stopped;
    expect(none).toMatchObject({ stableNow: null, candidateNow: null });
    expect(none?.missing).toContain('the look was stopped');
    release();
    expect((await stays)[0]?.missing).toBe(null);
    expect(calledOff()).toBe(0);
    queries();
    const [again] = await look([share('a')]);
    expect(again?.stableNow?.kind === 'counts' && again.stableNow.windows).toHaveLength(21);
    expect(queries().every(([, windows]) => windows < 5)).toBe(true);
  });

  it('is called off with the last one who waits', async () => {
    const { look, hold, open, calledOff } = setUp();
    hold();
    const stop = new AbortController();
    const looks = [look([share('a')], 'ranker', stop.signal), look([share('a')], 'search', stop.signal)];
    await until(() => open() > 0);
    stop.abort();
    await Promise.all(looks);
    await until(() => open() === 0);
    expect(calledOff()).toBeGreaterThan(0);
  });

  it('reads all anew in the same look where what is kept does not fit any more', async () => {
    let lost = 0;
    const { look, queries, clock } = setUp({
      answer: (asked) => {
        const values: [number, string][] = [];
        for (let ms = asked.startMs; ms <= asked.endMs; ms += asked.stepMs)
          values.push([ms / 1000, String(ms / 10 - lost)]);
        return [{ metric: {}, values }];
      },
    });
    await look([share('a')]);
    clock.nowMs += WINDOW_MS;
    lost = 1;
    queries();
    const [seen] = await look([share('a')]);
    expect(seen?.missing).toBe(null);
    expect(seen?.stableNow?.kind === 'counts' && seen.stableNow.windows).toHaveLength(21);
    expect(queries().some(([, windows]) => windows === 21)).toBe(true);
  });

  it('of the same arm twice at the same moment reads it twice, and counts it once', async () => {
    const { look, clock } = setUp();
    await look([share('a')]);
    for (let k = 0; k < 3; k += 1) {
      clock.nowMs += WINDOW_MS;
      const [one, two] = await Promise.all([look([share('a')]), look([share('a')])]);
      const windows = [one, two].map((samples) =>
        samples[0]?.stableNow?.kind === 'counts' ? samples[0].stableNow.windows : [],
      );
      expect(windows[0]).toHaveLength(21 + k);
      expect(windows[0]).toEqual(windows[1]);
    }
  });
});
