import fc from 'fast-check';
import { parseWebhook, WebhookProblem } from '../../src/alerts/index.ts';
import { unmatchedNote } from '../../src/application/unmatched-note.ts';
import { decide } from '../../src/domain/decide.ts';
import { initialState } from '../../src/domain/initial.ts';
import type { Alert } from '../../src/domain/state.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { at, degradation, entry, NOON, policy, state, view } from '../slack/states.ts';
import { area } from './area.ts';
import { checkMessage } from './drawn.ts';
import { anything, mostly, text } from './words.ts';

const names = ['alerts', 'status', 'labels', 'annotations', 'startsAt', 'endsAt', 'alertname', 'severity', 'service'];
const labels = fc.record(
  {
    alertname: mostly(text),
    service: mostly(fc.constantFrom('fraud-scorer', 'other')),
    severity: mostly(fc.constantFrom('warning', 'critical', 'page')),
    version: mostly(text),
  },
  { requiredKeys: [] },
);
const annotations = fc.record({ summary: text, description: text, runbook_url: text }, { requiredKeys: [] });
const moment = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom('2026-11-21T12:00:00Z', '0001-01-01T00:00:00Z', '2026-11-21T12:00:00.123456789+01:00'),
  },
  { weight: 1, arbitrary: text },
);
const alert = fc.record(
  {
    status: mostly(fc.constantFrom('firing', 'resolved')),
    labels: mostly(labels),
    annotations: mostly(annotations),
    startsAt: moment,
    endsAt: moment,
    generatorURL: mostly(fc.oneof(text, fc.webUrl({ withQueryParameters: true, withFragments: true }))),
    fingerprint: mostly(text),
  },
  { requiredKeys: ['labels', 'startsAt'] },
);
const webhook = fc.record(
  {
    version: mostly(fc.constant('4')),
    status: mostly(fc.constantFrom('firing', 'resolved')),
    externalURL: mostly(text),
    truncatedAlerts: mostly(fc.nat(5)),
    alerts: mostly(fc.array(alert, { maxLength: 4 }), names),
  },
  { requiredKeys: ['alerts'] },
);
const bodies = fc.oneof(
  { weight: 9, arbitrary: webhook as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: anything(names) },
);

/** An Alertmanager's webhook, from the JSON to the decision. */
export const webhooks = area('webhooks', 25, bodies, (body) => {
  const alerts = parsed(body);
  if (alerts.length === 0) return;
  for (const before of [initialState('fraud-scorer', NOON), state()]) {
    for (const alert of alerts) decide(before, { type: 'alert', alert }, { now: at(4), policy: policy() });
  }
});

/** The same, to what Slack is shown of it. */
export const alertCards = area('alerts on cards', 1, bodies, (body) => {
  const alerts = parsed(body);
  const [first] = alerts;
  if (!first) return;
  const signals = alerts.map((a) => ({
    kind: 'alert' as const,
    fingerprint: a.fingerprint,
    name: a.name,
    severity: a.severity,
    atMs: at(0),
  }));
  const scene = { state: { alerts }, degradation: degradation({ signals }) };
  for (const kind of ['rollout', 'degradation'] as const) checkMessage(draw({ kind: 'card', view: view(kind, scene) }));
  const told = entry({ text: `${first.name}: ${first.summary}`, reason: first.description });
  checkMessage(draw({ kind: 'entry', entry: told }));
  checkMessage(draw({ kind: 'report', view: view('degradation', scene), journal: [told] }));
  const unmatched = alerts.map((a) => ({ ...a, firstSeenMs: NOON, lastSeenMs: NOON, count: 1 }));
  checkMessage(draw({ kind: 'note', text: unmatchedNote(unmatched, [policy()]) }));
});

function parsed(body: unknown): readonly Alert[] {
  try {
    return parseWebhook(JSON.parse(JSON.stringify(body) ?? 'null')).alerts;
  } catch (error) {
    // A refusal, with a sentence for the sender's log.
    if (error instanceof WebhookProblem && error.message.length < 20_000) return [];
    throw error;
  }
}
