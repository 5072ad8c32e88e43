import { describe, expect, it } from 'vitest';
import { unmetNeeds } from '../../src/app/checks.ts';
import { loadConfig } from '../../src/config.ts';
import type { Endpoint } from '../../src/domain/policy.ts';
import { policy } from '../runtime/support.ts';

const bare = {
  SLACK_BOT_TOKEN: 'xoxb-1-2-abc',
  SLACK_SIGNING_SECRET: 'signing-secret',
  ALERTMANAGER_WEBHOOK_TOKEN: 'a-token-long-enough',
};
const endpoint: Endpoint = {
  url: 'http://127.0.0.1:9',
  headers: {},
  tls: { ca: null, cert: null, key: null, insecure: false },
};
/** A policy that needs nothing of the instance. */
const modest = policy({ escalate: null, prometheus: endpoint });

describe('what policies need of the instance', () => {
  it.each([
    ['nothing', modest, {}, null],
    [
      'a key to page with',
      policy({ prometheus: endpoint, escalate: { ...escalation(), routingKey: null } }),
      { PAGERDUTY_ROUTING_KEY: 'x'.repeat(32) },
      /^fraud-scorer: the policy says escalate, .* set PAGERDUTY_ROUTING_KEY/,
    ],
    [
      'numbers',
      policy({ escalate: null }),
      { PROMETHEUS_URL: 'http://127.0.0.1:9090' },
      /^fraud-scorer: there is nowhere to read .* set PROMETHEUS_URL/,
    ],
    [
      'somewhere to silence alerts',
      { ...modest, silence: { forMs: 60_000 } },
      { ALERTMANAGER_URL: 'http://127.0.0.1:9093' },
      /^fraud-scorer: the policy says silence, .* set ALERTMANAGER_URL/,
    ],
  ] as const)('%s', (_, needy, given, expected) => {
    const without = unmetNeeds(loadConfig(bare), [needy]);
    expect(without).toEqual(expected === null ? [] : [expect.stringMatching(expected)]);
    expect(unmetNeeds(loadConfig({ ...bare, ...given }), [needy])).toEqual([]);
  });

  it('an Alertmanager of the policy’s own will do for its silences', () => {
    const own = { ...modest, silence: { forMs: 60_000 }, alertmanager: endpoint };
    expect(unmetNeeds(loadConfig(bare), [own])).toEqual([]);
  });
});

function escalation() {
  const { escalate } = policy();
  if (escalate === null) throw new Error('the policy of the tests pages');
  return escalate;
}
