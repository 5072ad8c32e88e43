import { describe, expect, it } from 'vitest';
import { MINUTE } from '../support/policy.ts';
import { asked, firing, given, observed, resolved, rollingBack, soaking } from './given.ts';

describe('a rollout goes forward', () => {
  it('starts with the first step, told in the channel', () => {
    given().start().does('shift to 10, v42 gains', 'card rollout', 'say rollout-started').phase('advancing');
  });

  it('soaks when the shift was read back, and looks at once in its rhythm', () => {
    given().start().shifted().does('timer look in 15 s', 'card rollout', 'say shifted').exposure(10);
  });

  it('goes to the next step when the soak is over and the gate passes', () => {
    const g = soaking();
    g.timer('look').does('measure', 'timer look in 1 min');
    g.measured({ verdict: 'healthy' }).does('cancel look', 'timer look in 15 s', 'card rollout later');
    while (!g.state.shift) g.looks({ verdict: 'healthy' });
    g.shifts(50).says('gate-passed', /gate at 10 % passed/);
    expect(g.now - (g.state.rollout?.startedAtMs ?? 0)).toBe(10 * MINUTE);
  });

  it('is watched after 100 %, and succeeds when the watch ends well', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name !== 'watching') {
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'healthy' });
    }
    expect(g.state.rollout.exposurePercent).toBe(100);
    expect(g.state.served.map((s) => [s.version.id, s.untilMs === null])).toEqual([
      ['v41', false],
      ['v42', true],
    ]);
    g.now = g.state.timers.watch?.atMs ?? 0;
    g.timer('watch')
      .phase('succeeded')
      .says('rollout-succeeded', /v42 was watched to the end/);
  });
});

describe('an alert nobody answers', () => {
  it('puts the question at once, holds exposure and looks', () => {
    soaking()
      .when(firing('ErrorsHigh', { severity: 'critical' }), MINUTE)
      .does(
        'timer deadline in 10 min',
        'timer escalate in 5 min',
        'measure',
        'timer look in 1 min',
        'card rollout',
        'card degradation',
        'say question-opened',
      )
      .phase('deciding')
      .exposure(10);
  });

  it('pages at escalate.after', () => {
    asked()
      .measured({ verdict: 'degraded' })
      .timer('escalate')
      .does('page trigger', 'timer repage in 15 min', 'card degradation')
      .stage('asking');
  });

  it('measures anew at the deadline and goes back by phases: 50 → 10 → 0, verified, reported, resolved', () => {
    const g = rollingBack();
    g.phase('rolling_back').exposure(50).shifts(10);
    expect(g.state.degradation?.decision?.by.id).toBe('fraud-scorer@rev1');
    g.shifted().exposure(10);
    g.looks({ verdict: 'degraded', stableVerdict: 'inconclusive' });
    while (!g.state.shift) g.looks({ verdict: 'degraded', stableVerdict: 'healthy' });
    g.shifts(0).shifted().phase('verifying');
    g.when(resolved('ErrorsHigh'), MINUTE);
    while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data', stableVerdict: 'healthy' });
    g.phase('rolled_back')
      .stage('ended', 'rolled-back')
      .says('rolled-back', /back on v41/);
    expect(g.effects.map((e) => e.kind)).toContain('report');
    expect(g.state.served.at(-1)?.version.id).toBe('v41');
    expect(g.state.served.find((s) => s.version.id === 'v42')?.tainted ?? true).toBe(true);
  });

  it('resolves the incident when it was paged', () => {
    const g = asked().measured({ verdict: 'degraded' }).timer('escalate');
    const degradationId = g.state.degradation?.id ?? '';
    g.when({ type: 'paged', degradationId, action: 'trigger' });
    g.timer('deadline').measured({ verdict: 'degraded' }).shifted();
    g.when(resolved('ErrorsHigh'));
    while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data', stableVerdict: 'healthy' });
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'page', action: 'resolve', degradationId }));
  });
});

describe('start is refused', () => {
  it('while a rollout is under way', () => {
    soaking()
      .start('v43')
      .refused(/fraud-scorer-r1 .* is under way: advancing/);
  });
  it('while an alert fires, unless forced', () => {
    const g = given().when(firing('ErrorsHigh'));
    g.start().refused(/ErrorsHigh fires.*--force/);
    g.start('v42', { force: true }).says('rollout-started', /Forced although ErrorsHigh fires/);
  });
  it('while frozen', () => {
    given()
      .command({ name: 'freeze', reason: 'audit' })
      .start()
      .refused(/frozen by @ann\. Reason: audit/);
  });
  it('when the traffic is split by somebody else, the target cannot tell, or it serves already', () => {
    given()
      .start('v42', { observed: observed({ exposurePercent: 30, candidate: 'v40' }) })
      .refused(/already split: v40 gets 30 %/);
    given()
      .start('v42', { observed: observed({ exposurePercent: null }) })
      .refused(/does not tell/);
    given()
      .start('v41')
      .refused(/v41 already serves/);
    given()
      .start('v42', { observed: observed({ ready: { v42: { ready: false, detail: '0 of 3 instances' } } }) })
      .refused(/v42 is not ready: 0 of 3/);
  });
});
