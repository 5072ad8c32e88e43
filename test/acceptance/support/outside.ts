import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPagerDutyStandIn, type PagerDutyStandIn } from '../../../src/demo/lab/index.ts';
import { createWorkspace, type Workspace } from '../../../src/workspace/index.ts';
import { startScriptedPrometheus } from '../../support/scripted-prometheus.ts';
import { WEBHOOK_TOKEN, webhook } from '../world.ts';

export const CHANNEL = '#ml-rollouts';
export const SERVICE = 'fraud-scorer';
export const CANDIDATE = 'v42';
const BOT_TOKEN = 'xoxb-acceptance-token';
const SIGNING_SECRET = 'acceptance-signing-secret';

/** Whom an app in real time speaks to, beside its target and its store; and what it is told of them. */
export interface Outside {
  readonly workspace: Workspace;
  readonly slackUrl: string;
  readonly pagerDuty: PagerDutyStandIn;
  readonly prometheusUrl: string;
  /** Of its own, gone at the end. */
  readonly directory: string;
  /** What an app needs to reach them; its policies, its data and its port are the caller's. */
  readonly environment: Readonly<Record<string, string>>;
  /** The candidate fails this share of its requests from now on; null: as many as stable. */
  worsen(share: number | null): void;
  stop(): Promise<void>;
}

export interface OutsideOptions {
  /** What a version gets at a moment; 1,000 a second. */
  readonly requestsPerSecond?: (version: string, atMs: number) => number;
}

export async function startOutside({ requestsPerSecond = () => 1_000 }: OutsideOptions = {}): Promise<Outside> {
  const spells: { readonly atMs: number; readonly share: number | null }[] = [];
  const errorShare = (version: string, atMs: number) =>
    (version === CANDIDATE ? spells.findLast((spell) => spell.atMs <= atMs)?.share : null) ?? 0.02;
  const prometheus = await startScriptedPrometheus({ requestsPerSecond, errorShare }, Date.now() - 600_000);
  const pagerDuty = await createPagerDutyStandIn();
  const workspace = createWorkspace({
    signingSecret: SIGNING_SECRET,
    botToken: BOT_TOKEN,
    users: [
      { id: 'U0ANN', name: 'ann', realName: 'Ann Approver' },
      { id: 'U0BOB', name: 'bob', realName: 'Bob Approver' },
    ],
    channels: [{ id: 'C1', name: CHANNEL.slice(1) }],
    commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    // What would take a day is told within a minute.
    postsPerSecondPerChannel: 50,
    postBurst: 50,
  });
  const slack = await workspace.start();
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-whole-'));
  return {
    workspace,
    slackUrl: slack.url,
    pagerDuty,
    prometheusUrl: prometheus.url,
    directory,
    environment: {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slack.apiUrl,
      ALERTMANAGER_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      PROMETHEUS_URL: prometheus.url,
      PAGERDUTY_ROUTING_KEY: 'a'.repeat(32),
      PAGERDUTY_EVENTS_HOST: pagerDuty.eventsHost,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
    },
    worsen: (share) => void spells.push({ atMs: Date.now(), share }),
    async stop() {
      await Promise.all([workspace.stop(), prometheus.stop(), pagerDuty.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Alerts as Alertmanager sends them: one start each, however often it is sent. */
export class Alerts {
  readonly #startedAt = new Map<string, number>();

  /** When it was sent first, Unix ms. */
  startedAtMs(name: string): number {
    const startedAtMs = this.#startedAt.get(name) ?? Date.now();
    this.#startedAt.set(name, startedAtMs);
    return startedAtMs;
  }

  body(name: string, status: 'firing' | 'resolved' = 'firing') {
    return webhook(name, status, 'critical', this.startedAtMs(name), Date.now());
  }
}

/** Once. The status of the answer; null: there was none in ten seconds. */
export async function deliver(url: string, body: object): Promise<number | null> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` };
  const signal = AbortSignal.timeout(10_000);
  const sent = fetch(`${url}/webhooks/alertmanager`, { method: 'POST', headers, body: JSON.stringify(body), signal });
  return (await sent.catch(() => null))?.status ?? null;
}

export interface PolicyParts {
  /** The YAML of `target`. */
  readonly target: string;
  readonly steps: readonly string[];
  readonly phases: readonly string[];
  readonly verify: string;
  /** Seconds from the question to the default action. */
  readonly deadlineS: number;
  readonly stability: string;
  readonly escalate: string;
}

/** A policy whose days are seconds: the error rate, compared twice a second. */
export function hastyPolicy(parts: PolicyParts): string {
  return `service: ${SERVICE}
mode: enforce
channel: "${CHANNEL}"
${parts.target}
steps: [${parts.steps.join(', ')}]
rollback:
  phases: [${parts.phases.join(', ')}]
  verify: ${parts.verify}
comparison: { window: 1s, warmUp: 1s, every: 500ms, minimumWindows: 3 }
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="${SERVICE}",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="${SERVICE}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 6%, healthy: 1.5 }
    minimum: 100
alerts:
  - match: ['service="${SERVICE}"', 'severity=~"warning|critical"']
approvers: { users: [U0ANN, U0BOB], quorum: 1 }
respond: { grace: 0s, deadline: ${parts.deadlineS}s, criticalDeadline: ${parts.deadlineS}s, stability: ${parts.stability} }
escalate: ${parts.escalate}
`;
}
