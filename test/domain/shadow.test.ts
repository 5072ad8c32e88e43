import { describe, expect, it } from 'vitest';
import { MINUTE, respond, SECOND } from '../support/policy.ts';
import { ann, bob, firing, type Given, given, observed, resolved, shadowFirst, shadowing } from './given.ts';

const warmUp = { soakMs: MINUTE, maxSoakMs: 10 * MINUTE };
const warmed = { ...shadowFirst, strategy: { kind: 'canary' as const, warmUp, keepMs: 0 } };

function healthyUntilOrdered(g: Given): Given {
  while (!g.state.shift && g.state.rollout?.phase.name === 'advancing')
    g.looks({ verdict: 'healthy', improved: ['errors'] });
  return g;
}

/** The candidate is ready until it counts as warm. */
function warm(g: Given): Given {
  while (!g.state.shift) g.probed(true);
  return g;
}

function period(g: Given) {
  return g.effects.find((e) => e.kind === 'measure')?.period;
}

describe('a rollout that begins in the shadow', () => {
  it('orders 0 % for the candidate, which has to be ready for its copies', () => {
    given(shadowFirst)
      .start()
      .does('shift to 0, v42 gains', 'card rollout', 'say rollout-started')
      .says('rollout-started', /first step 0 %/);
  });
  it('soaks at 0 %, and says what that is', () => {
    const g = shadowing()
      .does('timer look in 15 s', 'card rollout', 'say shifted')
      .says('shifted', /v42 runs in the shadow of v41: it gets copies of the traffic and answers nobody/);
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'soaking' });
  });
  it('goes on to the next step when its gate passes, and not to the shadow again', () => {
    const g = healthyUntilOrdered(shadowing())
      .shifts(10)
      .says('gate-passed', /^The gate shadow at 0 % passed: Error rate is healthy; nothing is worse/);
    expect(g.now - (g.state.rollout?.startedAtMs ?? 0)).toBe(10 * MINUTE);
    const exposures: number[] = [];
    while (g.state.rollout?.phase.name === 'advancing') {
      if (g.state.shift) exposures.push(g.state.shift.split.exposurePercent);
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'healthy', improved: ['errors'] });
    }
    expect(exposures).toEqual([10, 50, 100]);
    g.phase('watching');
  });
  it('warms up before it where the strategy says so', () => {
    const g = given(warmed)
      .start()
      .does('probe v42', 'timer probe in 1 min', 'card rollout', 'say rollout-started', 'say warming');
    g.probed(true).shifts();
    warm(g).shifts(0).shifted().exposure(0);
    expect(g.state.rollout?.phase).toMatchObject({ stage: 'soaking' });
  });
  it('does not go on by itself without a passed gate', () => {
    const g = shadowing();
    while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'no-data' }).shifts();
    g.phase('deciding')
      .exposure(0)
      .says('question-opened', /^The gate shadow could not tell .*no data: Error rate/);
  });
  it('is stuck where the candidate is not ready, and begins with the shadow again', () => {
    const g = given(shadowFirst).start().shiftFails('not-ready', 'v42 is not ready: 0 of 3 instances').phase('stuck');
    g.command({ name: 'resume', reason: 'deployed' }).shifts(0).shifted().exposure(0);
  });
  it('tried again after it, the step itself is tried', () => {
    healthyUntilOrdered(shadowing())
      .shiftFails('failed', '503 for 2 min')
      .phase('stuck')
      .command({ name: 'resume', reason: 'router restarted' })
      .shifts(10);
  });
});

describe('what a look covers in the shadow', () => {
  it('begins when the shadow began, and knows of no split', () => {
    const g = warm(given(warmed).start());
    g.now += 20 * SECOND;
    g.shifted();
    const begunMs = g.now;
    g.timer('look');
    expect(period(g)).toMatchObject({ fromMs: begunMs + 2 * MINUTE, healthyFromMs: begunMs + 2 * MINUTE });
    expect(period(g)).not.toHaveProperty('exposures');
  });
  it('is not mixed with what the traffic says afterwards', () => {
    const g = healthyUntilOrdered(shadowing()).shifted();
    const begunMs = g.now;
    g.timer('look');
    expect(period(g)?.fromMs).toBe(begunMs + 2 * MINUTE);
    expect(period(g)?.exposures?.at(-1)).toEqual({ fromMs: begunMs, percent: 10 });
  });
});

describe('people in the shadow', () => {
  it('promote to the next step, alone', () => {
    shadowing().command({ name: 'promote', scope: 'step', reason: '' }).shifts(10);
  });
  it('promote all steps with the quorum', () => {
    shadowing()
      .command({ name: 'promote', scope: 'all', reason: '' }, ann)
      .shifts()
      .command({ name: 'promote', scope: 'all', reason: '' }, bob)
      .shifts(100);
  });
  it('promote out of the warm-up into the shadow', () => {
    given(warmed)
      .start()
      .command({ name: 'promote', scope: 'step', reason: '' })
      .does('cancel probe', 'shift to 0, v42 gains', 'card rollout', 'say promoted');
  });
  it('cancel it', () => {
    shadowing()
      .command({ name: 'cancel', reason: 'wrong build' })
      .phase('cancelled')
      .says('rollout-cancelled', /cancelled fraud-scorer-r1 at 0 %/);
  });
  it('hold it, and it soaks on in the shadow afterwards', () => {
    const g = shadowing().command({ name: 'hold', forMs: null, reason: '' }).timer('hold').shifts();
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'soaking' });
    healthyUntilOrdered(g).shifts(10);
  });
  it('hold it while it begins: what is ordered lands, and is the shadow', () => {
    const g = given(shadowFirst).start().command({ name: 'hold', forMs: null, reason: '' }).shifted();
    g.command({ name: 'resume', reason: '' }).shifts().phase('advancing');
    expect(g.state.rollout?.shifts).toHaveLength(1);
  });
});

describe('a shadow gate that fails', () => {
  it('puts the question; recovered, the shadow soaks again from the beginning', () => {
    const g = shadowing().looks({ verdict: 'degraded' }).phase('deciding').exposure(0).stage('asking');
    g.measured({ verdict: 'healthy' }).timer('stability').shifts().phase('advancing');
    const since = g.now;
    healthyUntilOrdered(g).shifts(10);
    expect(g.now - since).toBe(10 * MINUTE);
  });
  it('recovered after a warm-up, it does not warm up again', () => {
    const g = warm(given(warmed).start()).shifted();
    g.looks({ verdict: 'degraded' }).measured({ verdict: 'healthy' }).timer('stability');
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'soaking' });
  });
  it('recovered in the warm-up, it warms up again', () => {
    const g = given(warmed).start().when(firing('ErrorsHigh')).measured({ verdict: 'no-data' });
    g.when(resolved('ErrorsHigh')).timer('stability');
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'warming' });
  });
  it('ends the rollout at the deadline: 0 % once more, and nothing to wait for', () => {
    const g = shadowing().looks({ verdict: 'degraded' }).timer('deadline').measured({ verdict: 'degraded' });
    g.phase('rolling_back')
      .shifts(0)
      .says('rollback-decided', /ends the rollout of v42, which never got traffic: v41 serves everything/);
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'shift', gaining: 'v41' }));
    g.shifted()
      .phase('rolled_back')
      .stage('ended', 'rolled-back')
      .says('rolled-back', /^v42 never got traffic: fraud-scorer is on v41, as it was\. Nothing had to come back\./);
    expect(g.state.timers).toEqual({});
    g.start('v43').phase('advancing');
  });
  it('holds and pages at the deadline where it is not degraded any more', () => {
    shadowing()
      .looks({ verdict: 'degraded' })
      .timer('deadline')
      .measured({ verdict: 'inconclusive' })
      .stage('held', 'inconclusive')
      .pages(1);
  });
  it('holds and pages where stable is as bad', () => {
    shadowing()
      .looks({ verdict: 'degraded' })
      .timer('deadline')
      .measured({ verdict: 'inconclusive', commonCause: true })
      .stage('held', 'common-cause')
      .shifts()
      .pages(1);
  });
});

describe('the end of what never got traffic', () => {
  const back = { name: 'rollback', pace: 'phased', to: null, reason: 'bad' } as const;

  it('waits for an alert that fires: the copies may have been to blame', () => {
    const g = shadowing().when(firing('ErrorsHigh')).command(back).shifted().phase('verifying');
    g.looks({ verdict: 'no-data', stableVerdict: 'degraded' }).phase('verifying');
    g.when(resolved('ErrorsHigh')).looks({ verdict: 'no-data', stableVerdict: 'no-data' }).phase('rolled_back');
  });
  it('is stuck where that fires on, and says that the rollout is hardly the cause', () => {
    const g = shadowing().when(firing('ErrorsHigh')).command(back).shifted();
    while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data', stableVerdict: 'healthy' });
    g.phase('stuck')
      .pages(1)
      .says('stuck', /v42 never got traffic, and ErrorsHigh still fires 10 min after/);
    g.command({ name: 'cancel', reason: 'not ours' }).phase('rolled_back');
  });
  it('is ordered also where the candidate cannot get its copies', () => {
    const g = given(shadowFirst).start().command(back).shifts();
    g.shiftFails('not-ready', 'v42 is not ready').phase('rolling_back').shifts(0).shifted().phase('rolled_back');
  });
  it('needs no stable that could take anything back', () => {
    const g = given(shadowFirst)
      .start('v42', { candidate: { id: 'v42', signature: 'b' } })
      .shifted();
    const rollout = g.state.rollout;
    if (!rollout) throw new Error('no rollout');
    g.state = { ...g.state, rollout: { ...rollout, stable: { id: 'v41', signature: 'a' } } };
    g.command(back).shifted().phase('rolled_back');
  });
  it('is told to who asks', () => {
    const g = shadowing().command(back);
    expect(g.reply).toBe('v42 never got traffic: its rollout ends, v41 serves everything.');
  });
  it('is verified as ever once a share was ordered, whatever came of it', () => {
    const g = healthyUntilOrdered(shadowing()).shiftFails('failed', 'no answer', true).command(back).shifted();
    g.phase('verifying');
    expect(g.allJournal.map((e) => e.text).join()).not.toContain('never got traffic');
  });
  it('is verified as ever in a rollout that was stored before this was kept', () => {
    const g = shadowing();
    const rollout = g.state.rollout;
    if (!rollout) throw new Error('no rollout');
    g.state = { ...g.state, rollout: { ...rollout, highestPercent: undefined } };
    g.command(back).shifted().phase('verifying');
  });
});

describe('traffic that somebody moves onto a shadow', () => {
  const seen = (g: Given, exposurePercent: number) =>
    g.when({ type: 'seen', observed: observed({ candidate: 'v42', exposurePercent }), askedAtMs: g.now + 1 }, 1);

  it('is taken back to 0, for stable, and the shadow soaks anew', () => {
    const g = shadowing();
    seen(g, 20).says('drift-noticed', /v42 gets 20 % .* instead of 0 %.*taken back to 0 %/);
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'shift', gaining: 'v41' }));
    g.shifted().exposure(0);
    expect(g.state.rollout?.phase).toMatchObject({ name: 'advancing', stage: 'soaking' });
    expect(g.state.rollout?.highestPercent).toBe(20);
  });
  it('counts as traffic when it ends', () => {
    const g = seen(shadowing(), 20).shifted();
    g.command({ name: 'rollback', pace: 'phased', to: null, reason: '' }).shifted().phase('verifying');
  });
});

it('an automation that only observes holds in the shadow and says what it would have done', () => {
  const g = healthyUntilOrdered(shadowing({ mode: 'observe' }))
    .phase('holding')
    .shifts();
  g.says('would-have', /Would have gone on to 10 %/);
  g.command({ name: 'resume', reason: '' }).shifts().exposure(0);
});

it('nobody is asked for longer than the policy says', () => {
  const g = shadowing(respond({ defaultAction: 'hold' })).looks({ verdict: 'degraded' });
  g.timer('deadline').measured({ verdict: 'degraded' }).stage('held', 'policy').shifts().pages(1);
});
