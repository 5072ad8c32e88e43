import type { Refusal } from '../domain/effect.ts';
import type { DomainEvent, Observed, Promotion } from '../domain/event.ts';
import { initialState } from '../domain/initial.ts';
import { permit } from '../domain/permit.ts';
import type { Policy } from '../domain/policy.ts';
import { isUnderWay } from '../domain/turn.ts';
import type { Policies } from '../ports/policies.ts';
import type { Job, Store } from '../ports/store.ts';
import type { Target } from '../ports/target.ts';
import { type AlertIntake, createAlertIntake } from './alerts.ts';
import type { Answer, Application } from './api.ts';
import { withinLimit } from './limit.ts';
import { createLookAtTarget, type LookAtTarget } from './look-at-target.ts';
import { nearMisses } from './near-miss.ts';
import { readOverview } from './overview.ts';
import { promotionOf } from './promotion.ts';
import { createSubmit, type SubmitParts } from './submit.ts';

/** A person waits for the answer to a start, and Slack only three seconds. */
const OBSERVE_LIMIT_MS = 2_000;
/** What is known of a target that does not answer. */
const UNKNOWN: Observed = { stable: null, candidate: null, exposurePercent: null, ready: {}, revision: null };

export interface ApplicationParts extends SubmitParts {
  readonly policies: Policies;
  readonly targets: (policy: Policy) => Target;
  /** Called when alerts that no policy matches were remembered. */
  readonly onUnmatched?: () => void;
}

/** What the worker calls besides: an outcome and the end of its job are one commit. */
export interface Recorder {
  /**
   * False: the lease was lost, or the service's policy is gone and nothing is under way: nothing is recorded. Throws where something
   * is under way whose policy cannot be had (its file is gone and the rollout's revision is not kept): it has to be tried again.
   */
  record(job: Job, event: DomainEvent): Promise<boolean>;
}

/** What the health checks call besides. */
export interface Lookout {
  readonly lookAtTarget: LookAtTarget;
}

export function createApplication(parts: ApplicationParts): Application & Recorder & Lookout & AlertIntake {
  const { store, policies, clock, targets, telemetry } = parts;
  const submit = createSubmit(parts);
  const unknown = (service: string) => refuse('not-found', unknownService(service, policies));

  const intake = createAlertIntake({ store, policies, submit, telemetry, clock, onUnmatched: parts.onUnmatched });

  const application: ReturnType<typeof createApplication> = {
    ...intake,
    async command({ service, command, actor, binding, key, once }) {
      const policy = policies.get(service);
      if (!policy) return unknown(service);
      return submit.one(policy, { key, once, event: { type: 'command', command, actor, binding } });
    },
    async start({ service, candidate, force, reason, actor, key, once }) {
      const policy = policies.get(service);
      if (!policy) return unknown(service);
      // Asked before the target is: for who may not start anything no call is made with our credentials either.
      const forbidden = permit(policy, actor, 'start');
      if (forbidden) return { ok: false, refusal: forbidden };
      let observed: Observed;
      try {
        observed = await withinLimit(OBSERVE_LIMIT_MS, `The target of ${service}`, (signal) =>
          targets(policy).observe(signal, [candidate.id]),
        );
      } catch (error) {
        telemetry.problem(`start ${service}: observe the target`, error);
        const blindly = { name: 'start' as const, candidate, observed: UNKNOWN, force, reason };
        await submit.spend(service, { once, event: { type: 'command', command: blindly, actor } });
        return refuse(
          'conflict',
          `${service} was not started: what is in force could not be read from its target (${messageOf(error)}). Nothing was changed. Try again when the target answers.`,
        );
      }
      const promotion = await promotionFor(policy, candidate.id, parts);
      const command = { name: 'start' as const, candidate, observed, ...(promotion && { promotion }), force, reason };
      return application.command({ service, command, actor, key, once });
    },
    async check({ service, command, actor, binding }) {
      const policy = policies.get(service);
      if (!policy) return unknown(service);
      return submit.check(policy, { type: 'command', command, actor, binding });
    },
    async deliver(service, event, key) {
      const policy = await policyOf(service, store, policies);
      return policy ? submit.one(policy, { key, event }) : unknown(service);
    },
    async record(job, event) {
      const policy = await policyOf(job.service, store, policies);
      return policy ? submit.record(policy, job, event) : endOfNothing(job, store, policies);
    },
    lookAtTarget: (service, signal) => lookAtTarget(service, signal),
    policies: () => policies.all(),
    async status(service) {
      const policy = policies.get(service);
      if (!policy) return null;
      const stored = await store.load(service);
      return { policy, state: stored?.state ?? initialState(service, clock.now()) };
    },
    overview: (most) => readOverview(parts, most),
    history: (service, limit) => store.journal({ service, limit }),
    async unmatched(limit) {
      const alerts = await store.unmatched.list(limit);
      // One that a policy edited since would match is no longer any trouble.
      return alerts.flatMap((alert) => {
        const misses = nearMisses(policies.all(), alert.labels);
        return misses ? [{ alert, misses }] : [];
      });
    },
  };
  const lookAtTarget = createLookAtTarget({ store, clock, policies, targets, deliver: application.deliver });
  return application;
}

/** How the candidate fared where the policy requires it to have succeeded; null: nothing is required. */
async function promotionFor(policy: Policy, versionId: string, parts: ApplicationParts): Promise<Promotion | null> {
  if (policy.requires === null) return null;
  const { service } = policy.requires;
  const required = parts.policies.get(service);
  if (!required) return { service, outcome: 'not-succeeded', detail: 'there is no policy for it any more' };
  const stored = await parts.store.load(service);
  return promotionOf(stored?.state ?? null, versionId, {
    service,
    neededMs: required.lastGoodAfterMs,
    nowMs: parts.clock.now(),
  });
}

/** A service whose file was taken away under way ends under the policy its rollout began with. */
async function policyOf(service: string, store: Store, policies: Policies): Promise<Policy | null> {
  const policy = policies.get(service);
  if (policy) return policy;
  const stored = await store.load(service);
  const revision = stored?.state.rollout?.plan.revision;
  return revision ? policies.at(service, revision) : null;
}

/** Its file was taken away after everything had ended: there is nothing left that a job could change. */
async function endOfNothing(job: Job, store: Store, policies: Policies): Promise<false> {
  const stored = await store.load(job.service);
  if (stored && isUnderWay(stored.state))
    throw new Error(`${unknownService(job.service, policies)} Its ${job.effect.kind} waits for the file.`);
  await store.jobs.complete(job.lease);
  return false;
}

function refuse(code: Refusal['code'], text: string): Answer {
  return { ok: false, refusal: { code, text } };
}

function unknownService(service: string, policies: Policies): string {
  const known = policies.all().map((policy) => policy.service);
  const those = known.length === 0 ? 'There is no policy yet.' : `There are policies for ${known.join(', ')}.`;
  return `There is no policy for a service named ${service}. ${those}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
