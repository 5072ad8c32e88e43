import type { Policy } from '../../src/domain/policy.ts';
import type { Policies } from '../../src/ports/policies.ts';
import { MINUTE, policy as storyPolicy } from '../support/policy.ts';
import type { Dice } from './dice.ts';
import { metricsBy } from './rulers.ts';
import type { Scene } from './scene.ts';

const ALERTMANAGER = {
  url: 'http://alertmanager',
  headers: {},
  tls: { ca: null, cert: null, key: null, insecure: false },
};

/** The policies of the services, and who edits them. */
export class PolicyShelf implements Policies {
  readonly #present = new Map<string, Policy>();
  readonly #gone = new Map<string, Policy>();
  readonly #all = new Map<string, Policy>();
  readonly #scene: Scene;
  readonly #dice: Dice;
  readonly #rulers: Dice;
  /** The service that another one requires a version to have succeeded on; null: none. */
  readonly #required: string | null;
  #edits = 0;

  constructor(scene: Scene, services: readonly string[]) {
    this.#scene = scene;
    this.#dice = scene.dice('policies');
    this.#rulers = scene.dice('rulers');
    const [first] = services;
    this.#required = first !== undefined && services.length > 1 && this.#rulers.chance(0.6) ? first : null;
    for (const service of services) this.#put(this.#first(service));
  }

  all(): readonly Policy[] {
    return [...this.#present.values()];
  }
  get(service: string): Policy | null {
    return this.#present.get(service) ?? null;
  }
  async at(service: string, revision: string): Promise<Policy | null> {
    if (this.#scene.hits('policy-lost', 0.2, this.#dice)) return null;
    return this.#all.get(`${service}@${revision}`) ?? null;
  }
  /** Of all revisions: what was ever in force under this name. */
  ever(service: string, revision: string): Policy | null {
    return this.#all.get(`${service}@${revision}`) ?? null;
  }

  /** Somebody takes a file away; answers the policy's service, null: there is none left to take. */
  takeAway(): string | null {
    if (this.#present.size === 0) return null;
    const service = this.#dice.pick([...this.#present.keys()]);
    const policy = this.#present.get(service);
    if (!policy) return null;
    this.#scene.struck('policy-gone');
    this.#scene.log(`the file of ${service}'s policy is gone`);
    this.#gone.set(service, policy);
    return service;
  }
  isGone(service: string): boolean {
    return this.#gone.has(service);
  }
  /** Nothing is under way any more that needs it. */
  forget(service: string): void {
    this.#present.delete(service);
  }
  /** Files that are there again; all of them, or one service's. */
  putBack(only?: string): readonly string[] {
    const back = [...this.#gone].filter(([service]) => only === undefined || service === only);
    for (const [service, policy] of back) {
      this.#scene.log(`the file of ${service}'s policy is back`);
      this.#present.set(service, policy);
      this.#gone.delete(service);
    }
    return back.map(([service]) => service);
  }

  /** Somebody merges a change; answers the service, null: there is nothing to change. */
  edit(): string | null {
    const there = [...this.#present.keys()].filter((service) => !this.#gone.has(service));
    if (there.length === 0) return null;
    const service = this.#dice.pick(there);
    const before = this.#present.get(service);
    if (!before) return service;
    this.#edits += 1;
    const fresh = this.#random(service, `e${this.#edits}`);
    // The scale of time stays: what is measured is one run's.
    const changed: Partial<Policy> = this.#dice.pick([
      { mode: before.mode === 'enforce' ? ('observe' as const) : ('enforce' as const) },
      { respond: fresh.respond },
      { steps: fresh.steps, strategy: fresh.strategy },
      { rollback: fresh.rollback },
      { approvers: fresh.approvers },
      { escalate: before.escalate ? null : storyPolicy().escalate },
      { objective: before.objective === 'better' ? ('no-worse' as const) : ('better' as const) },
      { silence: before.silence ? null : { forMs: 30 * MINUTE } },
      { watchMs: fresh.watchMs, lastGoodAfterMs: fresh.lastGoodAfterMs, metrics: fresh.metrics },
    ]);
    this.#scene.struck('policy-edited');
    this.#scene.log(`${service} policy: ${Object.keys(changed).join(', ')} changed`);
    this.#put({ ...before, ...changed, revision: fresh.revision });
    return service;
  }

  #put(policy: Policy): void {
    this.#present.set(policy.service, policy);
    this.#all.set(`${policy.service}@${policy.revision}`, policy);
  }

  #first(service: string): Policy {
    return this.#random(service, 'e0');
  }

  #random(service: string, revision: string): Policy {
    const dice = this.#dice;
    const { everyMs, windowMs } = this.#scene.swarm;
    const soakMs = Math.max(2 * everyMs, dice.pick([5, 10, 20]) * MINUTE);
    const step = (exposurePercent: number) => ({ exposurePercent, soakMs, maxSoakMs: 3 * soakMs });
    const end = { soakMs: 0, maxSoakMs: 0 };
    const phase = (exposurePercent: number) => ({ exposurePercent, soakMs: 2 * everyMs, maxSoakMs: 6 * everyMs });
    const isTwoArms = dice.chance(0.3);
    const steps = isTwoArms ? [] : dice.pick([[10, 50], [25], [5, 20, 60]]).map(step);
    const isShadow = dice.chance(0.15);
    const shadow = {
      ...step(0),
      gate: { name: 'shadow', kind: 'shadow', objective: 'no-worse', metrics: [] } as const,
    };
    return storyPolicy({
      service,
      revision,
      requires: this.#required !== null && service !== this.#required ? { service: this.#required } : null,
      mode: dice.chance(0.15) ? 'observe' : 'enforce',
      strategy: {
        kind: isTwoArms ? 'blue-green' : 'canary',
        warmUp: dice.chance(isTwoArms ? 0.8 : 0.2) ? { soakMs: 2 * MINUTE, maxSoakMs: 20 * MINUTE } : null,
        keepMs: 0,
      },
      objective: dice.chance(0.1) ? 'better' : 'no-worse',
      silence: dice.chance(0.4) ? { forMs: 30 * MINUTE } : null,
      steps: [...(isShadow ? [shadow] : []), ...steps, { exposurePercent: 100, ...end }],
      rollback: {
        phases: [...(isTwoArms ? [] : dice.pick([[50, 10], [30], []]).map(phase)), { exposurePercent: 0, ...end }],
        verify: { soakMs: 2 * everyMs, maxSoakMs: 8 * everyMs },
      },
      metrics: metricsBy(this.#rulers),
      comparison: {
        windowMs,
        warmUpMs: 2 * windowMs,
        everyMs,
        minimumWindows: 3,
        lastWeekOffsetMs: 7 * 24 * 60 * MINUTE,
      },
      alertmanager: ALERTMANAGER,
      alerts: [{ matchers: [{ label: 'service', operator: '=', value: service }], severity: null }],
      approvers: dice.pick([
        { users: ['U1', 'U2', 'U3'], quorum: 2 },
        { users: ['U1', 'U2'], quorum: 1 },
        { users: ['*'], quorum: 3 },
      ]),
      respond: {
        graceMs: dice.pick([0, MINUTE, 5 * MINUTE]),
        deadlineMs: dice.pick([5, 15, 30]) * MINUTE,
        criticalDeadlineMs: 5 * MINUTE,
        defaultAction: dice.pick(['rollback', 'rollback', 'rollback', 'hold', 'page'] as const),
        whenUnknown: dice.chance(0.2) ? 'rollback' : 'hold',
        extendCapMs: 90 * MINUTE,
        acknowledgeMs: 15 * MINUTE,
        stabilityMs: dice.pick([2, 5]) * MINUTE,
        holdMs: dice.pick([10, 30]) * MINUTE,
      },
      escalate: dice.chance(0.85)
        ? { afterMs: 4 * MINUTE, repeatMs: 15 * MINUTE, routingKey: null, severity: 'critical' }
        : null,
      lastGoodAfterMs: dice.pick([10, 60]) * MINUTE,
      watchMs: dice.pick([20, 60]) * MINUTE,
    });
  }
}
