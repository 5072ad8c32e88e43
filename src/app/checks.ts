import type { Provided } from '../config.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';

/** What policies need of the instance and the instance has not got, one line a problem. */
export function unmetNeeds(config: Provided, policies: readonly Policy[]): readonly string[] {
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
  const loud = services((policy) => policy.silence !== null && alertmanagerOf(config, policy) === null);
  if (loud.length > 0) {
    problems.push(
      `${loud.join(', ')}: the policy says silence, and there is no Alertmanager to silence: set ALERTMANAGER_URL, give alertmanager.url in the policy, or take silence out of it`,
    );
  }
  return problems;
}

/** Where a policy's numbers come from; null: nowhere. */
export function prometheusOf(config: Provided, policy: Policy): Endpoint | null {
  if (policy.prometheus) return policy.prometheus;
  return config.prometheusUrl === null ? null : plainEndpoint(config.prometheusUrl);
}

/** Where a policy's alerts are held; null: nowhere that can be asked. */
export function alertmanagerOf(config: Provided, policy: Policy): Endpoint | null {
  if (policy.alertmanager) return policy.alertmanager;
  return config.alertmanager.url === null ? null : plainEndpoint(config.alertmanager.url);
}

function plainEndpoint(url: string): Endpoint {
  return { url, headers: {}, tls: { ca: null, cert: null, key: null, insecure: false } };
}
