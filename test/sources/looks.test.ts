import { describe, expect, it } from 'vitest';
import type { LookPeriod, Metric } from '../../src/analysis/types.ts';
import type { MetricRequest } from '../../src/ports/metric-source.ts';
import { createPrometheusSource, createPrometheusSources } from '../../src/sources/prometheus.ts';
import { type AskedQuery, fakePrometheus, growing } from './fake-prometheus.ts';
import { endpoint, metric, until } from './support.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 30_000;
/** A whole hour and ten seconds: the window that ended ten seconds ago has settled. */
const NOW_MS = Date.UTC(2026, 10, 20, 12) + 10_000;

const period: LookPeriod = {
  fromMs: NOW_MS - 10_000 - 10 * MINUTE_MS,
  toMs: NOW_MS,
  healthyFromMs: NOW_MS - 5 * MINUTE_MS,
  restartsAtMs: [],
  beforeOffsetMs: 20 * MINUTE_MS,
  against: 'stable',
};
const proportion: Metric['source'] = {
  kind: 'proportion',
  bad: 'e{v="{{version}}"}',
  good: null,
  total: 't{v="{{version}}"}',
};
const errors = metric(proportion);
const request = (metrics: readonly Metric[], over: Partial<MetricRequest> = {}): MetricRequest => ({
  service: 'ranker',
  stable: 'v41',
  candidate: 'v42',
  metrics,
  windowMs: WINDOW_MS,
  period,
  ...over,
});
const signal = () => new AbortController().signal;
const everything = (asked: AskedQuery) => [growing(asked, asked.query.startsWith('e') ? 1 : 100)];
const learned = (m: Metric): Metric => ({ ...m, tolerance: { ...m.tolerance, fromHistory: true } });
/** Lets everything that has been begun get as far as it can. */
const settled = () => new Promise((done) => setImmediate(done));

type Answer = Parameters<typeof fakePrometheus>[0];

function sourceOf(answer: Answer = everything, options: { mostRequests?: number } = {}) {
  const fake = fakePrometheus(answer);
  const clock = { nowMs: NOW_MS };
  const source = createPrometheusSource({
    http: fake.http,
    endpoint: endpoint('http://prometheus'),
    now: () => clock.nowMs,
    ...options,
  });
  return { ...fake, source, clock };
}

describe('what is read of a metric', () => {
  it('stable’s past reaches an hour back at least, and ends where the period’s past ends', async () => {
    const { source, asked } = sourceOf();
    const [seen] = await source.read(request([errors]), signal());
    const past = asked.filter((a) => a.endMs === NOW_MS - 10_000 - 20 * MINUTE_MS);
    expect(past.map((a) => a.query)).toEqual(['e{v="v41"}', 't{v="v41"}']);
    expect(past.every((a) => a.endMs - a.startMs === HOUR_MS)).toBe(true);
    const before = seen?.stableBefore?.kind === 'counts' ? seen.stableBefore.windows : [];
    expect(before).toHaveLength(120);
    expect(before.at(-1)).toEqual({ endMs: NOW_MS - 10_000 - 20 * MINUTE_MS, events: 30, exposure: 3000 });
    const now = seen?.stableNow?.kind === 'counts' ? seen.stableNow.windows : [];
    expect(now).toHaveLength(20);
    // Now of both arms together, and the past: for both selectors.
    expect(asked).toHaveLength(4);
  });

  it('short windows need no hour: 360 of them tell as much', async () => {
    const { source, asked } = sourceOf();
    const short = { ...period, fromMs: NOW_MS - 60_000, beforeOffsetMs: 120_000 };
    await source.read(request([errors], { windowMs: 1000, period: short }), signal());
    const past = asked.filter((a) => a.endMs === NOW_MS - 120_000);
    expect(past.map((a) => (a.endMs - a.startMs) / a.stepMs)).toEqual([360, 360]);
  });

  it('a longer period has as long a past', async () => {
    const { source, asked } = sourceOf();
    await source.read(request([errors], { period: { ...period, fromMs: NOW_MS - 10_000 - 2 * HOUR_MS } }), signal());
    const past = asked.filter((a) => a.endMs === NOW_MS - 10_000 - 20 * MINUTE_MS);
    expect(past.every((a) => a.endMs - a.startMs === 2 * HOUR_MS)).toBe(true);
  });

  it('a baseline of yesterday is read at its own offset, as the whole service', async () => {
    const { source, asked } = sourceOf();
    const yesterday: Metric = { ...errors, baseline: { kind: 'offset', offsetMs: DAY_MS } };
    const [seen] = await source.read(request([yesterday]), signal());
    const past = asked.filter((a) => a.endMs === NOW_MS - 10_000 - DAY_MS);
    expect(past.map((a) => a.query)).toEqual(['e{v=~".+"}', 't{v=~".+"}']);
    expect(asked).toHaveLength(4);
    const before = seen?.stableBefore?.kind === 'counts' ? seen.stableBefore.windows : [];
    expect(before.at(-1)?.endMs).toBe(NOW_MS - 10_000 - DAY_MS);
  });

  it('an offset that is no multiple of the window is asked for on the grid, and laid where it belongs', async () => {
    const { source, asked } = sourceOf();
    const odd: Metric = { ...errors, baseline: { kind: 'offset', offsetMs: DAY_MS + 7000 } };
    const [seen] = await source.read(request([odd]), signal());
    expect(asked.every((a) => a.startMs % WINDOW_MS === 0 && a.endMs % WINDOW_MS === 0)).toBe(true);
    const before = seen?.stableBefore?.kind === 'counts' ? seen.stableBefore.windows : [];
    expect(before.at(-1)?.endMs).toBe(NOW_MS - 10_000 - DAY_MS - 7000);
  });

  it('fixed totals need no past, one series for both needs no candidate', async () => {
    const { source, asked } = sourceOf();
    const fixed: Metric = { ...errors, baseline: { kind: 'fixed', events: 10, exposure: 1000 } };
    const [seen] = await source.read(request([fixed]), signal());
    expect(seen).toMatchObject({ stableBefore: null, missing: null });
    expect(asked.map((a) => a.query)).toEqual(['e{v=~"v41|v42"}', 't{v=~"v41|v42"}']);
    asked.length = 0;
    const whole = metric({ kind: 'proportion', bad: 'e', good: null, total: 't' });
    const [one] = await source.read(request([{ ...whole, arms: 'one' }]), signal());
    expect(one).toMatchObject({ candidateNow: null, missing: null, stableNow: { kind: 'counts' } });
    expect(asked.map((a) => a.query)).toEqual(['e', 't', 'e', 't']);
  });

  it('late labels are read as far back as they are judged, and not to before it began', async () => {
    const late = { ...errors, labelDelayMs: 30 * MINUTE_MS };
    const began = period.fromMs - 15 * MINUTE_MS;
    for (const [earliestMs, from] of [
      [began, began],
      [period.fromMs - DAY_MS, period.fromMs - 30 * MINUTE_MS],
      [undefined, period.fromMs],
    ] as const) {
      const { source, asked } = sourceOf();
      await source.read(
        request([late], { period: { ...period, ...(earliestMs === undefined ? {} : { earliestMs }) } }),
        signal(),
      );
      expect(asked.find((a) => a.query === 'e{v=~"v41|v42"}')?.startMs).toBe(from);
    }
  });

  it('the newest window is waited for until it has settled', async () => {
    const { source } = sourceOf();
    const ends = async (toMs: number) => {
      const [seen] = await source.read(request([errors], { period: { ...period, toMs } }), signal());
      return [seen?.stableNow?.kind === 'counts' && seen.stableNow.windows.at(-1)?.endMs, seen?.missing];
    };
    const edge = NOW_MS - 10_000;
    expect(await ends(edge)).toEqual([edge - WINDOW_MS, null]);
    expect(await ends(edge + 4999)).toEqual([edge - WINDOW_MS, null]);
    expect(await ends(edge + 5000)).toEqual([edge, null]);
    const [young] = await source.read(
      request([errors], { period: { ...period, fromMs: edge - WINDOW_MS, toMs: edge } }),
      signal(),
    );
    expect(young).toMatchObject({ stableNow: null, candidateNow: null });
    expect(young?.missing).toContain('no window is complete yet');
  });

  it('labelled answers need the counters of their measure, and say which is not given', async () => {
    const { source, asked } = sourceOf((a) => (a.query.startsWith('fp') ? [] : [growing(a, 1)]));
    const cells = { truePositives: 'tp', falsePositives: 'fp', falseNegatives: 'fn', trueNegatives: 'tn' };
    const events = async (measure: 'accuracy' | 'precision' | 'recall' | 'f1') => {
      const [seen] = await source.read(request([metric({ kind: 'labelled', measure, ...cells })]), signal());
      return seen?.stableNow?.kind === 'counts' ? seen.stableNow.windows.at(-1) : seen?.missing;
    };
    const endMs = NOW_MS - 10_000;
    expect(await events('accuracy')).toEqual({ endMs, events: 30, exposure: 90 });
    expect(await events('precision')).toEqual({ endMs, events: 0, exposure: 30 });
    expect(await events('recall')).toEqual({ endMs, events: 30, exposure: 60 });
    expect(await events('f1')).toEqual({ endMs, events: 30, exposure: 90 });
    asked.length = 0;
    const bare: Metric['source'] = { kind: 'labelled', measure: 'recall', ...cells, falseNegatives: null };
    const [none] = await source.read(request([metric(bare)]), signal());
    expect(none?.missing).toContain('recall needs `falseNegatives`, which the policy does not give');
    expect(asked).toHaveLength(0);
    const nowhere = sourceOf((a) => (a.query.startsWith('tp') ? [] : [growing(a, 1)]));
    const [mistyped] = await nowhere.source.read(
      request([metric({ kind: 'labelled', measure: 'recall', ...cells })]),
      signal(),
    );
    expect(mistyped).toMatchObject({
      stableNow: null,
      missing: expect.stringContaining('check the `truePositives` selector'),
    });
  });
});

describe('what looks at the same moment share', () => {
  it('is asked once, also by two services at the same time and just after', async () => {
    const { source, asked, clock, hold, release } = sourceOf();
    const shared = metric({ kind: 'gauge', value: 'cluster_load' });
    hold();
    const both = [
      source.read(request([shared]), signal()),
      source.read(request([shared], { service: 'search' }), signal()),
    ];
    await settled();
    release();
    const [first, second] = await Promise.all(both);
    expect(first).toEqual(second);
    expect(asked).toHaveLength(2);
    clock.nowMs += 2999;
    await source.read(request([shared], { service: 'third' }), signal());
    expect(asked).toHaveLength(2);
    clock.nowMs += 2;
    await source.read(request([shared]), signal());
    expect(asked).toHaveLength(4);
  });

  it('is not what was asked of another address, with other credentials or as another tenant', async () => {
    const fake = fakePrometheus(everything);
    const sources = createPrometheusSources({ http: fake.http, now: () => NOW_MS });
    const plain = metric({ kind: 'gauge', value: 'cluster_load' });
    const endpoints = [
      endpoint('http://a'),
      endpoint('http://b'),
      endpoint('http://a', { Authorization: 'Bearer 1' }),
      endpoint('http://a', { Authorization: 'Bearer 2' }),
      endpoint('http://a', { 'X-Scope-OrgID': 'team' }),
      { ...endpoint('http://a'), tls: { ca: null, cert: 'c', key: 'k', insecure: false } },
    ];
    for (const at of endpoints) await sources(at).read(request([plain]), signal());
    expect(fake.asked).toHaveLength(2 * endpoints.length);
    for (const at of endpoints) await sources(structuredClone(at)).read(request([plain]), signal());
    expect(fake.asked).toHaveLength(2 * endpoints.length);
    expect(fake.asked.map((a) => a.headers.Authorization)).toEqual(
      endpoints.flatMap((at) => [at.headers.Authorization, at.headers.Authorization]),
    );
  });

  it('is not lost to one when the other stops waiting, and is called off when both do', async () => {
    const { source, asked, hold, release, open, calledOff } = sourceOf();
    const stops = [new AbortController(), new AbortController()];
    hold();
    const reads = stops.map((stop) => source.read(request([errors]), stop.signal));
    await until(() => open() === 4);
    stops[0]?.abort();
    expect((await reads[0])?.[0]?.missing).toContain('the look was stopped');
    expect(calledOff()).toBe(0);
    release();
    expect((await reads[1])?.[0]?.missing).toBeNull();
    expect(asked).toHaveLength(4);
    hold();
    const again = [new AbortController(), new AbortController()];
    const late = again.map((stop) =>
      source.read(request([metric(proportion)], { stable: 'v1', candidate: null }), stop.signal),
    );
    await until(() => open() === 4);
    for (const stop of again) stop.abort();
    for (const read of late) expect((await read)[0]?.stableNow).toBeNull();
    await until(() => open() === 0);
    expect(calledOff()).toBe(4);
  });

  it('is not a failure: the next look asks again', async () => {
    const answers = { fail: true };
    const { source, asked } = sourceOf((a) =>
      answers.fail
        ? { status: 503, body: { status: 'error', errorType: 'timeout', error: 'query timed out' } }
        : everything(a),
    );
    const [failed] = await source.read(request([errors]), signal());
    expect(failed?.missing).toContain('query timed out');
    answers.fail = false;
    const before = asked.length;
    const [seen] = await source.read(request([errors]), signal());
    expect(seen?.missing).toBeNull();
    expect(asked.length - before).toBe(6);
  });
});

describe('days of the whole service', () => {
  it('history is kept for an hour, the budget for a minute', async () => {
    const { source, asked, clock } = sourceOf();
    const objective = metric({ ...proportion, kind: 'objective', allowed: 0.01 }, 'objective');
    const look = async () => {
      asked.length = 0;
      const at = { ...period, fromMs: clock.nowMs - 10 * MINUTE_MS, toMs: clock.nowMs };
      const samples = await source.read(request([learned(errors), objective], { period: at }), signal());
      return { samples, steps: asked.map((a) => a.stepMs).filter((step) => step > WINDOW_MS) };
    };
    const first = await look();
    expect(first.steps.sort()).toEqual([300_000, 300_000, HOUR_MS, HOUR_MS].sort());
    expect(first.samples[0]?.history).toMatchObject({ kind: 'counts', windows: { length: 360 } });
    expect(first.samples[1]?.budget).toMatchObject({ kind: 'counts', windows: { length: 864 } });
    expect(first.samples[0]).not.toHaveProperty('budget');
    clock.nowMs += 50_000;
    const second = await look();
    expect(second.steps).toEqual([]);
    expect(second.samples[0]?.history).toBe(first.samples[0]?.history);
    clock.nowMs += 20_000;
    expect((await look()).steps).toEqual([300_000, 300_000]);
    clock.nowMs += HOUR_MS;
    expect((await look()).steps.filter((step) => step === HOUR_MS)).toHaveLength(2);
  });

  it('what Prometheus refuses is not asked for at every look', async () => {
    const { source, asked, clock } = sourceOf((a) =>
      a.stepMs === HOUR_MS
        ? { status: 422, body: { status: 'error', errorType: 'execution', error: 'too many samples' } }
        : everything(a),
    );
    const hours = () => asked.filter((a) => a.stepMs === HOUR_MS).length;
    const [seen] = await source.read(request([learned(errors)]), signal());
    expect(seen).toMatchObject({ history: null, stableNow: { kind: 'counts' } });
    expect(seen?.missing).toContain('history: Prometheus answered with status 422 (execution): too many samples');
    expect(hours()).toBe(2);
    clock.nowMs += 59_000;
    await source.read(request([learned(errors)]), signal());
    expect(hours()).toBe(2);
    clock.nowMs += 2000;
    await source.read(request([learned(errors)]), signal());
    expect(hours()).toBe(4);
  });

  it('a selector that cannot be widened has none, and says so', async () => {
    const { source, asked } = sourceOf();
    const bound: Metric['source'] = { ...proportion, bad: 'e{pod="x-{{version}}"}' };
    const [seen] = await source.read(request([learned(metric(bound))]), signal());
    expect(seen).toMatchObject({ history: null, stableNow: { kind: 'counts' } });
    expect(seen?.missing).toBe('history: the selectors name one version in a way that any could not fit');
    expect(asked.every((a) => a.stepMs === WINDOW_MS)).toBe(true);
  });

  it('a selector by arm is widened to both arms', async () => {
    const { source, asked } = sourceOf();
    const byArm: Metric['source'] = { ...proportion, bad: 'e{arm="{{arm}}"}', total: 't{arm="{{arm}}"}' };
    await source.read(request([learned(metric(byArm))]), signal());
    const hours = asked.filter((a) => a.stepMs === HOUR_MS).map((a) => a.query);
    expect(hours).toEqual(['e{arm=~".+"}', 't{arm=~".+"}']);
  });
});

describe('requests of one look', () => {
  const many = (n: number) =>
    Array.from({ length: n }, (_, k) => metric({ ...proportion, bad: `e${k}{v="{{version}}"}` }, `m${k}`));

  it('are no more than it may send; what is beyond them is missing, the rest is read', async () => {
    const { source, asked } = sourceOf(everything, { mostRequests: 20 });
    const samples = await source.read(request(many(10)), signal());
    // One that asks for both arms counts for two.
    expect(asked).toHaveLength(14);
    expect(samples[0]?.missing).toBeNull();
    expect(samples[9]?.missing).toContain(
      'the look would have taken more than 20 queries to Prometheus; have fewer metrics',
    );
    expect(samples[9]).toMatchObject({ stableNow: null, candidateNow: null });
  });

  it('are 120 unless it is said otherwise', async () => {
    const { source, asked } = sourceOf();
    const samples = await source.read(request(many(60)), signal());
    expect(asked).toHaveLength(80);
    expect(samples.at(-1)?.missing).toContain('more than 120 queries');
  });

  it('go to the arms before they go to history', async () => {
    const { source } = sourceOf(everything, { mostRequests: 9 });
    const [first, second] = await source.read(request(many(2).map(learned)), signal());
    expect([first?.stableNow, first?.candidateNow, second?.stableNow, second?.candidateNow]).not.toContain(null);
    expect(first).toMatchObject({
      history: null,
      missing: expect.stringMatching(/^history: the look would have taken more than 9/),
    });
  });

  it('are counted where they are sent: what another look asked for costs nothing', async () => {
    const { source } = sourceOf(everything, { mostRequests: 6 });
    for (let look = 0; look < 3; look += 1) {
      const [seen] = await source.read(request([errors]), signal());
      expect(seen?.missing).toBeNull();
    }
  });

  it('are under way six at a time, and twelve of all looks', async () => {
    const { source, hold, release, open } = sourceOf();
    hold();
    const first = source.read(request(many(20)), signal());
    await until(() => open() === 6);
    await settled();
    expect(open()).toBe(6);
    const others = [1, 2].map((k) => source.read(request(many(20), { stable: `s${k}`, candidate: `c${k}` }), signal()));
    await until(() => open() === 12);
    await settled();
    expect(open()).toBe(12);
    release();
    for (const samples of await Promise.all([first, ...others])) expect(samples[0]?.missing).toBeNull();
    expect(open()).toBe(0);
  });
});
