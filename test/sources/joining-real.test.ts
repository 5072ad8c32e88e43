import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp, type Http } from '../../src/outbound/http.ts';
import { createBatch } from '../../src/sources/asking.ts';
import { type PrometheusApi, prometheusApi } from '../../src/sources/prometheus-api.ts';
import { prometheusPath, type RunningPrometheus, startPrometheus } from '../support/prometheus.ts';
import { remoteWrite, type WrittenSeries } from './remote-write.ts';
import { endpoint } from './support.ts';

/** A whole hour. */
const END_MS = Date.UTC(2025, 5, 3, 12);
const STEP_MS = 30_000;
const BEGAN_MS = END_MS - 2 * 3_600_000;
/** What means something to RE2, to PromQL's strings or to a form, and what could be taken for one another. */
const SERVICES = [
  'plain',
  'plain2',
  'pl.in',
  'a|b',
  'a',
  'b',
  '(open',
  '[a-z]+',
  '^start$',
  '.*',
  '{2}',
  'back\\slash',
  '\\d',
  '"quoted"',
  "it's`",
  'two\nlines',
  'tab\there',
  'ümläut',
  '日本語',
  '𝄞☃',
  'a+b&c=d%20',
  ' space ',
  '\u2028',
  '?',
  '-',
];
const VERSIONS = ['v41', 'v42', 'v4.'];

function written(): WrittenSeries[] {
  return SERVICES.flatMap((service, s) =>
    VERSIONS.flatMap((version, v) => {
      // Some versions come later, some end, all restart at some time; some have never counted an error.
      const fromMs = BEGAN_MS + 7000 + (v === 1 ? 3_600_000 + s * 45_000 : 0);
      const times = Array.from({ length: 460 }, (_, k) => fromMs + k * 15_000).filter((ms) => ms <= END_MS);
      const until = v === 2 ? times.slice(0, 100 + s) : times;
      const value = (k: number) => (k >= 60 + s ? (k - 60 - s) * (s + 1) : k * (s + 1));
      const labels = { service, version, instance: `i${s % 3}` };
      const total = {
        labels: { __name__: 'requests_total', ...labels },
        samples: until.map((ms, k): [number, number] => [ms, value(k)]),
      };
      // The marker of a series that has ended.
      const ended = v === 2 ? [[(until.at(-1) ?? 0) + 15_000, Number.NaN] as const] : [];
      const errors = {
        ...total,
        labels: { ...total.labels, __name__: 'errors_total', code: '500' },
        samples: [...total.samples, ...ended],
      };
      const native = {
        labels: { __name__: 'latency_seconds', ...labels },
        histograms: until.slice(0, 80).map(
          (ms, k) =>
            [
              ms,
              {
                schema: 3,
                buckets: new Map([
                  [-8, 1 + value(k)],
                  [s, 2 + k],
                ]),
              },
            ] as const,
        ),
      };
      return s % 4 === 3 ? [total, native] : [total, errors, native];
    }),
  );
}

describe.skipIf(prometheusPath === null)(
  'joined queries to a real Prometheus (skipped: prometheus is not installed)',
  () => {
    let prometheus: RunningPrometheus;
    let api: PrometheusApi;
    const sent: string[] = [];
    const http = createHttp();
    const counting: Http = {
      request: (request, signal) => {
        sent.push(new URLSearchParams(String(request.body)).get('query') ?? '');
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
      await remoteWrite(prometheus.url, written());
      api = prometheusApi(counting, endpoint(prometheus.url), 10_000);
    });
    afterAll(async () => {
      await prometheus?.stop();
      http.close();
    });

    const queries = SERVICES.flatMap((service) =>
      VERSIONS.flatMap((version) =>
        [
          'requests_total{%}',
          'errors_total{%,code=~"5.."}',
          'latency_seconds{%}',
          'requests_total{%,instance!="i1"}',
        ].map((template) => template.replace('%', () => `service=${JSON.stringify(service)},version="${version}"`)),
      ),
    );

    it('are answered to the bit as single ones are, look after look, in a fraction of the queries', async () => {
      const clock = { nowMs: BEGAN_MS + 5_400_000 };
      const batch = createBatch(api, { now: () => clock.nowMs, gatherMs: 20, mostKeptBytes: 64e6 });
      let found = 0;
      for (let look = 0; look < 4; look += 1) {
        clock.nowMs += 2 * STEP_MS;
        const endMs = clock.nowMs - STEP_MS;
        const stretches = [
          { startMs: endMs - 40 * STEP_MS, endMs, stepMs: STEP_MS },
          { startMs: BEGAN_MS, endMs: BEGAN_MS + 100 * STEP_MS, stepMs: STEP_MS },
        ];
        sent.length = 0;
        const asked = queries.flatMap((query) => stretches.map((stretch) => ({ query, stretch })));
        const looks = SERVICES.map(() => batch.look(120));
        const answers = await Promise.all(
          asked.map(({ query, stretch }, k) => {
            const own = looks[Math.floor(k / (asked.length / SERVICES.length))] ?? batch.look(120);
            return own.ask(query, stretch, new AbortController().signal);
          }),
        );
        // Four templates over two stretches, of which the past is kept after the first look; what appears or ends is read anew.
        expect(sent.length).toBeLessThan(look === 0 ? 17 : 40);
        for (const [k, { query, stretch }] of asked.entries()) {
          const single = await api.range(query, stretch);
          expect(answers[k], query).toEqual(single);
          if (single.ok && single.value.length > 0) found += 1;
        }
      }
      expect(found).toBeGreaterThan(800);
    });

    it('are taken as long as they are made: a hundred values of any length', async () => {
      const batch = createBatch(api, { now: () => END_MS, gatherMs: 0, mostKeptBytes: 0 });
      sent.length = 0;
      const stretch = { startMs: END_MS - 20 * STEP_MS, endMs: END_MS, stepMs: STEP_MS };
      const values = Array.from({ length: 100 }, (_, k) => `${'(long)|'.repeat(30)}${k}`);
      const answers = await Promise.all(
        values.map((v) => batch.look(1).ask(`requests_total{service="${v}"}`, stretch, new AbortController().signal)),
      );
      expect(answers).toEqual(values.map(() => ({ ok: true, value: [] })));
      expect(Math.max(...sent.map((q) => q.length))).toBeGreaterThan(20_000);
      expect(sent.length).toBeLessThan(3);
    });
  },
);
