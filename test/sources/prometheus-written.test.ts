import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CountWindow, LookPeriod, Metric, Series } from '../../src/analysis/types.ts';
import { createHttp, type Http } from '../../src/outbound/http.ts';
import { createPrometheusSource } from '../../src/sources/prometheus.ts';
import { prometheusPath, type RunningPrometheus, startPrometheus } from '../support/prometheus.ts';
import { remoteWrite, type WrittenSeries } from './remote-write.ts';
import { endpoint, metric } from './support.ts';

/** A whole hour, so that windows of every length end there. */
const END_MS = Date.UTC(2025, 5, 3, 12);
const WINDOW_MS = 30_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SCRAPE_MS = 15_000;
/** Scrapes lie somewhere between the windows' ends. */
const PHASE_MS = 7_000;
const BOUND = (index: number) => 2 ** (index / 8);

/** Numbers that are the same at every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** A counter as a process keeps it, and what truly happened: how much was added until each scrape. */
interface Counter extends WrittenSeries {
  readonly added: readonly (readonly [ms: number, n: number])[];
}

interface Run {
  readonly seed: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly most: number;
  readonly everyMs?: number;
  /** The process restarts before this scrape. */
  readonly restartAtMs?: number;
}

function counter(labels: Record<string, string>, { seed, fromMs, toMs, most, everyMs, restartAtMs }: Run): Counter {
  const next = numbers(seed);
  const samples: [number, number][] = [];
  const added: [number, number][] = [];
  let value = 0;
  for (let ms = fromMs; ms <= toMs; ms += everyMs ?? SCRAPE_MS) {
    const n = next(most);
    if (ms === restartAtMs) value = 0;
    value += n;
    samples.push([ms, value]);
    added.push([ms, n]);
  }
  return { labels, samples, added };
}

/** What was added in the window; the first scrape of a series nobody saw before is where counting begins. */
function truth(counters: readonly Counter[], endMs: number, windowMs: number): number {
  let sum = 0;
  for (const { added } of counters) for (const [ms, n] of added) if (ms > endMs - windowMs && ms <= endMs) sum += n;
  return sum;
}

const recent = { fromMs: END_MS - 4 * HOUR_MS + PHASE_MS, toMs: END_MS };
const restartAtMs = END_MS - HOUR_MS + PHASE_MS;
const shift = { ...recent, fromMs: END_MS - 2 * HOUR_MS - 10 * MINUTE_MS + PHASE_MS };

const labels = (name: string, version: string, more: Record<string, string> = {}) => ({
  __name__: name,
  service: 'ranker',
  version,
  instance: `${version}-a`,
  ...more,
});

/** Requests of fifteen days: v40 until a day ago, v41 since, v42 beside it for two hours. */
const requests = {
  v40: counter(labels('requests_total', 'v40'), {
    seed: 1,
    fromMs: END_MS - 16 * DAY_MS,
    toMs: END_MS - DAY_MS,
    most: 90_000,
    everyMs: 5 * MINUTE_MS,
    restartAtMs: END_MS - 5 * DAY_MS + 5 * MINUTE_MS,
  }),
  v41: counter(labels('requests_total', 'v41'), {
    seed: 2,
    fromMs: END_MS - DAY_MS + 5 * MINUTE_MS,
    toMs: END_MS - 4 * HOUR_MS,
    most: 90_000,
    everyMs: 5 * MINUTE_MS,
  }),
  v41Recent: counter(labels('requests_total', 'v41', { instance: 'v41-b' }), {
    ...recent,
    seed: 3,
    most: 3000,
    restartAtMs,
  }),
  v42: counter(labels('requests_total', 'v42'), { ...shift, seed: 4, most: 300 }),
};
const errors = {
  v40: counter(labels('errors_total', 'v40'), {
    seed: 5,
    fromMs: END_MS - 16 * DAY_MS,
    toMs: END_MS - DAY_MS,
    most: 200,
    everyMs: 5 * MINUTE_MS,
  }),
  v41: counter(labels('errors_total', 'v41', { instance: 'v41-b' }), { ...recent, seed: 6, most: 20, restartAtMs }),
};
/** v42 has no false alarm yet, so there is no series of them. */
const cells = {
  stable: ['tp', 'fp', 'fn', 'tn'].map((cell, k) =>
    counter(labels(`labels_${cell}_total`, 'v41'), {
      ...recent,
      seed: 10 + k,
      most: [90, 9, 12, 300][k] ?? 0,
      restartAtMs,
    }),
  ),
  candidate: ['tp', 'fn', 'tn'].map((cell, k) =>
    counter(labels(`labels_${cell}_total`, 'v42'), { ...shift, seed: 20 + k, most: [90, 12, 300][k] ?? 0 }),
  ),
};
const bins = {
  stable: ['DE', 'FR'].map((country, k) =>
    counter(labels('feature_total', 'v41', { country }), { ...recent, seed: 30 + k, most: 100 }),
  ),
  candidate: ['DE', 'XX'].map((country, k) =>
    counter(labels('feature_total', 'v42', { country }), { ...shift, seed: 40 + k, most: 100 }),
  ),
};

/** A native histogram: what fell into its buckets until each scrape; from `coarseFromMs` on in buckets twice as wide. */
function native(version: string, run: Run & { readonly slower: number; readonly coarseFromMs?: number }) {
  const next = numbers(run.seed);
  const histograms: [number, { schema: number; buckets: Map<number, number> }][] = [];
  const added: { ms: number; index: number; n: number }[] = [];
  let buckets = new Map<number, number>();
  for (let ms = run.fromMs; ms <= run.toMs; ms += SCRAPE_MS) {
    if (ms === run.restartAtMs) buckets = new Map();
    // Around 2^(-24/8) = 0.125 s, in buckets from 0.044 s to 1 s.
    for (let k = 0; k < 40; k += 1) {
      const index = -36 + run.slower + next(12) + next(12) + next(12);
      buckets.set(index, (buckets.get(index) ?? 0) + 1);
      added.push({ ms, index, n: 1 });
    }
    const coarse = run.coarseFromMs !== undefined && ms >= run.coarseFromMs;
    histograms.push([ms, { schema: coarse ? 2 : 3, buckets: coarse ? merged(buckets) : new Map(buckets) }]);
  }
  return { labels: labels('latency_seconds', version), histograms, added };
}

/** Buckets 2i-1 and 2i of one resolution are bucket i of the next coarser one. */
function merged(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const out = new Map<number, number>();
  for (const [index, n] of buckets) out.set(Math.ceil(index / 2), (out.get(Math.ceil(index / 2)) ?? 0) + n);
  return out;
}

const coarseFromMs = END_MS - 20 * MINUTE_MS + PHASE_MS;
const latencies = {
  stable: native('v41', { ...recent, seed: 50, most: 0, slower: 0, restartAtMs }),
  candidate: native('v42', { ...shift, seed: 51, most: 0, slower: 4, coarseFromMs }),
};

const q = (name: string) => `${name}{service="{{service}}",version="{{version}}"}`;
const objective = metric({
  kind: 'objective',
  bad: q('errors_total'),
  good: null,
  total: q('requests_total'),
  allowed: 0.01,
});
const f1 = metric({
  kind: 'labelled',
  measure: 'f1',
  truePositives: q('labels_tp_total'),
  falsePositives: q('labels_fp_total'),
  falseNegatives: q('labels_fn_total'),
  trueNegatives: null,
});

const windowsOf = (series: Series | null | undefined): readonly CountWindow[] =>
  series?.kind === 'counts' ? series.windows : [];
const tailsOf = (series: Series | null | undefined) => (series?.kind === 'tails' ? series.bounds : []);
const binsOf = (series: Series | null | undefined) => (series?.kind === 'bins' ? series.bins : []);

describe.skipIf(prometheusPath === null)(
  'a real Prometheus with days of data (skipped: prometheus is not installed)',
  () => {
    let prometheus: RunningPrometheus;
    let sent = 0;
    const http = createHttp();
    const counting: Http = {
      request: (request, signal) => {
        sent += 1;
        return http.request(request, signal);
      },
    };

    beforeAll(async () => {
      prometheus = await startPrometheus({
        scrapeTargets: [],
        scrapeIntervalMs: 60_000,
        evaluationIntervalMs: 60_000,
        args: ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'],
      });
      await remoteWrite(prometheus.url, [
        ...Object.values(requests),
        ...Object.values(errors),
        ...cells.stable,
        ...cells.candidate,
        ...bins.stable,
        ...bins.candidate,
        latencies.stable,
        latencies.candidate,
      ]);
    });

    afterAll(async () => {
      await prometheus?.stop();
      http.close();
    });

    async function read(metrics: readonly Metric[], over: Partial<LookPeriod> = {}) {
      sent = 0;
      const fromMs = END_MS - 2 * HOUR_MS;
      const source = createPrometheusSource({ http: counting, endpoint: endpoint(prometheus.url) });
      return source.read(
        {
          service: 'ranker',
          stable: 'v41',
          candidate: 'v42',
          metrics,
          windowMs: WINDOW_MS,
          period: {
            fromMs,
            toMs: END_MS + 10_000,
            healthyFromMs: fromMs,
            restartsAtMs: [],
            beforeOffsetMs: 2 * HOUR_MS,
            against: 'stable',
            ...over,
          },
        },
        new AbortController().signal,
      );
    }

    it('labelled answers: wrong ones of all, over a restart, and a cell without a series has counted nothing', async () => {
      const [seen] = await read([f1]);
      expect(seen?.missing).toBeNull();
      const [tp, fp, fn] = cells.stable.map((c) => [c]);
      const stable = windowsOf(seen?.stableNow);
      expect(stable).toHaveLength(240);
      expect(stable).toEqual(
        stable.map(({ endMs }) => {
          const at = (counters: Counter[] = []) => truth(counters, endMs, WINDOW_MS);
          return { endMs, events: at(fp) + at(fn), exposure: 2 * at(tp) + at(fp) + at(fn) };
        }),
      );
      const candidate = windowsOf(seen?.candidateNow);
      expect(candidate).toHaveLength(240);
      const [ctp, cfn] = cells.candidate.map((c) => [c]);
      expect(candidate).toEqual(
        candidate.map(({ endMs }) => {
          const at = (counters: Counter[] = []) => truth(counters, endMs, WINDOW_MS);
          return { endMs, events: at(cfn), exposure: 2 * at(ctp) + at(cfn) };
        }),
      );
    });

    it('an objective: both arms, and the error budget of the whole service over three days, whichever version ran', async () => {
      const [seen] = await read([objective]);
      expect(seen?.missing).toBeNull();
      expect(windowsOf(seen?.candidateNow).every((w) => w.events === 0 && w.exposure > 0)).toBe(true);
      const budget = windowsOf(seen?.budget);
      expect(budget).toHaveLength(864);
      expect(budget[0]?.endMs).toBe(END_MS - 3 * DAY_MS + 5 * MINUTE_MS);
      expect(budget).toEqual(
        budget.map(({ endMs }) => ({
          endMs,
          events: truth(Object.values(errors), endMs, 5 * MINUTE_MS),
          exposure: truth(Object.values(requests), endMs, 5 * MINUTE_MS),
        })),
      );
    });

    it('history: an hour a window over fifteen days, whichever version ran, where the tolerance is learned', async () => {
      const source: Metric['source'] = {
        kind: 'proportion',
        bad: q('errors_total'),
        good: null,
        total: q('requests_total'),
      };
      const learned = { ...metric(source), tolerance: { ...metric(source).tolerance, fromHistory: true } };
      const [seen, plain] = await read([learned, metric(source, 'plain')]);
      expect(plain).not.toHaveProperty('history');
      const history = windowsOf(seen?.history);
      expect(history).toHaveLength(360);
      // The restart of v40 lost what it had counted in that hour before it.
      const lost = END_MS - 5 * DAY_MS + HOUR_MS;
      const told = history.filter((w) => w.endMs !== lost);
      expect(told).toEqual(
        told.map(({ endMs }) => ({
          endMs,
          events: truth(Object.values(errors), endMs, HOUR_MS),
          exposure: truth(Object.values(requests), endMs, HOUR_MS),
        })),
      );
    });

    it('drift: bins that one arm has not seen it has seen 0 times', async () => {
      const drift = metric({ kind: 'drift', counts: q('feature_total'), by: 'country' });
      const [seen] = await read([drift]);
      const [stable, candidate] = [binsOf(seen?.stableNow), binsOf(seen?.candidateNow)];
      expect(stable.map((b) => b.bin)).toEqual(['DE', 'FR', 'XX']);
      expect(candidate.map((b) => b.bin)).toEqual(['DE', 'FR', 'XX']);
      expect(stable[2]?.windows).toHaveLength(240);
      expect(stable[2]?.windows.every((w) => w.events === 0 && w.exposure > 0)).toBe(true);
      const last = { endMs: END_MS, exposure: truth(bins.candidate, END_MS, WINDOW_MS) };
      expect(candidate.map((b) => b.windows.at(-1))).toEqual([
        { ...last, events: truth(bins.candidate.slice(0, 1), END_MS, WINDOW_MS) },
        { ...last, events: 0 },
        { ...last, events: truth(bins.candidate.slice(1), END_MS, WINDOW_MS) },
      ]);
    });

    it('a split: requests of each arm', async () => {
      const [seen] = await read([metric({ kind: 'split', requests: q('requests_total'), slack: 0.1 })]);
      for (const [series, counters] of [
        [seen?.stableNow, [requests.v41Recent]],
        [seen?.candidateNow, [requests.v42]],
      ] as const) {
        const windows = windowsOf(series);
        expect(windows).toHaveLength(240);
        for (const w of windows)
          expect(w).toEqual({ endMs: w.endMs, events: w.exposure, exposure: truth(counters, w.endMs, WINDOW_MS) });
      }
    });

    it.each([
      ['six bounds with a telling tail', []],
      ['the bounds of the policy, at the nearest boundary', [0.1, 0.25, 0.3]],
    ])(
      'native histograms: %s, the same in both arms, over a restart and a coarser resolution',
      async (_name, asked) => {
        const latency = metric({ kind: 'latency', buckets: q('latency_seconds'), bounds: asked });
        const [seen] = await read([latency]);
        expect(seen?.missing).toBeNull();
        const stable = tailsOf(seen?.stableNow);
        // Where the candidate was counted in coarser buckets only every other boundary is left: 2^(i/4).
        const bounds = stable.map((t) => t.bound);
        for (const bound of bounds) expect((Math.log2(bound) * 4) % 1).toBeCloseTo(0, 9);
        if (asked.length > 0)
          expect(bounds).toEqual([2 ** (-13 / 4), 2 ** -2, 2 ** (-7 / 4)].map((b) => expect.closeTo(b, 12)));
        else expect(bounds.length).toBeGreaterThanOrEqual(5);
        for (const [series, arm] of [
          [seen?.stableNow, latencies.stable],
          [seen?.candidateNow, latencies.candidate],
        ] as const) {
          const tails = tailsOf(series);
          expect(tails.map((t) => t.bound)).toEqual(bounds);
          for (const { bound, windows } of tails) {
            expect(windows).toHaveLength(240);
            const within = new Map<number, { events: number; exposure: number }>();
            for (const { ms, index, n } of arm.added) {
              const endMs = Math.ceil(ms / WINDOW_MS) * WINDOW_MS;
              const at = within.get(endMs) ?? { events: 0, exposure: 0 };
              at.exposure += n;
              if (BOUND(index) > bound * (1 + 1e-9)) at.events += n;
              within.set(endMs, at);
            }
            expect(windows).toEqual(windows.map(({ endMs }) => ({ endMs, ...within.get(endMs) })));
          }
        }
        if (asked.length === 0) {
          const shares = stable.map(({ windows }) => {
            const sum = (of: 'events' | 'exposure') => windows.reduce((total, w) => total + w[of], 0);
            return sum('events') / sum('exposure');
          });
          for (const share of shares) {
            expect(share).toBeGreaterThanOrEqual(0.001);
            expect(share).toBeLessThanOrEqual(0.92);
          }
        }
      },
    );

    it('native histograms by their buckets are a distribution as well', async () => {
      const [seen] = await read([metric({ kind: 'drift', counts: q('latency_seconds'), by: 'le' })]);
      const stable = binsOf(seen?.stableNow);
      expect(stable.length).toBeGreaterThanOrEqual(5);
      expect(binsOf(seen?.candidateNow).map((b) => b.bin)).toEqual(stable.map((b) => b.bin));
      const last = stable.map((b) => b.windows.at(-1));
      expect(last.reduce((sum, w) => sum + (w?.events ?? 0), 0)).toBe(last[0]?.exposure);
    });

    it('a scrape that is stored late shortens no window: the newest is read once it has settled', async () => {
      const until = (toMs: number) => ({ seed: 60, fromMs: END_MS - HOUR_MS + PHASE_MS, toMs, most: 300 });
      const lateMs = END_MS - SCRAPE_MS + PHASE_MS;
      // Both scraped at the same moments; the last one of v42 is not stored yet when the window ends.
      const stable = counter(labels('late_total', 'v41'), until(lateMs));
      const candidate = counter(labels('late_total', 'v42'), until(lateMs));
      const inTime = candidate.samples?.filter(([ms]) => ms < lateMs) ?? [];
      await remoteWrite(prometheus.url, [stable, { ...candidate, samples: inTime }]);
      const split = metric({ kind: 'split', requests: q('late_total'), slack: 0.1 });
      const arms = async (afterMs: number) => {
        const [seen] = await read([split], { fromMs: END_MS - 20 * MINUTE_MS, toMs: END_MS + afterMs });
        return [windowsOf(seen?.stableNow).at(-1), windowsOf(seen?.candidateNow).at(-1)];
      };
      const newest = truth([stable], END_MS, WINDOW_MS);
      const before = truth([stable], END_MS - WINDOW_MS, WINDOW_MS);
      const whole = (endMs: number, n: number) => [1, 2].map(() => ({ endMs, events: n, exposure: n }));
      // What it would be to read it at once.
      const short = await arms(10_000);
      expect(short[0]?.exposure).toBe(newest);
      expect(short[1]?.exposure).toBeLessThan(newest);
      expect(await arms(1000)).toEqual(whole(END_MS - WINDOW_MS, before));
      await remoteWrite(prometheus.url, [
        { ...candidate, samples: candidate.samples?.filter(([ms]) => ms === lateMs) ?? [] },
      ]);
      expect(await arms(5000)).toEqual(whole(END_MS, newest));
    });

    it('a series that has ended has no windows; one that has not is held for its lookback', async () => {
      const at = (minutes: number) => END_MS - minutes * MINUTE_MS;
      const values = [20, 19, 18, 17, 16, 15].map((m): [number, number] => [at(m), m]);
      await remoteWrite(prometheus.url, [
        { labels: labels('depth', 'v41'), samples: [...values, [at(14), Number.NaN]] },
        { labels: labels('depth', 'v42'), samples: values },
      ]);
      const depth = metric({ kind: 'gauge', value: q('depth') });
      const [seen] = await read([depth], { fromMs: at(20) - WINDOW_MS });
      const lastOf = (series: Series | null | undefined) => (series?.kind === 'values' ? series.windows.at(-1) : null);
      expect(lastOf(seen?.stableNow)).toEqual({ endMs: at(14) - WINDOW_MS, value: 15 });
      // Prometheus 3 no longer takes what is five minutes old to the millisecond.
      expect([at(10), at(10) - WINDOW_MS]).toContain(lastOf(seen?.candidateNow)?.endMs);
    });

    it('asks as often for one window as for 240', async () => {
      const metrics = [objective, f1, metric({ kind: 'latency', buckets: q('latency_seconds'), bounds: [] })].map(
        (m, k) => ({
          ...m,
          name: `m${k}`,
          tolerance: { ...m.tolerance, fromHistory: true },
        }),
      );
      const long = await read(metrics);
      const forMany = sent;
      const short = await read(metrics, { fromMs: END_MS - WINDOW_MS });
      expect(sent).toBe(forMany);
      expect(windowsOf(long[0]?.stableNow)).toHaveLength(240);
      expect(windowsOf(short[0]?.stableNow)).toHaveLength(1);
      // Selectors times stretches: now of both arms together and the past, two of the budget, three and one of history.
      expect(forMany).toBe(6 * 2 + 2 + 3 + 1);
    });
  },
);
