import type { Config } from '../config.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';

/** What policies need of the instance and the instance has not got, one line a problem. */
export function unmetNeeds(config: Config, policies: readonly Policy[]): readonly string[] {
  const problems: string[] = [];
  const services = (needs: (policy: Policy) => boolean) => policies.filter(needs).map(({ service }) => service);
  const pageless = services(({ escalate }) => escalate !== null && escalate.routingKey === null);
  if (pageless.length > 0 && config.pagerduty.routingKey === null) {
    problems.push(
      `${pageless.join(', ')}: the policy says escalate, and there is no key to page with: set PAGERDUTY_ROUTING_KEY, give escalate.routingKey in the policy, or take escalate out of it`,
    );
  }
  const blind = services(({ prometheus, metrics }) => prometheus === null && metrics.length > 0);
  if (blind.length > 0 && config.prometheusUrl === null) {
    problems.push(
      `${blind.join(', ')}: there is nowhere to read the policy's metrics from: set PROMETHEUS_URL, or give prometheus.url in the policy`,
    );
  }
  return problems;
}

/** Where a policy's numbers come from; null: nowhere. */
export function prometheusOf(config: Config, policy: Policy): Endpoint | null {
  if (policy.prometheus) return policy.prometheus;
  if (config.prometheusUrl === null) return null;
  const noTls = { ca: null, cert: null, key: null, insecure: false };
  return { url: config.prometheusUrl, headers: {}, tls: noTls };
}
