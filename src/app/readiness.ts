import type { Endpoint } from '../domain/policy.ts';
import type { Health } from '../ports/health.ts';
import type { Store } from '../ports/store.ts';
import type { Part } from '../server/routes.ts';
import type { PolicyBook } from './policy-book.ts';

export interface ReadinessParts {
  readonly store: Pick<Store, 'jobs'>;
  readonly book: PolicyBook;
  readonly health: Health;
  readonly slack: { readiness(): { ok: boolean; detail: string } };
  /** Every Prometheus that a policy in force reads. */
  readonly prometheuses: () => readonly Endpoint[];
  readonly checkPrometheus: (
    endpoint: Endpoint,
    signal: AbortSignal,
  ) => Promise<{ readonly ready: true } | { readonly ready: false; readonly reason: string }>;
}

/** Probes come every few seconds: Prometheus is asked once in this time, and given only so long. */
const askAgainMs = 10_000;
const prometheusLimitMs = 2_000;

/** What /readyz says of each part. */
export function createReadiness(parts: ReadinessParts): () => Promise<Record<string, Part>> {
  let asked: { atMs: number; answer: Promise<Part> } | null = null;
  const prometheus = (): Promise<Part> => {
    const nowMs = performance.now();
    if (asked === null || nowMs - asked.atMs > askAgainMs) asked = { atMs: nowMs, answer: prometheusPart(parts) };
    return asked.answer;
  };
  return async () => ({
    store: await storePart(parts.store),
    policies: policiesPart(parts.book),
    slack: { ...parts.slack.readiness(), gates: true },
    prometheus: await prometheus(),
    dependencies: dependenciesPart(parts.health),
  });
}

async function storePart(store: ReadinessParts['store']): Promise<Part> {
  try {
    const pending = await store.jobs.pending();
    return { ok: true, detail: `answers; ${pending} jobs are not done`, gates: true };
  } catch (error) {
    return { ok: false, detail: `does not answer: ${messageOf(error)}`, gates: true };
  }
}

/** What the background checks believe. Never gates: what gates is looked at by itself. */
function dependenciesPart(health: Health): Part {
  const degraded = health.degraded();
  if (degraded.length > 0) return { ok: false, detail: degraded.map(({ text }) => text).join(' '), gates: false };
  const parts = health.parts();
  const detail = parts.length === 0 ? 'not looked at yet' : `${parts.length} looked at, nothing is wrong`;
  return { ok: true, detail, gates: false };
}

function policiesPart(book: PolicyBook): Part {
  const count = book.all().length;
  const problem = book.problem();
  // Those from before stay in force: an instance with them is of more use than none.
  if (problem !== null)
    return { ok: false, detail: `${count} in force; the directory has problems: ${problem}`, gates: false };
  return { ok: true, detail: `${count} in force`, gates: false };
}

/** Never gates: without Prometheus alerts are still taken in, and missing data is no reason for anything. */
async function prometheusPart({ prometheuses, checkPrometheus }: ReadinessParts): Promise<Part> {
  const signal = AbortSignal.timeout(prometheusLimitMs);
  const endpoints = prometheuses();
  const answers = await Promise.all(endpoints.map((endpoint) => checkPrometheus(endpoint, signal)));
  const reasons = answers.flatMap((answer) => (answer.ready ? [] : [answer.reason]));
  if (reasons.length === 0) return { ok: true, detail: `${endpoints.length} asked, all answer`, gates: false };
  return { ok: false, detail: [...new Set(reasons)].join('; '), gates: false };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
