import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseWebhook } from '../../src/alerts/index.ts';
import { bodyOf, type LoopbackServer, listenOnLoopback, sendJson } from '../../src/demo/loopback.ts';
import { startAlertmanagerInDemoTime, startWebhookInDemoTime } from '../../src/demo/time/alert-times.ts';
import { createDemoClock } from '../../src/demo/time/demo-clock.ts';
import { gridParts, startPrometheusInDemoTime } from '../../src/demo/time/prometheus-times.ts';

const START = Date.parse('2026-11-21T03:00:00Z');
const running: LoopbackServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
const keep = async (server: Promise<LoopbackServer>) => {
  running.push(await server);
  return server;
};

/** Ten minutes at the usual speed, ten minutes three times as fast; now it is thirty demo minutes later. */
function twoSpeeds() {
  let wallMs = START;
  const clock = createDemoClock(1, () => wallMs);
  wallMs += 600_000;
  clock.setFactor(3);
  wallMs += 600_000;
  return clock;
}

/** A Prometheus whose only series has the wall's Unix seconds as its value. */
async function wallPrometheus(asked: Record<string, string>[]) {
  return keep(
    listenOnLoopback(0, async (request, response) => {
      const form = new URLSearchParams(await bodyOf(request));
      asked.push(Object.fromEntries(form));
      const { pathname } = new URL(request.url ?? '/', 'http://x');
      if (pathname === '/api/v1/alerts') {
        const alerts = [{ labels: {}, state: 'firing', activeAt: new Date(START + 900_000).toISOString() }];
        return sendJson(response, 200, { status: 'success', data: { alerts } });
      }
      const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
      const at = (seconds: number) => [seconds, String(seconds)];
      if (pathname === '/api/v1/query') {
        const value = at(Number(form.get('time')));
        return sendJson(response, 200, {
          status: 'success',
          data: { resultType: 'vector', result: [{ metric: {}, value }] },
        });
      }
      const values = [];
      for (let i = 0; (start ?? 0) + i * (step ?? 1) <= (end ?? 0) + 1e-6; i += 1)
        values.push(at(Math.round(((start ?? 0) + i * (step ?? 1)) * 1000) / 1000));
      const result = [{ metric: { version: 'v41' }, values }];
      return sendJson(response, 200, { status: 'success', data: { resultType: 'matrix', result } });
    }),
  );
}

async function ask(url: string, path: string, form: Record<string, string>) {
  const response = await fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('Prometheus in the demo’s time', () => {
  it('is asked for the wall’s moments and answers the demo’s, across a change of speed', async () => {
    const clock = twoSpeeds();
    const behind = await wallPrometheus([]);
    const { url } = await keep(startPrometheusInDemoTime(() => behind.url, clock));
    const startMs = START + 590_000;
    const endMs = START + 690_000;
    const form = { query: 'x', start: `${startMs / 1000}`, end: `${endMs / 1000}`, step: '1' };
    const { body } = await ask(url, '/api/v1/query_range', form);
    expect(body.data.result).toHaveLength(1);
    const { metric, values } = body.data.result[0];
    expect(metric).toEqual({ version: 'v41' });
    expect(values.map(([at]: [number]) => at)).toEqual(Array.from({ length: 101 }, (_, i) => startMs / 1000 + i));
    for (const [at, value] of values) expect(Number(value) * 1000).toBeCloseTo(clock.toWall(at * 1000), -2);
  });

  it('keeps every point within ten milliseconds of the wall’s moment it stands for, whatever the speeds', () => {
    const changes = fc.array(
      fc.record({ afterMs: fc.integer({ min: 1, max: 100_000 }), factor: fc.constantFrom(1, 2, 3, 10) }),
    );
    const grids = fc.record({
      from: fc.integer({ min: -100_000, max: 300_000 }),
      points: fc.integer({ min: 1, max: 300 }),
      stepMs: fc.constantFrom(250, 1_000, 15_000),
    });
    fc.assert(
      fc.property(changes, grids, (speeds, { from, points, stepMs }) => {
        let wallMs = START;
        const clock = createDemoClock(1, () => wallMs);
        for (const { afterMs, factor } of speeds) {
          wallMs += afterMs;
          clock.setFactor(factor);
        }
        const startMs = START + from;
        const parts = gridParts({ startMs, endMs: startMs + (points - 1) * stepMs, stepMs }, clock.stretches());
        const at = parts.flatMap((part) =>
          Array.from({ length: part.points }, (_, i) => ({
            demoMs: part.demoStartMs + i * stepMs,
            wallMs: part.startMs + i * part.stepMs,
          })),
        );
        expect(at.map(({ demoMs }) => demoMs)).toEqual(Array.from({ length: points }, (_, i) => startMs + i * stepMs));
        for (const point of at) expect(Math.abs(clock.toWall(point.demoMs) - point.wallMs)).toBeLessThan(16);
      }),
      { seed: 20261121, numRuns: 300 },
    );
  });

  it('maps the moment of an instant query, of its samples and of alerts', async () => {
    const clock = twoSpeeds();
    const asked: Record<string, string>[] = [];
    const behind = await wallPrometheus(asked);
    const { url } = await keep(startPrometheusInDemoTime(() => behind.url, clock));
    const demo = (START + 600_000 + 300_000) / 1000;
    const { body } = await ask(url, '/api/v1/query', { query: 'x', time: String(demo) });
    expect(Number(asked[0]?.time)).toBe((START + 700_000) / 1000);
    expect(body.data.result[0].value[0]).toBe(demo);
    const alerts = await (await fetch(`${url}/api/v1/alerts`)).json();
    expect(alerts).toMatchObject({
      data: { alerts: [{ activeAt: new Date(START + 600_000 + 900_000).toISOString() }] },
    });
  });

  it('refuses what it cannot read, and says so while there is nobody behind it', async () => {
    const { url } = await keep(startPrometheusInDemoTime(() => null, twoSpeeds()));
    expect(await ask(url, '/api/v1/query_range', { query: 'x', start: 'soon', end: '1', step: '1' })).toMatchObject({
      status: 400,
      body: { status: 'error', errorType: 'bad_data' },
    });
    const response = await fetch(`${url}/-/ready`);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('does not run yet');
  });
});

describe('Alertmanager in the demo’s time', () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'ModelSlow', severity: 'critical' },
    annotations: {},
    startsAt: new Date(START + 900_000).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: '00000000000000aa',
  };

  it('tells of alerts that began in the demo’s time; an end that is not set stays so', async () => {
    const clock = twoSpeeds();
    const got: { body: string; authorization: string }[] = [];
    const lastgood = await keep(
      listenOnLoopback(0, async (request, response) => {
        got.push({ body: await bodyOf(request), authorization: request.headers.authorization ?? '' });
        sendJson(response, 503, {});
      }),
    );
    const { url } = await keep(startWebhookInDemoTime(() => lastgood.url, clock));
    const message = {
      version: '4',
      groupKey: '{}',
      status: 'firing',
      receiver: 'x',
      alerts: [alert],
      extra: { kept: 1 },
    };
    const response = await fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
      body: JSON.stringify(message),
    });
    // Alertmanager tries again after a 503: it has to hear of it.
    expect(response.status).toBe(503);
    expect(got[0]?.authorization).toBe('Bearer secret');
    const told = JSON.parse(got[0]?.body ?? '{}');
    expect(told).toEqual({ ...message, alerts: [{ ...alert, startsAt: new Date(START + 1_500_000).toISOString() }] });
    expect(parseWebhook(told).alerts[0]).toMatchObject({ startsAtMs: START + 1_500_000, endsAtMs: null });
  });

  it('takes a silence in the wall’s time, lists alerts in the demo’s, and has the demo’s date', async () => {
    const clock = twoSpeeds();
    const got: unknown[] = [];
    const behind = await keep(
      listenOnLoopback(0, async (request, response) => {
        const body = await bodyOf(request);
        got.push({ method: request.method, url: request.url, body: body === '' ? null : JSON.parse(body) });
        sendJson(response, 200, [{ ...alert, updatedAt: alert.startsAt }]);
      }),
    );
    const { url } = await keep(startAlertmanagerInDemoTime(() => behind.url, clock));
    const listed = await fetch(`${url}/api/v2/alerts?active=true`);
    const demo = new Date(START + 1_500_000).toISOString();
    expect(await listed.json()).toEqual([{ ...alert, startsAt: demo, updatedAt: demo }]);
    expect(Date.parse(listed.headers.get('date') ?? '')).toBe(Math.floor(clock.now() / 1000) * 1000);
    const silence = { matchers: [], startsAt: demo, endsAt: new Date(START + 1_800_000).toISOString(), comment: 'c' };
    await fetch(`${url}/api/v2/silences`, { method: 'POST', body: JSON.stringify(silence) });
    expect(got).toEqual([
      { method: 'GET', url: '/api/v2/alerts?active=true', body: null },
      {
        method: 'POST',
        url: '/api/v2/silences',
        body: { ...silence, startsAt: alert.startsAt, endsAt: new Date(START + 1_000_000).toISOString() },
      },
    ]);
  });
});
