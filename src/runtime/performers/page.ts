import type { Comparison } from '../../analysis/types.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Degradation, Rollout, ServiceState } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import type { Page } from '../../ports/pager.ts';
import { alwaysOurs, done, type EffectOf, type Outcome, type Performer, type World } from './performer.ts';
import { presentPolicy, stateOf } from './policy.ts';

/** Waking a person is worth trying for as long as a person may still be needed. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** One incident a degradation, at most: the dedup key makes repeating harmless. */
export function pagePerformer(world: World): Performer<EffectOf<'page'>> {
  return {
    limitMs: 30_000,
    retry: { firstMs: 1_000, capMs: 60_000, giveUpAfterMs: GIVE_UP_AFTER_MS },
    async perform(effect, job, signal, stillOurs = alwaysOurs): Promise<Outcome> {
      const state = await stateOf(world, job.service);
      const policy = await presentPolicy(world, state);
      const degradation = find(state, effect.degradationId);
      const page = pageOf(world, effect, { state, policy, degradation });
      const instead = effect.action === 'trigger' ? insteadOfWaking(degradation) : null;
      // Nobody is woken for old news. A try of ours may have got through while the pager was away, though.
      if (instead !== null && job.attempt === 1) return done;
      const action = instead ?? effect.action;
      await stillOurs();
      const paged = { type: 'paged', degradationId: effect.degradationId, action } as const;
      if (action === 'trigger') {
        await world.pager.send({ ...page, action }, signal);
        return { kind: 'event', event: { ...paged, policyRevision: policy.revision } };
      }
      const opened = degradation?.page.policyRevisions ?? [];
      // A try of this very job may have got through, unknown to anybody.
      const revisions = instead !== null || opened.length === 0 ? [...opened, policy.revision] : opened;
      const keys = await keysOf(world, policy, revisions);
      await toEach(keys, (routingKey) => world.pager.send({ ...page, action, routingKey }, signal));
      return instead === 'resolve' ? done : { kind: 'event', event: paged };
    },
    givenUp: ({ degradationId, action }, reason) => ({ type: 'page_failed', degradationId, action, reason }),
  };
}

/**
 * Where incidents of it may be open: at the keys they were triggered with, whatever the policy says by now. A policy that cannot be
 * read any more (its secret is gone) leaves the present one's.
 */
async function keysOf(
  { policies }: World,
  present: Policy,
  revisions: readonly string[],
): Promise<readonly (string | null)[]> {
  const keys = new Set<string | null>();
  for (const revision of revisions) {
    const policy = revision === present.revision ? present : await policies.at(present.service, revision);
    keys.add((policy ?? present).escalate?.routingKey ?? null);
  }
  return [...keys];
}

/** One that refuses keeps none of the others from hearing of it; repeating it to them is harmless. */
async function toEach<T>(all: readonly T[], send: (one: T) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(all.map(send));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** What the pager is to hear where nobody need be woken any more: somebody is on it, it was decided, or it is over. */
function insteadOfWaking(degradation: Degradation | null): 'acknowledge' | 'resolve' | null {
  const stage = degradation?.stage;
  if (!stage || stage.name === 'ended') return 'resolve';
  // What automation decided is still nobody's answer.
  const isAnswered = stage.name === 'decided' && degradation?.decision?.by.kind === 'person';
  if (isAnswered || (stage.name === 'held' && stage.why === 'person')) return 'resolve';
  return degradation?.acknowledged ? 'acknowledge' : null;
}

/** PagerDuty's `dedup_key` of a degradation; what comes back from there is known by it. */
export function dedupKey(instance: string, degradationId: string): string {
  return `${instance}/${degradationId}`;
}

function find(state: ServiceState, id: string): Degradation | null {
  if (state.degradation?.id === id) return state.degradation;
  return state.past.degradations.findLast((degradation) => degradation.id === id) ?? null;
}

interface Subject {
  readonly state: ServiceState;
  readonly policy: Policy;
  readonly degradation: Degradation | null;
}

function pageOf(world: World, effect: EffectOf<'page'>, subject: Subject): Page {
  const { policy } = subject;
  const links = [
    { text: 'Runbook', href: policy.runbookUrl },
    { text: 'Dashboard', href: policy.dashboardUrl },
  ];
  return {
    action: effect.action,
    dedupKey: dedupKey(world.instance, effect.degradationId),
    summary: effect.summary,
    service: policy.service,
    severity: policy.escalate?.severity ?? 'critical',
    routingKey: policy.escalate?.routingKey ?? null,
    links: links.flatMap(({ text, href }) => (href === null ? [] : [{ text, href }])),
    details: effect.action === 'trigger' ? detailsOf(effect.degradationId, subject) : {},
  };
}

/** What whoever is woken has to know: how to answer, where it stands, and the numbers. */
function detailsOf(degradationId: string, { state, policy, degradation }: Subject): Page['details'] {
  const rollout = state.rollout?.id === degradation?.rolloutId ? state.rollout : null;
  const stage = degradation?.stage;
  const standing: Page['details'] = rollout
    ? {
        rollout: rollout.id,
        stable: rollout.stable.id,
        candidate: rollout.candidate.id,
        exposure: `${rollout.exposurePercent} %`,
        phase: rollout.phase.name.replace('_', ' '),
      }
    : { rollout: 'none under way' };
  const comparison = degradation?.comparison ?? rollout?.comparison ?? null;
  const numbers = (comparison?.metrics ?? []).map((metric) => [metric.title, metric.sentence] as const);
  return {
    'how to answer': answering(policy),
    degradation: degradationId,
    ...standing,
    'opened at': degradation ? moment(degradation.openedAtMs) : null,
    'default action at': stage?.name === 'asking' ? moment(stage.deadlineMs) : null,
    'automation waits because': stage?.name === 'held' ? stage.why : null,
    ...Object.fromEntries(numbers),
    ...commonCauseUnknown(comparison, rollout),
    ...(comparison?.missing ? { 'no data because': comparison.missing } : {}),
  };
}

/** Whoever is woken is not to read more into the numbers than they can say. */
function commonCauseUnknown(comparison: Comparison | null, rollout: Rollout | null): Page['details'] {
  if (comparison?.canTellCommonCause !== false || !rollout || rollout.exposurePercent >= 100) return {};
  const alone = new Set(rollout.plan.metrics.filter((m) => m.arms === 'one').map((m) => m.name));
  const titles = comparison.metrics.filter((m) => alone.has(m.metric)).map((m) => m.title);
  const which = titles.length === 0 ? 'some metrics' : list(titles);
  return { 'whether stable is equally bad': `cannot be told by ${which}: no version label` };
}

function answering({ channel, service }: Policy): string {
  return (
    `In Slack ${channel}: press Roll back, Hold or Promote on the card of ${service}, or type ` +
    `/rollout rollback ${service} (or: hold, promote, ack). Acknowledging here stops further pages, it does not answer the question.`
  );
}

function moment(atMs: number): string {
  return new Date(atMs).toISOString();
}
