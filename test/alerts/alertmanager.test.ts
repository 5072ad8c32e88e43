import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWebhook, WebhookProblem } from '../../src/alerts/index.ts';

const contracts = fileURLToPath(new URL('../../../shared/contracts/alertmanager/', import.meta.url));
const recorded = existsSync(contracts);

const alert = {
  status: 'firing',
  labels: { alertname: 'ErrorRateHigh', service: 'fraud-scorer', severity: 'critical' },
  annotations: {
    summary: 'Too many errors',
    description: 'line 1\nline 2',
    runbook_url: 'https://runbooks.example.com/x',
  },
  startsAt: '2026-11-21T00:16:40.024Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example.com/graph',
  fingerprint: 'bafe751c6f67767e',
};
const webhook = (patch: object = {}, alertPatch: object = {}) => ({
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'lastgood',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example.com/am',
  alerts: [{ ...alert, ...alertPatch }],
  ...patch,
});
const only = (alertPatch: object, patch: object = {}) => {
  const [first] = parseWebhook(webhook(patch, alertPatch)).alerts;
  if (!first) throw new Error('no alert');
  return first;
};

describe('a webhook becomes alerts', () => {
  it('with all that is kept of them', () => {
    expect(parseWebhook(webhook())).toEqual({
      groupStatus: 'firing',
      truncatedAlerts: 0,
      externalUrl: 'http://alertmanager.example.com/am',
      alerts: [
        {
          fingerprint: 'bafe751c6f67767e',
          name: 'ErrorRateHigh',
          severity: 'critical',
          status: 'firing',
          startsAtMs: Date.UTC(2026, 10, 21, 0, 16, 40, 24),
          endsAtMs: null,
          summary: 'Too many errors',
          description: 'line 1\nline 2',
          labels: alert.labels,
          generatorUrl: 'http://prometheus.example.com/graph',
          runbookUrl: 'https://runbooks.example.com/x',
        },
      ],
    });
  });

  it.each([
    ['critical', 'critical'],
    ['page', 'critical'],
    ['Error', 'critical'],
    ['warning', 'warning'],
    ['info', 'warning'],
    [undefined, 'warning'],
  ])('severity %j is %s', (severity, expected) => {
    expect(only({ labels: severity === undefined ? {} : { severity } }).severity).toBe(expected);
  });

  it.each([
    [{ summary: 'a', title: 'b', message: 'c', description: 'd' }, 'a'],
    [{ summary: ' ', title: 'b', message: 'c' }, 'b'],
    [{ message: 'c', description: 'd' }, 'c'],
    [{ description: 'd\ne' }, 'd e'],
    [{ summary: '' }, 'ErrorRateHigh'],
    [{}, 'ErrorRateHigh'],
    [null, 'ErrorRateHigh'],
  ])('the summary of %j is %j', (annotations, expected) => {
    expect(only({ annotations }).summary).toBe(expected);
  });

  it('decides per alert, not per group', () => {
    const { alerts, groupStatus } = parseWebhook(
      webhook({ alerts: [alert, { ...alert, status: 'resolved', endsAt: '2026-11-21T00:20:00Z' }] }),
    );
    expect(groupStatus).toBe('firing');
    expect(alerts.map(({ status, endsAtMs }) => [status, endsAtMs])).toEqual([
      ['firing', null],
      ['resolved', Date.UTC(2026, 10, 21, 0, 20)],
    ]);
  });

  it.each([
    ['the group fires', 'firing', '0001-01-01T00:00:00Z', 'firing'],
    ['the group is resolved', 'resolved', '0001-01-01T00:00:00Z', 'resolved'],
    ['it ended within a firing group', 'firing', '2026-11-21T00:20:00Z', 'resolved'],
    ['nobody says', undefined, undefined, 'firing'],
  ])('without a status of its own: %s', (_, group, endsAt, expected) => {
    expect(only({ status: undefined, endsAt }, { status: group }).status).toBe(expected);
  });

  it('makes a missing fingerprint as Alertmanager would', () => {
    const labels = { alertname: 'Unicode', service: '日本語-ranker', severity: 'critical' };
    expect(only({ labels, fingerprint: undefined }).fingerprint).toBe('3b1f0cef7630da78');
    expect(
      only({ labels: Object.fromEntries(Object.entries(labels).reverse()), fingerprint: '<!channel>' }).fingerprint,
    ).toBe('3b1f0cef7630da78');
  });

  it('keeps out what could harm a reader', () => {
    const texts = only({
      labels: { alertname: 'A\u0000\u001b[31mB\u202eC\nD', big: 'x'.repeat(5000), fox: '🦊'.repeat(2000) },
      annotations: { summary: `s\ud800 ${'y'.repeat(9000)}`, description: 'a\u0007\r\nb\u2028c' },
      generatorURL: 'javascript:alert(1)',
    });
    expect(texts.name).toBe('A[31mBC D');
    expect(texts.labels.big).toHaveLength(1024);
    expect(texts.labels.fox?.isWellFormed()).toBe(true);
    expect(texts.summary.length).toBeLessThanOrEqual(500);
    expect(texts.summary.isWellFormed()).toBe(true);
    expect(texts.description).toBe('a\nb\nc');
    expect(texts.generatorUrl).toBe('');
  });

  it('makes a relative address whole, and drops one that is none', () => {
    expect(only({ generatorURL: '?orgId=1' }, { externalURL: 'https://grafana.example.com/x/' }).generatorUrl).toBe(
      'https://grafana.example.com/x/?orgId=1',
    );
    expect(only({ generatorURL: '?orgId=1' }, { externalURL: '' }).generatorUrl).toBe('');
    expect(only({ annotations: { runbook: 'wiki/x' } }).runbookUrl).toBe('');
    expect(parseWebhook(webhook({ externalURL: 'ftp://x' })).externalUrl).toBe('');
  });

  it('keeps what the sender left out countable, and takes 500 alerts', () => {
    const many = Array.from({ length: 500 }, (_, n) => ({
      ...alert,
      labels: { ...alert.labels, shard: `${n}` },
      fingerprint: undefined,
    }));
    const { alerts, truncatedAlerts } = parseWebhook(webhook({ alerts: many, truncatedAlerts: 3 }));
    expect(new Set(alerts.map(({ fingerprint }) => fingerprint)).size).toBe(500);
    expect(truncatedAlerts).toBe(3);
  });
});

describe('what is no webhook is refused, field by field', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'the body must be a JSON object'],
    ['a text', 'alerts', 'the body must be a JSON object'],
    ['a list', [], 'the body must be a JSON object'],
    ['no alerts', {}, 'alerts must be a list of alerts'],
    ['alerts as a mapping', { alerts: {} }, 'alerts must be a list of alerts'],
    ['an alert that is none', { alerts: ['x'] }, 'alerts[0] must be an alert'],
    [
      'several fields',
      webhook({ status: 'pending' }, { labels: { a: [] }, startsAt: 'tomorrow' }),
      'status must be firing or resolved; alerts[0].labels.a must be a text; alerts[0].startsAt must be a time such as 2026-11-21T00:16:40.024Z',
    ],
  ])('%s', (_, body, message) => {
    expect(() => parseWebhook(body)).toThrow(WebhookProblem);
    expect(() => parseWebhook(body)).toThrow(message);
  });

  it('does not grow with what is wrong', () => {
    const body = webhook({ alerts: Array.from({ length: 500 }, () => ({})) });
    expect(() => parseWebhook(body)).toThrow(/; and 980 more$/);
  });

  it('whatever comes in: alerts, or a WebhookProblem', () => {
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(alert.startsAt, 'firing', 'http://x/', '\u202e\ud800', -1, 1e300),
    );
    const keys = fc.constantFrom(
      'status',
      'labels',
      'annotations',
      'startsAt',
      'endsAt',
      'generatorURL',
      'fingerprint',
      '__proto__',
      'constructor',
    );
    const record = (known: object) =>
      fc.array(fc.tuple(keys, values), { maxLength: 4 }).map((patch) => ({ ...known, ...Object.fromEntries(patch) }));
    const body = fc.oneof(
      fc.jsonValue(),
      record(webhook()),
      fc.array(record(alert), { maxLength: 3 }).map((alerts) => webhook({ alerts })),
      fc
        .dictionary(fc.string(), fc.oneof(fc.string(), fc.constant(null), fc.integer()), { maxKeys: 5 })
        .map((labels) => webhook({}, { labels, annotations: labels })),
      fc.string().map((startsAt) => webhook({}, { startsAt })),
    );
    fc.assert(
      fc.property(body, (input) => {
        try {
          for (const read of parseWebhook(input).alerts) {
            expect(read.fingerprint).toMatch(/^[\w.:-]{1,64}$/);
            expect(Number.isFinite(read.startsAtMs)).toBe(true);
            expect(read.name.length).toBeGreaterThan(0);
            expect(Object.values(read.labels).every((value) => typeof value === 'string')).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(WebhookProblem);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe.skipIf(!recorded)('recorded webhooks (skipped: ../shared is missing)', () => {
  const bodies = (folder: string): [string, { alerts: (typeof alert)[] }][] =>
    (recorded ? readdirSync(`${contracts}${folder}`) : [])
      .filter((name) => name.startsWith('webhook.') || folder === 'third-party')
      .map((name) => [`${folder}/${name}`, JSON.parse(readFileSync(`${contracts}${folder}/${name}`, 'utf8'))]);
  const all = ['captured-0.25', 'constructed', 'third-party'].flatMap(bodies);

  it('there are some of each', () => {
    expect(all.length).toBeGreaterThanOrEqual(13);
  });

  it.each(all)('%s', (_, body) => {
    const { alerts } = parseWebhook(body);
    expect(alerts.map(({ labels }) => labels)).toEqual(body.alerts.map(({ labels }) => labels));
    expect(alerts.map(({ name }) => name)).toEqual(body.alerts.map(({ labels }) => labels.alertname));
    expect(alerts.map(({ startsAtMs }) => startsAtMs)).toEqual(body.alerts.map(({ startsAt }) => Date.parse(startsAt)));
    for (const [index, { status, endsAtMs, fingerprint }] of alerts.entries()) {
      const given = body.alerts[index];
      expect(status).toBe(given?.status ?? 'firing');
      expect(endsAtMs === null).toBe(given?.endsAt.startsWith('0001'));
      if (given?.fingerprint) expect(fingerprint).toBe(given.fingerprint);
    }
  });

  it.each(bodies('captured-0.25'))('%s: a fingerprint made here is the one Alertmanager gave', (_, body) => {
    const without = { ...body, alerts: body.alerts.map(({ fingerprint: _left, ...rest }) => rest) };
    expect(parseWebhook(without).alerts.map(({ fingerprint }) => fingerprint)).toEqual(
      body.alerts.map(({ fingerprint }) => fingerprint),
    );
  });

  it("the exact bytes of Go's encoder", () => {
    const { body } = JSON.parse(readFileSync(`${contracts}captured-0.25/raw-body.single-firing.txt.json`, 'utf8'));
    expect(parseWebhook(JSON.parse(body)).alerts).toHaveLength(1);
  });
});
