import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parsePolicy, revisionOf } from '../../src/policies/index.ts';
import { durationMs, formatDuration } from '../../src/policies/values.ts';
import { base, directoryWith, policyOf, policyText, secrets, targets } from './support.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('a policy as the decisions see it', () => {
  it('has a default for all that need not be said', async () => {
    const policy = await policyOf(base);
    expect(policy).toEqual({
      service: 'fraud-scorer',
      description: '',
      revision: revisionOf(base),
      commit: null,
      mode: 'enforce',
      channel: '#ml-rollouts',
      runbookUrl: null,
      dashboardUrl: null,
      target: { kind: 'alias', config: { model: 'fraud' } },
      strategy: { kind: 'switch', warmUp: null, keepMs: 0 },
      objective: 'no-worse',
      requires: null,
      steps: [{ exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }],
      rollback: {
        phases: [{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }],
        verify: { soakMs: 2 * minute, maxSoakMs: 10 * minute },
      },
      metrics: [
        {
          name: 'errors',
          title: 'Errors',
          unit: '%',
          source: {
            kind: 'proportion',
            bad: 'errors{version="{{version}}"}',
            good: null,
            total: 'all{version="{{version}}"}',
          },
          direction: 'lower-is-better',
          tolerance: { relative: 0.25, absolute: null, healthyRatio: 1.5 },
          minimumSamples: 100,
          criticalLimit: null,
          weight: 1,
        },
      ],
      comparison: {
        windowMs: 30_000,
        warmUpMs: 2 * minute,
        everyMs: 15_000,
        minimumWindows: 3,
        lastWeekOffsetMs: 168 * hour,
      },
      prometheus: null,
      alertmanager: null,
      alerts: [{ matchers: [{ label: 'service', operator: '=', value: 'fraud-scorer' }], severity: null }],
      approvers: { users: ['U1', 'U2', 'U3'], quorum: 2 },
      respond: {
        graceMs: minute,
        deadlineMs: 15 * minute,
        criticalDeadlineMs: 15 * minute,
        defaultAction: 'rollback',
        whenUnknown: 'hold',
        extendCapMs: 90 * minute,
        acknowledgeMs: 15 * minute,
        stabilityMs: 2 * minute,
        holdMs: 30 * minute,
      },
      escalate: null,
      silence: null,
      lastGoodAfterMs: hour,
      watchMs: 24 * hour,
    });
  });

  it('takes three soaks for the longest soak, and goes back the way it came', async () => {
    const policy = await policyOf(
      policyText('steps: [{ exposure: 10, soak: 10m }, { exposure: 50%, soak: 5m, maxSoak: 6m }, { exposure: 100 }]\n'),
    );
    expect(policy.steps.map((step) => [step.exposurePercent, step.soakMs / minute, step.maxSoakMs / minute])).toEqual([
      [10, 10, 30],
      [50, 5, 6],
      [100, 0, 0],
    ]);
    expect(policy.rollback.phases.map((phase) => [phase.exposurePercent, phase.soakMs / minute])).toEqual([
      [50, 1],
      [10, 1],
      [0, 0],
    ]);
  });

  it('holds the longest verification to its soak where one is given', async () => {
    const policy = await policyOf(policyText('rollback: { verify: { soak: 5m } }\n'));
    expect(policy.rollback.verify).toEqual({ soakMs: 5 * minute, maxSoakMs: 15 * minute });
  });

  it('reads every kind of metric, and shares the weights out', async () => {
    const policy = await policyOf(
      policyText(`metrics:
  - { name: click_rate, kind: proportion, good: 'x{v="{{arm}}"}', total: 'y{v="{{arm}}"}', weight: 2, critical: 20%, tolerance: { relative: 10%, absolute: 0.5% } }
  - { name: restarts, kind: rate, events: 'x{v="{{arm}}"}', tolerance: { absolute: 0.1 } }
  - { name: slow, kind: latency, buckets: 'x_bucket{v="{{arm}}"}', bounds: [0.1, 0.5], unit: ms }
  - { name: memory, kind: gauge, value: 'avg(x{v=~"{{arm}}|b"} / 2)', direction: higher-is-better, tolerance: { healthy: 2 } }
`),
    );
    expect(
      policy.metrics.map((metric) => [
        metric.title,
        metric.unit,
        metric.direction,
        metric.weight,
        metric.minimumSamples,
      ]),
    ).toEqual([
      ['Click rate', '%', 'higher-is-better', 0.4, 100],
      ['Restarts', '/s', 'lower-is-better', 0.2, 100],
      ['Slow', 'ms', 'lower-is-better', 0.2, 100],
      ['Memory', '', 'higher-is-better', 0.2, 6],
    ]);
    expect(policy.metrics.map((metric) => metric.tolerance)).toEqual([
      { relative: 0.1, absolute: 0.005, healthyRatio: 1.5 },
      { relative: null, absolute: 0.1, healthyRatio: 1.5 },
      { relative: 0.25, absolute: null, healthyRatio: 1.5 },
      { relative: 0.25, absolute: null, healthyRatio: 2 },
    ]);
    expect(policy.metrics[0]?.criticalLimit).toBe(0.2);
    expect(policy.metrics[2]?.source).toEqual({
      kind: 'latency',
      buckets: 'x_bucket{v="{{arm}}"}',
      bounds: [0.1, 0.5],
    });
  });

  it('fills secrets into target, endpoints and routing key, and into nothing that is kept', async () => {
    const directory = await directoryWith({ 'ca.pem': '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n' });
    const text = policyText(
      `escalate: { after: 5m, routingKey: "\${LASTGOOD_SECRET_PAGERDUTY}" }
prometheus: { url: "https://prom/api/", headers: { X-Scope-OrgID: 12 }, bearer: "\${LASTGOOD_SECRET_PROM}", tls: { ca: ca.pem } }
alertmanager: { url: "http://am", basic: { username: lastgood, password: "\${LASTGOOD_SECRET_PROM}" } }
target: { kind: alias, model: "\${LASTGOOD_SECRET_ROUTER}/$\${plain}" }
`,
      base,
    );
    const { policy: loaded, problems } = await parsePolicy(text, `${directory}/p.yaml`, { targets, secrets });
    expect(problems).toEqual([]);
    const policy = loaded?.policy;
    expect(policy?.escalate?.routingKey).toBe('pagerduty-secret-value');
    expect(policy?.target.config).toEqual({ model: `router-secret-value/\${plain}` });
    expect(policy?.prometheus).toEqual({
      url: 'https://prom/api',
      headers: { 'X-Scope-OrgID': '12', Authorization: 'Bearer prometheus-secret-value' },
      tls: { ca: expect.stringContaining('BEGIN CERTIFICATE'), cert: null, key: null, insecure: false },
    });
    expect(policy?.alertmanager?.headers).toEqual({
      Authorization: `Basic ${Buffer.from('lastgood:prometheus-secret-value').toString('base64')}`,
    });
    expect(loaded?.yaml).toBe(text);
    expect(loaded?.yaml).not.toContain('secret-value');
  });

  it('reads the certificates of a target as it does those of an endpoint', async () => {
    const directory = await directoryWith({ 'ca.pem': '-----BEGIN CERTIFICATE-----' });
    const settings = { steps: 'any' as const, config: z.strictObject({ tls: z.strictObject({ ca: z.string() }) }) };
    const load = (ca: string) =>
      parsePolicy(policyText(`target: { kind: tls, tls: { ca: "${ca}" } }\n`), `${directory}/p.yaml`, {
        targets: { tls: settings },
        secrets: { LASTGOOD_SECRET_CA: '-----BEGIN CERTIFICATE----- of a secret' },
      });
    const caOf = async (ca: string) => (await load(ca)).policy?.policy.target.config;
    expect(await caOf('ca.pem')).toMatchObject({ tls: { ca: '-----BEGIN CERTIFICATE-----' } });
    expect(await caOf(`\${LASTGOOD_SECRET_CA}`)).toMatchObject({
      tls: { ca: '-----BEGIN CERTIFICATE----- of a secret' },
    });
    expect((await load('p.pem')).problems).toEqual([
      expect.objectContaining({ path: 'target.tls.ca', message: 'the file p.pem cannot be read: it does not exist' }),
    ]);
  });

  it('is another revision as soon as one character differs', () => {
    expect(revisionOf(base)).toMatch(/^[0-9a-f]{12}$/);
    expect(revisionOf(`${base} `)).not.toBe(revisionOf(base));
  });
});

describe('durations', () => {
  it.each([
    ['30s', 30_000],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['0s', 0],
  ])('%s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
    expect(durationMs(formatDuration(ms))).toBe(ms);
  });
  it.each(['', '10', 's', '-1s', '1 h', '1y', '1h-', '1e3s', '١s'])('%j is none', (text) => {
    expect(durationMs(text)).toBeNull();
  });
});
