import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAlertSource } from '../../src/alerts/index.ts';
import type { Endpoint, Matcher } from '../../src/domain/policy.ts';
import { createHttp, type Http, type HttpRequest } from '../../src/outbound/http.ts';
import type { Silence } from '../../src/ports/alert-source.ts';
import { PortError } from '../../src/ports/failure.ts';
import { type Fate, startCheckpoint } from '../acceptance/support/checkpoint.ts';
import {
  alertmanagerPath,
  postAlerts,
  type RunningAlertmanager,
  silencesOf,
  startAlertmanager,
} from '../support/alertmanager.ts';

const signal = new AbortController().signal;
const MINUTE = 60_000;
const instance = 'lastgood-test';
const tag = `${instance}/fraud-scorer-d1`;
const endpointAt = (url: string): Endpoint => ({
  url,
  headers: {},
  tls: { ca: null, cert: null, key: null, insecure: false },
});
const matcher = (label: string, operator: Matcher['operator'], value: string): Matcher => ({ label, operator, value });
const silence = (over: Partial<Silence> = {}): Silence => ({
  tag,
  selectors: [[matcher('service', '=', 'fraud-scorer'), matcher('severity', '=~', 'warning|critical')]],
  untilMs: Date.now() + 10 * MINUTE,
  comment: 'fraud-scorer is being rolled back.',
  ...over,
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly date?: string;
}

/** Answers what it is given by method and path, and keeps what was asked. */
function scripted(answers: Readonly<Record<string, Answer>>, nowMs = Date.parse('2026-11-21T00:30:00Z')) {
  const asked: HttpRequest[] = [];
  const http: Http = {
    async request(request) {
      asked.push(request);
      const url = new URL(request.url);
      const answer = answers[`${request.method} ${url.pathname}`];
      if (!answer) throw new PortError('permanent', `${request.method} ${url.pathname} answered 404 Not Found`);
      const accepts = request.accept ?? ((status: number) => status < 300);
      if (!accepts(answer.status)) throw new PortError('permanent', `answered ${answer.status}: ${answer.body}`);
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      const headers: Record<string, string> = answer.date ? { date: answer.date } : {};
      return { status: answer.status, headers, body };
    },
  };
  const source = createAlertSource({ http, endpoint: endpointAt('http://am/prefix/'), instance, now: () => nowMs });
  return { source, asked };
}

const held = (over: object = {}) => ({
  annotations: { summary: 'bad' },
  endsAt: '2026-11-21T00:23:40.030Z',
  startsAt: '2026-11-21T00:16:40.024Z',
  fingerprint: '23f4a0b3ff9fae14',
  labels: { alertname: 'A', service: 'ranker', severity: 'critical' },
  status: { state: 'active', silencedBy: [], inhibitedBy: [] },
  receivers: [{ name: 'x' }],
  ...over,
});
const status = { status: 200, body: { uptime: '2026-11-20T00:00:00.000Z', versionInfo: {}, config: { original: '' } } };

describe('asking an Alertmanager', () => {
  it('reads what it holds as firing, whatever its guessed end, with who mutes it', async () => {
    const mine = { id: 's1', createdBy: 'Lastgood', comment: `x [${tag}]` };
    const other = { id: 's2', createdBy: 'Lastgood', comment: 'x [lastgood-other/fraud-scorer-d1]' };
    const forged = { id: 's3', createdBy: 'ann', comment: `x [${tag}]` };
    const times = { startsAt: '2026-11-21T00:00:00Z', endsAt: '2026-11-21T01:00:00Z' };
    const silences = [mine, other, forged].map((one) => ({
      ...one,
      ...times,
      status: { state: 'active' },
      matchers: [],
    }));
    const mutings = [
      {},
      { state: 'suppressed', silencedBy: ['s1'] },
      { state: 'suppressed', silencedBy: ['s1', 's2'] },
      { state: 'suppressed', silencedBy: ['s3'] },
      { state: 'suppressed', silencedBy: [], inhibitedBy: ['f'] },
      // Muted in a way that only newer versions know (mute timings).
      { state: 'suppressed', mutedBy: ['weekend'] },
    ];
    const alerts = mutings.map((one, n) => held({ fingerprint: `f${n}`, status: one, new_field: 1 }));
    const { source, asked } = scripted({
      'GET /prefix/api/v2/alerts': { status: 200, body: alerts },
      'GET /prefix/api/v2/status': status,
      'GET /prefix/api/v2/silences': { status: 200, body: silences },
    });
    const list = await source.list(signal);
    expect(list.upSinceMs).toBe(Date.parse('2026-11-20T00:00:00Z'));
    expect(list.alerts[0]?.alert).toMatchObject({ status: 'firing', endsAtMs: null, severity: 'critical', name: 'A' });
    expect(list.alerts.map(({ muted, mutedByTags, mutedByOthers }) => [muted, mutedByTags, mutedByOthers])).toEqual([
      [false, [], false],
      [true, [tag], false],
      [true, [tag], true],
      [true, [], true],
      [true, [], true],
      [true, [], true],
    ]);
    const query = new URL(asked[0]?.url ?? '').searchParams;
    for (const kind of ['active', 'silenced', 'inhibited', 'unprocessed']) expect(query.get(kind)).toBe('true');
  });

  it('counts how long it runs by its own clock', async () => {
    // Its clock is ten minutes behind ours, and it came up a minute ago.
    const { source } = scripted({
      'GET /prefix/api/v2/alerts': { status: 200, body: [] },
      'GET /prefix/api/v2/status': {
        status: 200,
        body: { uptime: '2026-11-21T00:19:00Z' },
        date: 'Sat, 21 Nov 2026 00:20:00 GMT',
      },
    });
    expect((await source.list(signal)).upSinceMs).toBe(Date.parse('2026-11-21T00:29:00Z'));
  });

  it.each([
    ['an alert that cannot be read', [held(), held({ startsAt: 'yesterday' })], /\[1\]\.startsAt must be a time/],
    ['something else', { alerts: [] }, /Is it the address of an Alertmanager/],
    ['a page', '<html>', /not JSON/],
  ])('does not take a part for the whole: %s', async (_, body, problem) => {
    const { source } = scripted({
      'GET /prefix/api/v2/alerts': { status: 200, body },
      'GET /prefix/api/v2/status': status,
    });
    await expect(source.list(signal)).rejects.toThrow(problem);
    await expect(source.list(signal)).rejects.toBeInstanceOf(PortError);
  });

  it('refuses what Alertmanager would refuse, before anything is sent', async () => {
    const { source, asked } = scripted({});
    const wide = [matcher('severity', '!=', 'info'), matcher('team', '=~', '.*')];
    const refused = source.silence(silence({ selectors: [[matcher('a', '=', 'b')], wide], untilMs: 2e12 }), signal);
    await expect(refused).rejects.toThrow(/severity!="info", team=~"\.\*" would silence every alert/);
    await expect(source.silence(silence({ untilMs: 1 }), signal)).rejects.toThrow(/end had passed/);
    expect(asked).toEqual([]);
  });

  it('undoes a silence that an old server took for its opposite', async () => {
    const asked: string[] = [];
    const stored: object[] = [];
    const http: Http = {
      async request({ method, url, body }) {
        asked.push(`${method} ${new URL(url).pathname}`);
        if (method === 'POST') {
          const made = JSON.parse(String(body)) as { matchers: { isEqual?: boolean }[] };
          const matchers = made.matchers.map(({ isEqual: _, ...rest }) => rest);
          stored.push({ ...made, id: 's1', status: { state: 'active' }, matchers });
          return { status: 200, headers: {}, body: '{"silenceID":"s1"}' };
        }
        return { status: 200, headers: {}, body: JSON.stringify(/silence\/s1/.test(url) ? stored[0] : stored) };
      },
    };
    const source = createAlertSource({ http, endpoint: endpointAt('http://am'), instance, now: Date.now });
    const selectors = [[matcher('service', '=', 'x'), matcher('severity', '!=', 'info')]];
    await expect(source.silence(silence({ selectors }), signal)).rejects.toThrow(/does not know negative matchers/);
    expect(asked.at(-1)).toBe('DELETE /api/v2/silence/s1');
  });
});

interface Exchange {
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string };
  readonly response: { readonly status: number; readonly body: unknown };
}
const file = new URL('../../../shared/contracts/alertmanager/captured-0.25/api-v2.exchanges.json', import.meta.url);
const isThere = existsSync(file);

describe.skipIf(!isThere)(`what a real 0.25 said${isThere ? '' : ' (skipped: ../shared is missing)'}`, () => {
  const exchanges = isThere ? (JSON.parse(readFileSync(file, 'utf8')) as Exchange[]) : [];
  const said = (name: string): Answer => {
    const exchange = exchanges.find((one) => one.name.startsWith(name));
    if (!exchange) throw new Error(`No exchange is named ${name}.`);
    return exchange.response;
  };

  it.each(['list alerts filtered', 'list alerts: silenced', 'list alerts: refired'])('is read: %s', async (name) => {
    const { source } = scripted({
      'GET /prefix/api/v2/alerts': said(name),
      'GET /prefix/api/v2/status': status,
      'GET /prefix/api/v2/silences': said('list silences'),
    });
    const { alerts } = await source.list(signal);
    expect(alerts).toHaveLength((said(name).body as unknown[]).length);
    expect(alerts.every(({ alert }) => alert.status === 'firing' && alert.startsAtMs > 0)).toBe(true);
    // The silence there is a person's.
    const isSilenced = name.endsWith('silenced');
    expect(alerts.every((one) => one.mutedByOthers === isSilenced && one.mutedByTags.length === 0)).toBe(true);
  });

  it('about silences is understood: not ours, ended twice, never there', async () => {
    const silences = said('list silences');
    const ours = (silences.body as object[]).map((one) => ({ ...one, createdBy: 'Lastgood', comment: `x [${tag}]` }));
    const path = 'DELETE /prefix/api/v2/silence/987f0e60-a256-4599-a2ff-1cd40757ecb0';
    const list = 'GET /prefix/api/v2/silences';
    const notOurs = scripted({ [list]: silences });
    await notOurs.source.lift(tag, signal);
    expect(notOurs.asked).toHaveLength(1);
    for (const name of ['expire silence twice', 'delete silence: unknown id']) {
      const { source, asked } = scripted({ [list]: { status: 200, body: ours }, [path]: said(name) });
      await source.lift(tag, signal);
      expect(asked.map(({ method }) => method)).toEqual(['GET', 'DELETE']);
    }
    const broken = scripted({ [list]: { status: 200, body: ours }, [path]: { status: 500, body: 'disk full' } });
    await expect(broken.source.lift(tag, signal)).rejects.toMatchObject({ failure: 'retryable' });
  });
});

const missing = alertmanagerPath === null;
describe.skipIf(missing)(`a real one${missing ? ' (skipped: prometheus-alertmanager is not installed)' : ''}`, () => {
  let alertmanager: RunningAlertmanager;
  const http = createHttp();
  const sourceAt = (url: string) => createAlertSource({ http, endpoint: endpointAt(url), instance, now: Date.now });
  const source = () => sourceAt(alertmanager.url);
  const standing = async () =>
    (await silencesOf(alertmanager.url)).filter(({ status, comment }) => {
      return status.state === 'active' && comment.includes(tag);
    });

  beforeAll(async () => {
    alertmanager = await startAlertmanager({
      webhookUrl: 'http://127.0.0.1:9/nobody',
      bearerToken: 'x',
      groupWaitMs: 100,
      groupIntervalMs: 1_000,
    });
  });
  afterAll(async () => {
    http.close();
    await alertmanager?.stop();
  });

  it('makes a silence once, moves its end, follows changed matchers and lifts them all', async () => {
    const wanted = silence();
    await source().silence(wanted, signal);
    await source().silence(wanted, signal);
    const [made, ...others] = await standing();
    expect(others).toEqual([]);
    expect(made).toMatchObject({ createdBy: 'Lastgood', comment: `fraud-scorer is being rolled back. [${tag}]` });
    expect(Date.parse(made?.endsAt ?? '')).toBe(wanted.untilMs);

    const untilMs = wanted.untilMs + 5 * MINUTE;
    await source().silence({ ...wanted, untilMs }, signal);
    expect((await standing()).map(({ endsAt }) => Date.parse(endsAt))).toEqual([untilMs]);

    const negative = [matcher('service', '=', 'fraud-scorer'), matcher('severity', '!~', 'info|none')];
    const two = { ...wanted, untilMs, selectors: [negative, [matcher('team', '=', 'ml')], negative] };
    await source().silence(two, signal);
    const names = (await standing()).map(({ matchers }) => matchers.map(({ name }) => name).sort());
    expect(names.sort()).toEqual([['service', 'severity'], ['team']]);

    // Another degradation's stay.
    const neighbour = `${tag}0`;
    await source().silence({ ...wanted, tag: neighbour }, signal);
    await source().lift(tag, signal);
    await source().lift(tag, signal);
    expect((await standing()).map(({ comment }) => comment)).toEqual([expect.stringContaining(`[${neighbour}]`)]);
    await source().lift(neighbour, signal);
    expect(await standing()).toEqual([]);
  });

  it('finds the silence whose answer was lost', async () => {
    let fate: Fate = { is: 'unanswered', meanwhile: async () => undefined };
    const way = await startCheckpoint(alertmanager.url, ({ method }) => (method === 'POST' ? fate : { is: 'passes' }));
    try {
      const wanted = silence();
      await expect(sourceAt(way.url).silence(wanted, signal)).rejects.toMatchObject({ failure: 'ambiguous' });
      fate = { is: 'passes' };
      await sourceAt(way.url).silence(wanted, signal);
      expect(await standing()).toHaveLength(1);
      expect(way.crossings.filter(({ method }) => method === 'POST')).toHaveLength(1);
      await sourceAt(way.url).lift(tag, signal);
    } finally {
      await way.stop();
    }
  });

  it('tells what it holds, muted by us or by others', async () => {
    const labels = (name: string) => ({ alertname: name, service: 'fraud-scorer', severity: 'critical' });
    await postAlerts(alertmanager.url, [{ labels: labels('Errors') }, { labels: labels('Latency') }]);
    await source().silence(silence({ selectors: [[matcher('alertname', '=', 'Latency')]] }), signal);
    const list = await source().list(signal);
    const seen = list.alerts.map(({ alert, mutedByTags, mutedByOthers }) => [alert.name, mutedByTags, mutedByOthers]);
    expect(seen.sort()).toEqual([
      ['Errors', [], false],
      ['Latency', [tag], false],
    ]);
    expect(Math.abs(Date.now() - (list.upSinceMs ?? 0))).toBeLessThan(5 * MINUTE);
    await source().lift(tag, signal);
  });

  it('is read whole where it holds ten thousand alerts', { timeout: 60_000 }, async () => {
    const text = 'The candidate answers with errors. '.repeat(8);
    for (let from = 0; from < 10_000; from += 1000) {
      const some = Array.from({ length: 1000 }, (_, index) => ({
        labels: {
          alertname: 'Many',
          pod: `pod-${from + index}`,
          service: 'other',
          severity: 'warning',
          cluster: 'eu-1',
        },
        annotations: { summary: text, description: text },
        generatorURL: 'http://prometheus.example.com/graph?g0.expr=up',
      }));
      await postAlerts(alertmanager.url, some);
    }
    const beganMs = performance.now();
    const { alerts } = await source().list(signal);
    const tookMs = Math.round(performance.now() - beganMs);
    process.stdout.write(
      `10,000 alerts (${text.length} characters twice each) were asked for and read in ${tookMs} ms.\n`,
    );
    expect(alerts.length).toBeGreaterThanOrEqual(10_000);
  });
});
