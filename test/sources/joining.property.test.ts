import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asking, createBatch } from '../../src/sources/asking.ts';
import { plainSelector, selectorFor } from '../../src/sources/plain-selector.ts';
import { prometheusApi } from '../../src/sources/prometheus-api.ts';
import { evaluator, type Stored } from './evaluator.ts';
import { endpoint } from './support.ts';

const STEP_MS = 30_000;
const NOW_MS = 1_795_220_400_000;
const signal = () => new AbortController().signal;

/** Values with everything that means something to RE2, to PromQL's strings or to JSON. */
const VALUES = [
  'a',
  'a.b',
  'aXb',
  'a|b',
  '(x',
  '"q"',
  'b\\d',
  'é ☃ 𝄞',
  'x\ny',
  '^$',
  '[a]{2}',
  'v4+1',
  'v441',
  "it's`",
];
const value = fc.constantFrom(...VALUES);
const name = fc.constantFrom('m_total', 'n_total');

const samples = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 400_000 }),
      fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 50 }).map(String) },
        { weight: 1, arbitrary: fc.constantFrom('NaN', '+Inf', '-Inf', null) },
      ),
    ),
    { maxLength: 25 },
  )
  .map((steps) => {
    let at = NOW_MS - 3_600_000;
    return steps.map(([gap, v]): [number, string | null] => {
      at += gap;
      return [at, v];
    });
  });
const stored: fc.Arbitrary<Stored[]> = fc.uniqueArray(
  fc.record({
    labels: fc.record({
      __name__: name,
      service: value,
      version: value,
      code: fc.constantFrom('200', '500'),
      pod: fc.constantFrom('p', 'q'),
    }),
    samples,
    histograms: fc.boolean(),
  }),
  { maxLength: 20, selector: ({ labels }) => JSON.stringify(labels) },
);

const quote = (text: string) => JSON.stringify(text);
const ask = fc.record({
  query: fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(name, value, value, fc.constantFrom('', ',code=~"5.."', ',code!~"5..",pod!="p"'))
        .map(([n, s, v, more]) => `${n}{service=${quote(s)},version=${quote(v)}${more}}`),
    },
    { weight: 2, arbitrary: fc.tuple(name, value).map(([n, s]) => `${n}{version=${quote(s)}}`) },
    { weight: 1, arbitrary: fc.constantFrom('m_total{}', 'm_total{code=~"2.."}', 'rate(m_total[5m])') },
  ),
  from: fc.oneof(fc.constantFrom(40, 41, 42), fc.integer({ min: 0, max: 100 })),
  points: fc.oneof(fc.constantFrom(20, 21, 22), fc.integer({ min: 1, max: 60 })),
  step: fc.constantFrom(STEP_MS, STEP_MS, STEP_MS, STEP_MS, STEP_MS, 2 * STEP_MS),
  offGrid: fc.constantFrom(0, 0, 0, 0, 0, 7000),
});
const stretchOf = ({
  from,
  points,
  step,
  offGrid,
}: {
  from: number;
  points: number;
  step: number;
  offGrid: number;
}) => {
  const startMs = NOW_MS - 3_600_000 + from * STEP_MS + offGrid;
  return { startMs, endMs: startMs + points * step, stepMs: step };
};

function setUp(series: () => readonly Stored[], clock: { nowMs: number }, mostKeptBytes: number) {
  const server = evaluator(series);
  const api = prometheusApi(server.http, endpoint('http://prometheus'), 1000);
  const batch = createBatch(api, { now: () => clock.nowMs, gatherMs: 0, mostKeptBytes });
  return { server, api, look: (): Asking => batch.look(1000) };
}

describe('joined reads', () => {
  it('are what each would have got by itself, to the bit', async () => {
    let fewer = 0;
    await fc.assert(
      fc.asyncProperty(stored, fc.array(ask, { minLength: 2, maxLength: 25 }), async (series, asks) => {
        const { server, api, look } = setUp(() => series, { nowMs: NOW_MS + 3_600_000 }, 0);
        const looks = [look(), look(), look()];
        const joined = await Promise.all(
          asks.map((a, k) => (looks[k % 3] ?? look()).ask(a.query, stretchOf(a), signal())),
        );
        const sent = server.asked.length;
        for (const [k, a] of asks.entries()) {
          expect(joined[k]).toEqual(await api.range(a.query, stretchOf(a)));
        }
        if (sent < new Set(asks.map((a) => JSON.stringify([a.query, stretchOf(a)]))).size) fewer += 1;
      }),
      { numRuns: 150, seed: 5 },
    );
    expect(fewer).toBeGreaterThan(50);
  });

  it('look after look, while series come, end, restart and grow: as if all had been read anew each time', async () => {
    let [kept, anew] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        stored,
        fc.array(ask, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 })), {
          minLength: 3,
          maxLength: 8,
        }),
        async (series, asks, moves) => {
          const clock = { nowMs: NOW_MS - 1_800_000 };
          // Only what has been scraped by then is there.
          const visible = () =>
            series.map((s) => ({ ...s, samples: s.samples.filter(([at]) => at <= clock.nowMs - 1000) }));
          const { server, api, look } = setUp(visible, clock, 1_000_000);
          let begins = 0;
          for (const [later, forward] of moves) {
            clock.nowMs += later * STEP_MS;
            begins += forward;
            const ends = Math.floor((clock.nowMs - 5000) / STEP_MS) * STEP_MS;
            const questions = asks.map(({ query, points }) => ({
              query,
              stretch: { startMs: ends - (40 + points - Math.min(begins, 30)) * STEP_MS, endMs: ends, stepMs: STEP_MS },
            }));
            const one = look();
            const found = await Promise.all(questions.map((q) => one.ask(q.query, q.stretch, signal())));
            for (const { startMs, endMs } of server.asked.splice(0)) {
              if (endMs - startMs < 20 * STEP_MS) kept += 1;
              else anew += 1;
            }
            for (const [k, q] of questions.entries()) {
              expect(found[k]).toEqual(await api.range(q.query, q.stretch));
            }
            server.asked.splice(0);
          }
        },
      ),
      { numRuns: 100, seed: 6 },
    );
    expect(kept).toBeGreaterThan(anew);
  });
});

describe('plain selectors', () => {
  it('say the same after they are written again', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1, maxLength: 5 }),
        (values) => {
          const written = selectorFor('m', new Map([['a', new Set(values)]]), [
            { label: 'b', operator: '!~', value: 'x\\.y' },
          ]);
          const read = plainSelector(written);
          fc.pre(values.every((v) => !/\p{Cc}/u.test(v.replace(/[\n\r\t]/g, ''))));
          const [a, b] = read?.matchers ?? [];
          expect(b).toEqual({ label: 'b', operator: '!~', value: 'x\\.y' });
          const only = values.length === 1;
          const means = (text: string) =>
            only ? a?.value === text : new RegExp(`^(?:${a?.value ?? ''})$`, 's').test(text);
          for (const v of values) expect(means(v)).toBe(true);
          expect(means(`${values.join('')}-`)).toBe(false);
        },
      ),
      { seed: 7 },
    );
  });

  it.each([
    'm',
    'm{}',
    '{a="b"}',
    'm{a=""}',
    'm{a=~""}',
    "m{a='b'}",
    'm{a=`b`}',
    'm{a="b",a="c"}',
    'm{__name__="m",a="b"}',
    'm{a="b"} offset 5m',
    'm{a="b"} @ 5',
    'm{a="b"}[5m]',
    'm{a="b"}[5m:1m]',
    'm{a="b"} or n{a="b"}',
    'm{a="b" or a="c"}',
    'sum by (x) (m{a="b"})',
    'rate(m{a="b"}[5m])',
    '-m{a="b"}',
    'm{a="b"} * 2',
    'm{a="b"} # why',
    'm{a="\\x41"}',
    'm{a="\\u0041"}',
    'm{a="b\u0007"}',
    'm{a="\ud800"}',
    'm{"a"="b"}',
    'm{a="b",,c="d"}',
    'm{,a="b"}',
    'm{a="b"',
    'm{a="b"}}',
    '1m{a="b"}',
  ])('%s is none, and is asked by itself', (query) => {
    expect(plainSelector(query)).toBeNull();
  });

  it('may have spaces, and a comma after the last', () => {
    const expected = { name: 'm:x', matchers: [{ label: 'a', operator: '=', value: 'b"\\\n' }] };
    expect(plainSelector(' m:x { a = "b\\"\\\\\\n" , } ')).toEqual(expected);
  });
});
