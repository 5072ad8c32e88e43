import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the services of the bench have in common. */
export interface PolicyKind {
  readonly metrics: number;
  readonly every: string;
  /** Of waiting for people; long where the bench is not about it. */
  readonly grace: string;
}

export const plainKind: PolicyKind = { metrics: 1, every: '30s', grace: '0s' };

export function serviceName(index: number): string {
  return `service-${index}`;
}

/** One template and one small file a service, each with a channel of its own: Slack takes one post a second in a channel. */
export async function writePolicies(
  directory: string,
  count: number,
  stubUrl: string,
  kind: PolicyKind = plainKind,
): Promise<void> {
  await mkdir(join(directory, 'templates'), { recursive: true });
  await writeFile(join(directory, 'templates', 'bench.yaml'), template(stubUrl, kind));
  for (let index = 0; index < count; index += 1) {
    const service = serviceName(index);
    const text = `extends: templates/bench.yaml
service: ${service}
channel: "#${service}"
alerts:
  - match: ['service="${service}"']
`;
    await writeFile(join(directory, `${service}.yaml`), text);
  }
}

function template(stubUrl: string, { metrics, every, grace }: PolicyKind): string {
  return `mode: enforce
target:
  kind: http
  observe:
    url: ${stubUrl}/split
    stable: /stable/version
    candidate: /candidate/version
    exposure: /candidate/percent
    ready: /versions/{{version}}/ready
  shift:
    method: PUT
    url: ${stubUrl}/split
    body:
      stable: { version: "{{stable.version}}", percent: "{{stable.percent}}" }
      candidate: { version: "{{candidate.version}}", percent: "{{candidate.percent}}" }
steps:
  - { exposure: 10, soak: 12h, maxSoak: 24h }
  - { exposure: 100 }
comparison: { window: 30s, warmUp: 30s, every: ${every}, minimumWindows: 3 }
metrics:
${Array.from({ length: metrics }, (_, index) => metric(index)).join('')}approvers: { users: ["*"] }
respond: { grace: ${grace}, deadline: 12h, criticalDeadline: 12h, default: hold }
`;
}

function metric(index: number): string {
  const counter = `requests_${index}_total{service="{{service}}",version="{{version}}"`;
  return `  - name: errors-${index}
    kind: proportion
    bad: '${counter},code=~"5.."}'
    total: '${counter}}'
    tolerance: { relative: 25%, absolute: 1% }
    minimum: 100
`;
}
