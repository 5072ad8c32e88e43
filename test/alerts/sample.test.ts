import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseWebhook, type SampleOptions, sampleWebhook, WebhookProblem } from '../../src/alerts/index.ts';
import { matches } from '../../src/domain/match.ts';
import type { AlertSelector, Matcher } from '../../src/domain/policy.ts';
import { policy as policyWith } from '../support/policy.ts';

const now = Date.UTC(2026, 10, 21, 12);
const schemaFile = fileURLToPath(
  new URL('../../../shared/contracts/alertmanager/webhook-v4.schema.json', import.meta.url),
);
const schemaThere = existsSync(schemaFile);

type Short = [string, Matcher['operator'], string];
const selector = (matchers: readonly Short[], severity: AlertSelector['severity'] = null): AlertSelector => ({
  matchers: matchers.map(([label, operator, value]) => ({ label, operator, value })),
  severity,
});
const sample = (given: AlertSelector, options: Partial<SampleOptions> = {}) =>
  sampleWebhook(policyWith({ alerts: [given] }), { now, status: 'firing', ...options });

const selectors: [string, Short[]][] = [
  ['a service', [['service', '=', 'fraud-scorer']]],
  ["another service than the policy's", [['service', '=', 'other']]],
  [
    'alternatives',
    [
      ['service', '=', 'x'],
      ['severity', '=~', 'info|critical'],
    ],
  ],
  ['an expression', [['alertname', '=~', '(Model|Feature)Drift[0-9]{2}.+']]],
  [
    'only what it is not',
    [
      ['service', '=', 'x'],
      ['severity', '!=', 'warning'],
      ['env', '!~', 'dev|test'],
    ],
  ],
  [
    'a label that must be missing',
    [
      ['service', '=', 'x'],
      ['muted', '=', ''],
      ['lastgood_test', '=', ''],
    ],
  ],
  [
    'two expressions for one label',
    [
      ['team', '=~', 'ml|search'],
      ['team', '!~', 'm.*'],
    ],
  ],
  ['a label that is not ASCII', [['größe', '=~', '\\p{Lu}.']]],
];

describe('a sample webhook reaches the policy it is made for', () => {
  it.each(selectors)('%s', (_, matchers) => {
    const [alert] = parseWebhook(sample(selector(matchers))).alerts;
    expect(matches(selector(matchers), alert?.labels ?? {})).toBe(true);
  });

  it('has the severity asked for, where the matchers leave it open', () => {
    const severityOf = (given: AlertSelector, severity?: 'warning' | 'critical') =>
      parseWebhook(sample(given, { severity })).alerts[0]?.severity;
    const open = selector([
      ['service', '=', 'x'],
      ['severity', '=~', 'warning|critical'],
    ]);
    expect(severityOf(open)).toBe('warning');
    expect(severityOf(open, 'critical')).toBe('critical');
    expect(severityOf({ ...open, severity: 'critical' })).toBe('critical');
    expect(severityOf(selector([['severity', '=', 'critical']]), 'warning')).toBe('critical');
  });

  it('resolves the alert that fired', () => {
    const fired = parseWebhook(sample(selector([['service', '=', 'x']])));
    const startsAtMs = fired.alerts[0]?.startsAtMs;
    const ended = parseWebhook(
      sample(selector([['service', '=', 'x']]), { status: 'resolved', now: now + 1000, startsAtMs }),
    );
    expect(ended.alerts[0]).toEqual({ ...fired.alerts[0], status: 'resolved', endsAtMs: now + 1000 });
    expect(ended.groupStatus).toBe('resolved');
  });

  it('says so where no alert can match', () => {
    expect(() => sampleWebhook(policyWith({ alerts: [] }), { now, status: 'firing' })).toThrow(WebhookProblem);
    const contradiction = selector([
      ['a', '=', 'x'],
      ['a', '=', 'y'],
    ]);
    expect(() => sample(contradiction)).toThrow(/matchers for a contradict each other/);
  });

  it.each([
    'warning|critical',
    '(?i)a[0-9]{3}.+',
    '\\pL\\d*',
    'x{2,}',
    '[^a-z]',
    '[]|(]b',
    '(?:eu|us)-(west|east)-[1-3]{1,2}?(:\\d{4})?',
    '(?P<team>ml|(?:fraud|search)+)/v\\d+\\.\\d+',
    '(ab{2}){3}',
    '^fraud\\b-scorer$',
    '\\Qa|(b\\E\\(c\\|d\\)',
    '[[:upper:]]{2}\\x41?',
    '(a|b)'.repeat(40),
  ])('finds a value for %s', (source) => {
    const given = selector([['a', '=~', source]]);
    const [alert] = parseWebhook(sample(given)).alerts;
    expect(alert?.labels.a).toMatch(/./);
    expect(matches(given, alert?.labels ?? {})).toBe(true);
  });

  it('says so where it finds no value for an expression', () => {
    expect(() => sample(selector([['a', '=~', '\\x{1F98A}']]))).toThrow(/no value was found for a/);
  });

  describe.skipIf(!schemaThere)("has Alertmanager's form (skipped: ../shared is missing)", () => {
    const validate = schemaThere
      ? new Ajv2020({ allErrors: true, formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/ } }).compile(
          JSON.parse(readFileSync(schemaFile, 'utf8')),
        )
      : null;
    it.each(
      selectors.flatMap(([name, matchers]) =>
        (['firing', 'resolved'] as const).map((status) => [name, status, matchers] as const),
      ),
    )('%s, %s', (_, status, matchers) => {
      validate?.(sample(selector(matchers), { status }));
      expect(validate?.errors).toBeNull();
    });
  });
});
