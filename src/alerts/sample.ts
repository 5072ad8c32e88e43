import { compileMatcher, matches } from '../domain/match.ts';
import type { AlertSelector, Matcher, Policy, Severity } from '../domain/policy.ts';
import { WebhookProblem } from './alertmanager.ts';
import { guessExamples } from './examples.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface SampleOptions {
  /** Unix ms. */
  readonly now: number;
  readonly status: 'firing' | 'resolved';
  /** What the alert's `severity` label says, where the policy's matchers leave it open. */
  readonly severity?: Severity;
  /** When it began, Unix ms: give a resolved one that of the firing one it ends. */
  readonly startsAtMs?: number;
}

/** How many texts are tried for a label that has several expressions to match. */
const maxTries = 200;

/**
 * A webhook as Alertmanager would send it for this policy: what `lastgood test-alert` posts. Throws WebhookProblem where the
 * policy has no alerts, or matchers that no alert can match.
 */
export function sampleWebhook(policy: Policy, options: SampleOptions): unknown {
  const [selector] = policy.alerts;
  if (!selector) throw new WebhookProblem(`The policy of ${policy.service} has no alerts: no alert would reach it.`);
  const labels = labelsFor(policy, selector, options.severity ?? selector.severity ?? 'warning');
  const startsAtMs = options.startsAtMs ?? (options.status === 'firing' ? options.now : options.now - 60_000);
  const annotations = {
    summary: `Test alert for ${policy.service}`,
    description: 'Sent by lastgood test-alert. Nothing is wrong; who decides on it decides for real.',
  };
  const groupLabels = labels.alertname === undefined ? {} : { alertname: labels.alertname };
  const alert = {
    status: options.status,
    labels,
    annotations,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: options.status === 'firing' ? '0001-01-01T00:00:00Z' : new Date(options.now).toISOString(),
    generatorURL: '',
    fingerprint: fingerprintOf(labels),
  };
  return {
    version: '4',
    groupKey: `{}/{lastgood_test="true"}:{service=${JSON.stringify(policy.service)}}`,
    truncatedAlerts: 0,
    status: options.status,
    receiver: 'lastgood-test',
    groupLabels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: '',
    alerts: [alert],
  };
}

function labelsFor(policy: Policy, selector: AlertSelector, severity: Severity): Record<string, string> {
  // What an alert usually has, where the matchers do not say otherwise.
  const usual: Readonly<Record<string, string>> = {
    alertname: 'LastgoodTest',
    service: policy.service,
    severity,
    lastgood_test: 'true',
  };
  const names = new Set([...Object.keys(usual), ...selector.matchers.map((matcher) => matcher.label)]);
  const labels: Record<string, string> = {};
  for (const name of names) {
    const matchers = selector.matchers.filter((matcher) => matcher.label === name);
    const value = valueFor(matchers, usual[name]);
    if (value === null) throw new WebhookProblem(noValue(policy, name, matchers));
    if (value !== '') labels[name] = value;
  }
  if (!matches(selector, labels))
    throw new WebhookProblem(`No alert could be made that matches the policy of ${policy.service}.`);
  return labels;
}

/** Only where a matcher names the value is it certain that there is none; expressions are guessed at. */
function noValue(policy: Policy, name: string, matchers: readonly Matcher[]): string {
  return matchers.some((matcher) => matcher.operator === '=')
    ? `No alert can match the policy of ${policy.service}: its matchers for ${name} contradict each other.`
    : `No alert could be made that matches the policy of ${policy.service}: no value was found for ${name} that its matchers accept. They contradict each other or are too intricate to guess at; test with an alert of your own.`;
}

/** A value all matchers of one label accept, '' for "the label is not there"; null: none was found. */
function valueFor(matchers: readonly Matcher[], usual: string | undefined): string | null {
  const tests = matchers.map(compileMatcher);
  const wanted = matchers.flatMap((matcher) => {
    if (matcher.operator === '=') return [matcher.value];
    return matcher.operator === '=~' ? guessExamples(matcher.value, maxTries) : [];
  });
  const candidates = [
    ...(usual === undefined ? [] : [usual]),
    ...wanted.filter((text) => text !== ''),
    'test',
    'test-2',
    '',
  ];
  return candidates.find((candidate) => tests.every((accepts) => accepts(candidate))) ?? null;
}
