import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/analysis/types.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Decision } from '../../src/domain/effect.ts';
import type { Command, DomainEvent } from '../../src/domain/event.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { brokenRules } from '../support/decision-rules.ts';
import { blueGreen, MINUTE, policy, respond } from '../support/policy.ts';
import {
  alert,
  ann,
  asked,
  bob,
  comparison,
  eve,
  firing,
  type Given,
  given,
  observed,
  resolved,
  rollingBack,
  shadowFirst,
  shadowing,
  soaking,
  T0,
  watched,
} from './given.ts';

/** What must hold after every decision, whatever led to it. */
function check(before: ServiceState, event: DomainEvent, decision: Decision<ServiceState>, policy: Policy): void {
  if (decision.outcome !== 'accepted') return;
  const { state, effects } = decision;
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  const { journal } = decision;
  expect(brokenRules({ before, event, state, effects, journal, policy })).toEqual([]);
}

const commands: Command[] = [
  { name: 'start', candidate: { id: 'v43' }, observed: observed({ ready: {} }), force: false, reason: 'r' },
  { name: 'start', candidate: { id: 'v43' }, observed: observed({ ready: {} }), force: true, reason: 'r' },
  { name: 'promote', scope: 'step', reason: 'r' },
  { name: 'promote', scope: 'all', reason: 'r' },
  { name: 'rollback', pace: 'phased', to: null, reason: 'r' },
  { name: 'rollback', pace: 'at-once', to: null, reason: 'r' },
  { name: 'rollback', pace: 'phased', to: 'v40', reason: 'r' },
  { name: 'rollback', pace: 'phased', to: null, beforeMs: T0 - MINUTE, reason: 'r' },
  { name: 'rollback', pace: 'at-once', to: null, beforeMs: T0 + 5 * MINUTE, reason: 'r' },
  { name: 'hold', forMs: null, reason: 'r' },
  { name: 'hold', forMs: -1, reason: 'r' },
  { name: 'resume', reason: 'r' },
  { name: 'extend', byMs: 10 * MINUTE, reason: 'r' },
  { name: 'extend', byMs: 0, reason: 'r' },
  { name: 'acknowledge', reason: 'r' },
  { name: 'cancel', reason: 'r' },
  { name: 'freeze', reason: 'r' },
  { name: 'unfreeze', reason: 'r' },
  { name: 'automation', on: false, reason: 'r' },
  { name: 'automation', on: true, reason: 'r' },
];
const verdicts: Verdict[] = ['degraded', 'healthy', 'inconclusive', 'no-data'];

/** Every event that could come in this state, the true ones and the stale ones. */
function events(state: ServiceState, now: number): DomainEvent[] {
  const id = state.degradation?.id ?? 'fraud-scorer-d0';
  const timers = (
    ['grace', 'deadline', 'escalate', 'stability', 'hold', 'look', 'repage', 'watch', 'probe', 'reassert'] as const
  ).flatMap((key): DomainEvent[] => [
    { type: 'timer', key, epoch: state.timers[key]?.epoch ?? 0 },
    { type: 'timer', key, epoch: 99_999 },
  ]);
  const shiftId = state.shift?.id ?? 'none';
  const measured = verdicts.flatMap((verdict): DomainEvent[] =>
    [
      { verdict },
      { verdict, stableVerdict: 'degraded' as const },
      { verdict, critical: true },
      { verdict, commonCause: true },
    ].map((c) => ({
      type: 'measured',
      lookId: state.look?.id ?? 0,
      comparison: comparison(now, c),
    })),
  );
  return [
    ...[ann, bob, eve].flatMap((actor) =>
      commands.map((command): DomainEvent => ({ type: 'command', command, actor })),
    ),
    firing('ErrorsHigh'),
    firing('ErrorsHigh', { startsAtMs: now }),
    firing('New', { severity: 'critical', startsAtMs: now }),
    firing('Warn', { startsAtMs: now }),
    resolved('ErrorsHigh', { startsAtMs: state.alerts.find((a) => a.name === 'ErrorsHigh')?.startsAtMs ?? T0 }),
    resolved('New', { startsAtMs: state.alerts.find((a) => a.name === 'New')?.startsAtMs ?? T0 }),
    { type: 'alert', alert: alert('Empty', { summary: '', labels: {} }) },
    ...timers,
    ...measured,
    { type: 'measured', lookId: 98_765, comparison: comparison(now, { verdict: 'degraded' }) },
    ...[0, 10, 37, 100].map(
      (exposurePercent): DomainEvent => ({ type: 'shifted', shiftId, exposurePercent, uncertain: false }),
    ),
    { type: 'shifted', shiftId, exposurePercent: state.shift?.split.exposurePercent ?? 0, uncertain: true },
    { type: 'shift_failed', shiftId, problem: 'failed', uncertain: true, reason: 'x' },
    { type: 'shift_failed', shiftId, problem: 'not-ready', uncertain: false, reason: 'x' },
    ...(['trigger', 'acknowledge', 'resolve'] as const).flatMap((action): DomainEvent[] => [
      { type: 'paged', degradationId: id, action },
      { type: 'page_failed', degradationId: id, action, reason: 'x' },
    ]),
    { type: 'unseen', degradationId: id, why: 'Slack does not answer' },
    { type: 'pager_acknowledged', degradationId: id, by: 'Ann' },
    { type: 'pager_resolved', degradationId: id, by: 'Ann' },
    { type: 'pager_resolved', degradationId: 'other', by: 'Ann' },
    ...[true, false].map(
      (ready): DomainEvent => ({
        type: 'probed',
        probeId: state.probe?.id ?? 0,
        readiness: { ready, detail: '3 of 3' },
        problem: null,
      }),
    ),
    { type: 'probed', probeId: state.probe?.id ?? 0, readiness: null, problem: 'away' },
    { type: 'probed', probeId: 98_765, readiness: { ready: true, detail: '' }, problem: null },
    ...[0, 10, 37, 100].map(
      (exposurePercent): DomainEvent => ({ type: 'seen', observed: observed({ exposurePercent }), askedAtMs: now }),
    ),
    { type: 'seen', observed: observed({ stable: null, exposurePercent: null }), askedAtMs: now },
    ...(['create', 'lift'] as const).flatMap((action): DomainEvent[] => [
      { type: 'silenced', degradationId: id, action, problem: null },
      { type: 'silenced', degradationId: id, action, problem: 'x' },
    ]),
    { type: 'policy_changed' },
  ];
}

const warmedUp = { kind: 'canary' as const, warmUp: { soakMs: MINUTE, maxSoakMs: 10 * MINUTE }, keepMs: 0 };

function atTheExperiment(): Given {
  const g = shadowing();
  while (g.state.rollout?.exposurePercent !== 50) {
    if (g.state.shift) g.shifted();
    else g.looks({ verdict: 'healthy' });
  }
  return g;
}

const phases: Record<string, () => Given> = {
  'nothing known': () => given(),
  'no rollout, asked': () => given().when(firing('ErrorsHigh')),
  'no rollout, held': () => given().when(firing('ErrorsHigh')).timer('deadline').measured({ verdict: 'degraded' }),
  'advancing, shifting': () => given().start(),
  'advancing, warming': () => given(blueGreen).start(),
  'advancing, warming and ready': () => given(blueGreen).start().probed(true),
  'advancing, soaking': () => soaking(),
  'advancing, looking': () => soaking().timer('look'),
  'shadow, shifting': () => given(shadowFirst).start(),
  'shadow, warming': () => given({ ...shadowFirst, strategy: warmedUp }).start(),
  'shadow, soaking': () => shadowing(),
  'shadow, asked': () => shadowing().looks({ verdict: 'degraded' }),
  'shadow, recovering': () => shadowing().looks({ verdict: 'degraded' }).measured({ verdict: 'healthy' }),
  'shadow, held': () => shadowing().command({ name: 'hold', forMs: null, reason: '' }),
  'shadow, ending': () => shadowing().command({ name: 'rollback', pace: 'phased', to: null, reason: '' }),
  'shadow, ended while an alert fires': () =>
    shadowing()
      .when(firing('ErrorsHigh'))
      .command({ name: 'rollback', pace: 'phased', to: null, reason: '' })
      .shifted(),
  'experiment, soaking': () => atTheExperiment(),
  'deciding, grace': () => soaking(respond({ graceMs: MINUTE })).when(firing('ErrorsHigh')),
  'deciding, asked': () => asked(),
  'deciding, measuring at the deadline': () => asked().timer('deadline'),
  'deciding, recovering': () => asked().measured({ verdict: 'healthy' }).when(resolved('ErrorsHigh')),
  'deciding, held': () => asked().timer('deadline').measured({ verdict: 'no-data' }),
  'holding by a person': () => soaking().command({ name: 'hold', forMs: null, reason: '' }),
  'holding with a question': () => asked().command({ name: 'hold', forMs: null, reason: '' }),
  'rolling back, shifting': () => rollingBack(),
  'rolling back, soaking': () => rollingBack().shifted(),
  'rolling back, paused': () => rollingBack().shifted().command({ name: 'hold', forMs: null, reason: '' }),
  'rolling back, asked again': () =>
    rollingBack().shifted().command({ name: 'hold', forMs: null, reason: '' }).timer('hold'),
  'rolling back, stable worse': () => rollingBack().shifted().looks({ verdict: 'degraded', stableVerdict: 'degraded' }),
  verifying: () => asked().timer('deadline').measured({ verdict: 'degraded' }).shifted(),
  'stuck forward': () => given().start().shiftFails('failed', 'x'),
  'stuck on the way back': () => rollingBack().shiftFails('not-ready', 'x'),
  'rolled back': () => {
    const g = asked().timer('deadline').measured({ verdict: 'degraded' }).shifted().when(resolved('ErrorsHigh'));
    while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data' });
    return g;
  },
  cancelled: () => given().start().shiftFails('not-ready', 'x').command({ name: 'cancel', reason: '' }),
  watching: () => watched(),
  'watching, asked': () => watched().when(firing('ErrorsHigh')),
  'watching, going back': () =>
    watched().when(firing('ErrorsHigh')).timer('deadline').measured({ verdict: 'degraded' }),
  'watching, nothing to go back to': () =>
    watched({}, []).when(firing('ErrorsHigh')).timer('deadline').measured({ verdict: 'degraded' }),
};

describe('every phase × every event: no throw, no rule broken', () => {
  it.each(Object.keys(phases))('%s', (name) => {
    for (const patch of [{}, { mode: 'observe' as const }]) {
      const g = phases[name]!();
      for (const frozen of [false, true])
        for (const lateMs of [0, 90 * MINUTE]) {
          const state = frozen ? { ...g.state, freeze: { by: ann, atMs: T0, reason: '' } } : g.state;
          const context = { now: g.now + lateMs, policy: policy({ ...g.policy, ...patch }) };
          for (const event of events(state, context.now))
            check(state, event, decide(state, event, context), context.policy);
        }
    }
  });
});

const beginnings: readonly (() => Given)[] = [
  () => soaking(),
  () => soaking(respond({ graceMs: MINUTE })),
  () => given({ ...blueGreen, silence: { forMs: 30 * MINUTE } }).start(),
  () => given({ ...shadowFirst, silence: { forMs: 30 * MINUTE } }).start(),
  () => shadowing(respond({ stabilityMs: 0 })),
  () => given({ ...shadowFirst, strategy: warmedUp }).start(),
  () => atTheExperiment(),
  () => watched({ silence: { forMs: 30 * MINUTE }, objective: 'better' }),
];

/** The same walks every time; with LASTGOOD_TEST_SEED others, to search further. */
describe('any sequence of events', () => {
  it('breaks no rule and waits for nothing that will not come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 20 * MINUTE })), { minLength: 5, maxLength: 60 }),
        fc.constantFrom(...beginnings),
        (walk, begin) => {
          const g = begin();
          for (const [pick, waitMs] of walk) {
            const possible = events(g.state, g.now + waitMs);
            const event = possible[pick % possible.length]!;
            const context = { now: g.now + waitMs, policy: g.policy };
            const decision = decide(g.state, event, context);
            check(g.state, event, decision, g.policy);
            g.now += waitMs;
            if (decision.outcome === 'accepted') g.state = decision.state;
          }
        },
      ),
      {
        numRuns: Number(process.env.LASTGOOD_TEST_RUNS ?? 4000),
        seed: Number(process.env.LASTGOOD_TEST_SEED ?? 1018034630),
      },
    );
  });
});
