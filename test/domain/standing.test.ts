import { describe, expect, it } from 'vitest';
import { blueGreen, MINUTE } from '../support/policy.ts';
import { ann, asked, bob, type Given, given, resolved, rollingBack, soaking } from './given.ts';

/** Warmed up, ready for as long as the policy asks. */
function warmedUp(g: Given): Given {
  g.probed(true);
  g.now += MINUTE;
  return g.timer('probe').probed(true);
}

describe('rule 6: what has warmed up is not moved either', () => {
  it('stands at 0 % where the service was frozen meanwhile, and a person goes on', () => {
    const g = given(blueGreen).start().command({ name: 'freeze', reason: 'audit' });
    warmedUp(g)
      .shifts()
      .phase('holding')
      .says('would-have', /Would have gone on to 100 %, but fraud-scorer is frozen/);
    g.command({ name: 'promote', scope: 'all', reason: '' }).refused(/frozen by @ann/);
    g.command({ name: 'unfreeze', reason: 'done' }).shifts();
    g.command({ name: 'promote', scope: 'step', reason: 'go' }).phase('advancing').shifts(100);
  });
  it('stands where automation was switched off, and warms up anew where it is resumed', () => {
    const g = given(blueGreen).start().command({ name: 'automation', on: false, reason: 'incident' }, ann);
    warmedUp(g)
      .shifts()
      .phase('holding')
      .says('would-have', /automation is off/);
    g.command({ name: 'automation', on: true, reason: 'over' }).command({ name: 'resume', reason: 'go' });
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'warming' });
    warmedUp(g).phase('advancing').shifts(100);
  });
  it('stands where the policy only observes', () => {
    warmedUp(given({ ...blueGreen, mode: 'observe' }).start())
      .shifts()
      .says('would-have', /the policy only observes/);
  });
});

describe('rule 6: a way back that automation decided goes no further in a frozen service', () => {
  it('holds and pages where the shift in flight ended elsewhere than the phase', () => {
    const g = rollingBack().command({ name: 'freeze', reason: 'audit' });
    const shiftId = g.state.shift?.id ?? '';
    g.when({ type: 'shifted', shiftId, exposurePercent: 37, uncertain: false })
      .shifts()
      .phase('holding')
      .stage('held', 'frozen')
      .pages(1);
  });
  it('holds and pages where a pause of it expires', () => {
    const g = rollingBack().shifted().command({ name: 'hold', forMs: null, reason: 'looking' });
    g.state = { ...g.state, degradation: null, freeze: { by: ann, atMs: g.now, reason: 'audit' } };
    g.timer('hold').shifts().phase('holding').stage('held', 'frozen').pages(1);
  });
});

describe('rule 1: the way back never raises', () => {
  it('is planned anew where the step forward that was in flight never landed', () => {
    const g = soaking().command({ name: 'promote', scope: 'all', reason: '' }, ann);
    g.command({ name: 'promote', scope: 'all', reason: '' }, bob).shifts(100);
    g.command({ name: 'rollback', pace: 'phased', to: null, reason: 'bad' }).shifts();
    expect(g.state.shift?.next?.exposurePercent).toBe(50);
    g.shiftFails('failed', '503').shifts(0);
    g.shifted().phase('verifying');
  });
});

it('rule 11: an incident is resolved also where the policy pages nobody any more', () => {
  const g = asked().measured({ verdict: 'degraded' }).timer('escalate').pages(1);
  g.when({ type: 'paged', degradationId: g.state.degradation?.id ?? '', action: 'trigger' });
  g.policy = { ...g.policy, escalate: null };
  g.when({ type: 'policy_changed' }).looks({ verdict: 'healthy' }).when(resolved('ErrorsHigh')).timer('stability');
  g.stage('ended', 'recovered');
  expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'page', action: 'resolve' }));
});
