import { type Agent, request } from 'node:http';

/** An Alertmanager body with these firing alerts, distinct by their instance. */
export function body(service: string, instances: readonly string[]): string {
  const startsAt = new Date().toISOString();
  const alerts = instances.map((instance) => ({
    status: 'firing',
    labels: { alertname: 'HighErrorRate', service, instance, severity: 'warning' },
    annotations: { summary: `${instance} of ${service} answers with errors` },
    startsAt,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example/graph?g0.expr=errors',
    fingerprint: Buffer.from(`${service}/${instance}`).toString('hex').slice(-16).padStart(16, '0'),
  }));
  return JSON.stringify({
    version: '4',
    groupKey: `{}:{service="${service}"}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'lastgood',
    groupLabels: { service },
    commonLabels: { service, severity: 'warning' },
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example',
    alerts,
  });
}

export interface Sending {
  readonly url: string;
  readonly token: string;
  readonly agent: Agent;
}

/** One delivery; the answer's status. */
export function deliver({ url, token, agent }: Sending, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const sending = request(url, { method: 'POST', headers, agent }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    sending.on('error', reject);
    sending.end(text);
  });
}

/** Everything, by so many at a time; resolves when all is done. */
export async function byMany<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const one = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
