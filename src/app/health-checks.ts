import type { LookAtTarget } from '../application/look-at-target.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';
import { type Http, place } from '../outbound/http.ts';
import type { HealthKind } from '../ports/health.ts';
import type { Store } from '../ports/store.ts';
import type { Check, Finding } from './health.ts';
import type { Outcomes } from './outcomes.ts';
import type { PolicyBook } from './policy-book.ts';
import type { ReadinessParts } from './readiness.ts';

export interface CheckParts {
  readonly store: Pick<Store, 'jobs'>;
  /** What was found when the embedded database was read whole; null: nothing yet. */
  readonly lookAtFile: () => Finding | null;
  readonly book: Pick<PolicyBook, 'all' | 'problem'>;
  readonly policyDir: string;
  readonly slack: {
    readiness(): { ok: boolean; detail: string };
    ping(signal: AbortSignal): Promise<void>;
  };
  readonly http: Http;
  /** Where policies read their numbers and have their alerts from; null: nowhere. */
  readonly prometheusOf: (policy: Policy) => Endpoint | null;
  readonly alertmanagerOf: (policy: Policy) => Endpoint | null;
  readonly checkPrometheus: ReadinessParts['checkPrometheus'];
  readonly lookAtTarget: LookAtTarget;
  readonly chat: Outcomes;
  readonly pager: Outcomes;
  /** Whether anybody would be paged at all. */
  readonly pages: () => boolean;
  /** By how much this machine's clock is ahead of the one all replicas go by, in ms; null: they go by this machine's. */
  readonly clockAheadMs: (() => number) | null;
  /** Messages for operators go there too; null: nowhere. */
  readonly operationsChannel: string | null;
}

/** Targets may be slow, busy or paid by the call. */
const targetEveryMs = 60_000;
const answerLimitMs = 5_000;
/** NTP keeps clocks within a fraction of a second; more than this is no clock that is kept. */
const mostSkewMs = 5_000;

/** Everything there is to look at with the policies in force now: made anew where they are others, for there may be thousands. */
export function createChecks(parts: CheckParts): () => readonly Check[] {
  let policies: readonly Policy[] | null = null;
  let checks: readonly Check[] = [];
  return () => {
    const now = parts.book.all();
    if (now !== policies) checks = checksOf(parts, now);
    policies = now;
    return checks;
  };
}

function checksOf(parts: CheckParts, policies: readonly Policy[]): readonly Check[] {
  const { lookAtFile, prometheusOf, alertmanagerOf, clockAheadMs, pager } = parts;
  return [
    storeCheck(parts),
    { part: 'file', names: ['database'], recall: lookAtFile },
    policiesCheck(parts),
    slackCheck(parts),
    channelCheck(parts, policies),
    endpointCheck('prometheus', policies, prometheusOf, (endpoint, signal) =>
      prometheusFinding(parts, endpoint, signal),
    ),
    endpointCheck('alertmanager', policies, alertmanagerOf, (endpoint, signal) =>
      alertmanagerFinding(parts.http, endpoint, signal),
    ),
    targetCheck(parts, policies),
    ...(clockAheadMs === null ? [] : [clockCheck(clockAheadMs)]),
    ...(parts.pages() ? [{ part: 'pagerduty', names: ['Events API'], recall: () => pager.of('') } as const] : []),
  ];
}

function storeCheck({ store }: CheckParts): Check {
  return {
    part: 'store',
    names: ['database'],
    look: async () => ({ ok: true, detail: `answers; ${await store.jobs.pending()} jobs are not done` }),
  };
}

function policiesCheck({ book, policyDir }: CheckParts): Check {
  return {
    part: 'policies',
    names: [policyDir],
    recall() {
      const problem = book.problem();
      if (problem !== null) return { ok: false, detail: problem, sure: true };
      return { ok: true, detail: `${book.all().length} in force` };
    },
  };
}

function clockCheck(aheadMs: () => number): Check {
  return {
    part: 'clock',
    names: ['of this machine'],
    recall() {
      const ms = aheadMs();
      const seconds = `${(Math.abs(ms) / 1000).toFixed(1)} s ${ms < 0 ? 'behind' : 'ahead'}`;
      return { ok: Math.abs(ms) <= mostSkewMs, detail: seconds };
    },
  };
}

/** Until it has said who we are it is being asked for that already. */
function slackCheck({ slack }: CheckParts): Check {
  return {
    part: 'slack',
    names: ['Web API'],
    async look(_name, signal) {
      const { ok, detail } = slack.readiness();
      if (ok) await slack.ping(signal);
      return { ok, detail };
    },
  };
}

function channelCheck({ chat, operationsChannel }: CheckParts, policies: readonly Policy[]): Check {
  const channels = new Set(policies.map(({ channel }) => channel));
  if (operationsChannel !== null) channels.add(operationsChannel);
  // As they are shown: what is in order already is put in order at once.
  return { part: 'channel', names: [...channels].sort(), recall: (name) => chat.of(name) };
}

/** One a distinct way to ask; two tenants of one address are told apart by a service of theirs. */
function endpointCheck(
  part: HealthKind,
  policies: readonly Policy[],
  endpointOf: (policy: Policy) => Endpoint | null,
  look: (endpoint: Endpoint, signal: AbortSignal) => Promise<Finding>,
): Check {
  const found = new Map<string, { readonly endpoint: Endpoint; readonly service: string }>();
  for (const policy of policies) {
    const endpoint = endpointOf(policy);
    const key = JSON.stringify(endpoint);
    if (endpoint !== null && !found.has(key)) found.set(key, { endpoint, service: policy.service });
  }
  const byAddress = Map.groupBy(found.values(), ({ endpoint }) => nameOf(endpoint));
  const byName = new Map(
    [...byAddress].flatMap(([address, same]) =>
      same.map(({ endpoint, service }) => {
        return [same.length > 1 ? `${address} (as ${service} asks it)` : address, endpoint] as const;
      }),
    ),
  );
  return {
    part,
    names: [...byName.keys()],
    async look(name, signal) {
      const endpoint = byName.get(name);
      return endpoint ? look(endpoint, signal) : null;
    },
  };
}

function nameOf({ url }: Endpoint): string {
  const parsed = URL.parse(url);
  return parsed ? place(parsed).replace(/\/+$/, '') : 'an address that is none';
}

async function prometheusFinding(parts: CheckParts, endpoint: Endpoint, signal: AbortSignal): Promise<Finding> {
  const answer = await parts.checkPrometheus(endpoint, signal);
  return answer.ready ? { ok: true, detail: 'answers queries' } : { ok: false, detail: answer.reason };
}

/** Its API is what is used of it; where a gateway lets only readiness through, that has to do. */
async function alertmanagerFinding(http: Http, endpoint: Endpoint, signal: AbortSignal): Promise<Finding> {
  const base = endpoint.url.replace(/\/+$/, '');
  const ask = (path: string, accept: (status: number) => boolean) =>
    http.request(
      {
        method: 'GET',
        url: `${base}${path}`,
        headers: endpoint.headers,
        tls: endpoint.tls,
        timeoutMs: answerLimitMs,
        intent: 'read',
        accept,
      },
      signal,
    );
  const isFine = (status: number) => status >= 200 && status < 300;
  const { status } = await ask('/api/v2/status', (s) => isFine(s) || s === 404);
  if (isFine(status)) return { ok: true, detail: 'answers' };
  await ask('/-/ready', isFine);
  return { ok: true, detail: 'is ready; its API v2 is not at this address' };
}

/** Whoever shifts looks for himself, and is not to be disturbed. */
function targetCheck({ lookAtTarget }: CheckParts, policies: readonly Policy[]): Check {
  return {
    part: 'target',
    names: policies.map(({ service }) => service),
    everyMs: targetEveryMs,
    async look(service, signal) {
      const observed = await lookAtTarget(service, signal);
      if (!observed) return null;
      const { stable, candidate, exposurePercent, notice } = observed;
      if (exposurePercent === null && notice) return { ok: false, detail: notice };
      const share = candidate === null || exposurePercent === null ? '' : `, ${candidate} at ${exposurePercent} %`;
      return { ok: true, detail: `answers: ${stable ?? 'an unknown version'} is stable${share}` };
    },
  };
}
