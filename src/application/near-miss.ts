import { compileMatcher } from '../domain/match.ts';
import type { AlertSelector, Matcher, Policy } from '../domain/policy.ts';

/** How near a policy came to an alert that it does not match. */
export interface NearMiss {
  readonly service: string;
  /** Matchers of its nearest selector that hold, of how many. */
  readonly held: number;
  readonly of: number;
  /** `fraud-scorer: wants severity=~"warning|critical", has severity="info"` */
  readonly text: string;
}

/** What each policy missed in an alert with these labels, the nearest first. Null where one matches it after all. */
export function nearMisses(
  policies: readonly Policy[],
  labels: Readonly<Record<string, string>>,
): readonly NearMiss[] | null {
  const misses = policies.map((policy) => nearest(policy, labels));
  if (misses.some((miss) => miss.held === miss.of && miss.of > 0)) return null;
  const missing = (miss: NearMiss) => (miss.of === 0 ? Number.POSITIVE_INFINITY : miss.of - miss.held);
  // One that misses as many but holds more is nearer: its service is the alert's.
  return misses.sort(
    (a, b) =>
      missing(a) - missing(b) || b.held - a.held || (a.service < b.service ? -1 : Number(a.service > b.service)),
  );
}

function nearest(policy: Policy, labels: Readonly<Record<string, string>>): NearMiss {
  const { service } = policy;
  const selectors = policy.alerts.map((selector) => ({ selector, failing: failingOf(selector, labels) }));
  const [best] = selectors.sort(
    (a, b) => a.failing.length - b.failing.length || b.selector.matchers.length - a.selector.matchers.length,
  );
  if (!best) return { service, held: 0, of: 0, text: `${service}: its policy names no alerts` };
  const of = best.selector.matchers.length;
  const told = best.failing.map((matcher) => `wants ${written(matcher)}, ${has(matcher.label, labels)}`);
  return { service, held: of - best.failing.length, of, text: `${service}: ${told.join('; ')}` };
}

function failingOf(selector: AlertSelector, labels: Readonly<Record<string, string>>): readonly Matcher[] {
  return selector.matchers.filter((matcher) => !compileMatcher(matcher)(labelOf(matcher.label, labels)));
}

function has(label: string, labels: Readonly<Record<string, string>>): string {
  const value = labelOf(label, labels);
  return value === '' ? `has no ${label}` : `has ${label}=${JSON.stringify(value)}`;
}

function written({ label, operator, value }: Matcher): string {
  return `${label}${operator}${JSON.stringify(value)}`;
}

function labelOf(label: string, labels: Readonly<Record<string, string>>): string {
  return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
}
