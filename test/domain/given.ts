import { expect } from 'vitest';
import type { Comparison, MetricComparison, Verdict } from '../../src/analysis/types.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Effect, JournalEntry } from '../../src/domain/effect.ts';
import type { Command, DomainEvent, Observed } from '../../src/domain/event.ts';
import { initialState } from '../../src/domain/initial.ts';
import type { Gate, Policy } from '../../src/domain/policy.ts';
import type { Served } from '../../src/domain/served.ts';
import type { Actor, Alert, ServiceState, TimerKey } from '../../src/domain/state.ts';
import { duration } from '../../src/domain/words.ts';
import { DAY, MINUTE, servedFor, policy as storyPolicy } from '../support/policy.ts';

export const T0 = Date.parse('2026-11-21T03:00:00Z');
export const ann: Actor = { kind: 'person', id: 'U1', name: 'ann' };
export const bob: Actor = { kind: 'person', id: 'U2', name: 'bob' };
export const eve: Actor = { kind: 'person', id: 'U9', name: 'eve' };

/** A service that events happen to; every step is a real decision, and what it came to can be asserted. */
export class Given {
  state: ServiceState;
  policy: Policy;
  now = T0;
  effects: readonly Effect[] = [];
  journal: readonly JournalEntry[] = [];
  reply = '';
  refusal: string | null = null;
  ignored: string | null = null;
  readonly allJournal: JournalEntry[] = [];
  readonly allEffects: Effect[] = [];

  constructor(policy: Policy, state: ServiceState = initialState(policy.service, T0)) {
    this.policy = policy;
    this.state = state;
  }

  /** The event happens `afterMs` later. */
  when(event: DomainEvent, afterMs = 0): this {
    this.now += afterMs;
    const before = JSON.stringify(this.state);
    const decision = decide(this.state, event, { now: this.now, policy: this.policy });
    this.effects = [];
    this.journal = [];
    this.refusal = null;
    this.ignored = null;
    if (decision.outcome === 'accepted') {
      this.state = decision.state;
      this.effects = decision.effects;
      this.journal = decision.journal;
      this.reply = decision.reply;
      this.allJournal.push(...decision.journal);
      this.allEffects.push(...decision.effects);
    } else if (decision.outcome === 'refused') this.refusal = decision.refusal.text;
    else this.ignored = decision.why;
    if (decision.outcome !== 'accepted') expect(JSON.stringify(this.state)).toBe(before);
    return this;
  }

  command(command: Command, actor: Actor = ann, binding?: string, afterMs = 0): this {
    return this.when({ type: 'command', command, actor, binding }, afterMs);
  }

  /** The timer fires at its time, or `lateMs` after it. */
  timer(key: TimerKey, lateMs = 0): this {
    const timer = this.state.timers[key];
    if (!timer) throw new Error(`no timer ${key}; there are ${Object.keys(this.state.timers).join(', ')}`);
    this.now = Math.max(this.now, timer.atMs + lateMs);
    return this.when({ type: 'timer', key, epoch: timer.epoch });
  }

  /** The look under way comes back. */
  measured(patch: Partial<Comparison> & { verdict: Verdict }): this {
    const look = this.state.look;
    if (!look) throw new Error('no look is under way');
    return this.when({ type: 'measured', lookId: look.id, comparison: comparison(this.now, patch) });
  }

  /** The next look is taken and comes back so. */
  looks(patch: Partial<Comparison> & { verdict: Verdict }): this {
    if (!this.state.look) this.timer('look');
    return this.measured(patch);
  }

  /** The shift in flight is read back as ordered. */
  shifted(patch: { exposurePercent?: number; uncertain?: boolean } = {}): this {
    const shift = this.state.shift;
    if (!shift) throw new Error('no shift is in flight');
    return this.when({
      type: 'shifted',
      shiftId: shift.id,
      exposurePercent: shift.split.exposurePercent,
      uncertain: false,
      ...patch,
    });
  }

  shiftFails(problem: 'not-ready' | 'failed', reason: string, uncertain = false): this {
    const shift = this.state.shift;
    if (!shift) throw new Error('no shift is in flight');
    return this.when({ type: 'shift_failed', shiftId: shift.id, problem, uncertain, reason });
  }

  /** The readiness check under way comes back. */
  probed(ready: boolean, detail = ready ? '3 of 3 instances' : '0 of 3 instances'): this {
    if (!this.state.probe) this.timer('probe');
    const probe = this.state.probe;
    if (!probe) throw new Error('no readiness check is under way');
    return this.when({ type: 'probed', probeId: probe.id, readiness: { ready, detail }, problem: null });
  }

  start(candidate = 'v42', patch: Partial<Extract<Command, { name: 'start' }>> = {}): this {
    return this.command({
      name: 'start',
      candidate: { id: candidate },
      observed: observed(),
      force: false,
      reason: 'weekly retraining',
      ...patch,
    });
  }

  /** What the event came to, in a few words each, exactly and in order. */
  does(...effects: string[]): this {
    expect(this.refusal ?? this.ignored).toBeNull();
    expect(this.effects.map((e) => word(e, this.now))).toEqual(effects);
    return this;
  }

  refused(text: RegExp): this {
    expect(this.refusal).toMatch(text);
    expect(this.effects).toEqual([]);
    return this;
  }

  isIgnored(): this {
    expect(this.ignored).not.toBeNull();
    return this;
  }

  phase(name: string): this {
    expect(this.state.rollout?.phase.name).toBe(name);
    return this;
  }

  stage(name: string, why?: string): this {
    const stage = this.state.degradation?.stage;
    expect(stage?.name).toBe(name);
    if (why !== undefined)
      expect(stage && 'why' in stage ? stage.why : stage && 'outcome' in stage ? stage.outcome : null).toBe(why);
    return this;
  }

  exposure(percent: number): this {
    expect(this.state.rollout?.exposurePercent).toBe(percent);
    return this;
  }

  says(what: JournalEntry['what'], text: RegExp): this {
    expect(
      this.journal
        .filter((e) => e.what === what)
        .map((e) => e.text)
        .join('\n'),
    ).toMatch(text);
    return this;
  }

  pages(count: number): this {
    expect(this.effects.filter((e) => e.kind === 'page' && e.action === 'trigger')).toHaveLength(count);
    return this;
  }

  shifts(...percents: number[]): this {
    expect(this.effects.filter((e) => e.kind === 'shift').map((e) => e.split.exposurePercent)).toEqual(percents);
    return this;
  }
}

export function given(patch: Partial<Policy> = {}): Given {
  return new Given(storyPolicy(patch));
}

/** v42 runs beside v41 at 10 %. */
export function soaking(patch: Partial<Policy> = {}): Given {
  return given(patch).start().shifted();
}

/** …and an alert has put the question. */
export function asked(patch: Partial<Policy> = {}): Given {
  return soaking(patch).when(firing('ErrorsHigh'), 3 * 60_000);
}

/** …which nobody answered: it is on its way back from 50 %. */
export function rollingBack(patch: Partial<Policy> = {}): Given {
  const g = soaking(patch).timer('look').measured({ verdict: 'healthy' });
  while (g.state.rollout?.exposurePercent === 10) {
    if (g.state.shift) g.shifted();
    else g.looks({ verdict: 'healthy' });
  }
  g.when(firing('ErrorsHigh'), 60_000).measured({ verdict: 'degraded' });
  return g.timer('deadline').measured({ verdict: 'degraded' });
}

/** v42 has all traffic and is watched; v39 served long before it, v41 only since the rollout began. */
export function watched(
  patch: Partial<Policy> = {},
  served: readonly Served[] = [servedFor('v39', T0 - 9 * DAY, T0)],
): Given {
  const g = new Given(storyPolicy(patch), { ...initialState('fraud-scorer', T0), served }).start();
  while (g.state.rollout?.phase.name !== 'watching') {
    if (g.state.shift) g.shifted();
    else g.looks({ verdict: 'healthy', improved: ['errors'] });
  }
  return g;
}

/** A gate by its name; what is not said is asked of all metrics: no worse. */
export function gateNamed(name: string, patch: Partial<Gate> = {}): Gate {
  return { name, kind: 'comparison', objective: 'no-worse', metrics: [], ...patch };
}

/** 0 % in the shadow of stable, then 10 %, an experiment at 50 %, and all. */
export const shadowFirst: Partial<Policy> = {
  steps: [
    {
      exposurePercent: 0,
      soakMs: 10 * MINUTE,
      maxSoakMs: 30 * MINUTE,
      gate: gateNamed('shadow', { kind: 'shadow', metrics: ['errors'] }),
    },
    { exposurePercent: 10, soakMs: 10 * MINUTE, maxSoakMs: 30 * MINUTE },
    {
      exposurePercent: 50,
      soakMs: 10 * MINUTE,
      maxSoakMs: 30 * MINUTE,
      gate: gateNamed('experiment', { kind: 'ab', objective: 'better', metrics: ['errors'] }),
    },
    { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
  ],
};

/** v42 gets copies of the traffic beside v41. */
export function shadowing(patch: Partial<Policy> = {}): Given {
  return given({ ...shadowFirst, ...patch })
    .start()
    .shifted();
}

export function observed(patch: Partial<Observed> = {}): Observed {
  return {
    stable: 'v41',
    candidate: null,
    exposurePercent: 0,
    ready: { v41: { ready: true, detail: '' }, v42: { ready: true, detail: '' } },
    revision: null,
    ...patch,
  };
}

export function alert(name: string, patch: Partial<Alert> = {}): Alert {
  return {
    fingerprint: `fp-${name}`,
    name,
    severity: 'warning',
    status: 'firing',
    startsAtMs: T0,
    endsAtMs: null,
    summary: `${name} on fraud-scorer`,
    description: '',
    labels: { alertname: name, service: 'fraud-scorer' },
    generatorUrl: '',
    runbookUrl: '',
    ...patch,
  };
}

export function firing(name: string, patch: Partial<Alert> = {}): DomainEvent {
  return { type: 'alert', alert: alert(name, patch) };
}

export function resolved(name: string, patch: Partial<Alert> = {}): DomainEvent {
  return { type: 'alert', alert: alert(name, { status: 'resolved', endsAtMs: T0 + 1, ...patch }) };
}

export function comparison(atMs: number, patch: Partial<Comparison> & { verdict: Verdict }): Comparison {
  const metric: MetricComparison = {
    metric: 'errors',
    title: 'Error rate',
    unit: '%',
    direction: 'lower-is-better',
    isShare: true,
    verdict: patch.verdict,
    stableVerdict: patch.stableVerdict ?? 'healthy',
    candidateVersusPast: patch.verdict,
    stableBefore: { value: 0.02, samples: 5000 },
    stableNow: { value: 0.02, samples: 5000 },
    candidateNow: { value: patch.verdict === 'degraded' ? 0.09 : 0.02, samples: 600 },
    change: null,
    limit: 1.25,
    changeIs: 'ratio',
    limitText: '1.25×',
    evidence: 1,
    critical: patch.critical ?? false,
    weight: 1,
    sentence: 'Error rate 9.0 % vs 2.0 % on stable.',
    line: [],
  };
  return {
    atMs,
    stableVerdict: 'healthy',
    commonCause: false,
    critical: false,
    score: 50,
    improved: [],
    culprits: patch.verdict === 'degraded' ? ['errors'] : [],
    metrics: [metric],
    missing: null,
    ...patch,
  };
}

function word(effect: Effect, now: number): string {
  switch (effect.kind) {
    case 'shift':
      return `shift to ${effect.split.exposurePercent}, ${effect.gaining ?? 'nobody'} gains`;
    case 'measure':
      return effect.candidate === null ? 'measure alone' : 'measure';
    case 'timer':
      return `timer ${effect.key} in ${duration(effect.atMs - now)}`;
    case 'cancel_timer':
      return `cancel ${effect.key}`;
    case 'card':
      return `card ${effect.card.kind}${effect.urgent ? '' : ' later'}`;
    case 'say':
      return `say ${effect.entry.what}`;
    case 'report':
      return `report ${effect.card.kind}`;
    case 'page':
      return `page ${effect.action}`;
    case 'probe':
      return `probe ${effect.version}`;
    case 'silence':
      return `silence ${effect.action}`;
  }
}
