import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/domain/initial.ts';
import type { Served } from '../../src/domain/served.ts';
import { DAY, HOUR, MINUTE, policy, respond, servedFor } from '../support/policy.ts';
import { ann, asked, bob, firing, Given, given, resolved, rollingBack, soaking, T0, watched } from './given.ts';

/** The table "What happens when" of the product, a test a row. */

describe('a service without a rollout under way', () => {
  it('gets a card with its comparison; automation only pages', () => {
    const g = given().when(firing('ErrorsHigh')).stage('asking');
    expect(g.effects.map((e) => e.kind)).toEqual(expect.arrayContaining(['measure', 'card', 'say']));
    g.timer('deadline').measured({ verdict: 'degraded' }).stage('held', 'no-rollout').shifts().pages(1);
  });
  it('can be rolled back by people, to the last known good', () => {
    const state = {
      ...initialState('fraud-scorer', T0),
      served: [
        servedFor('v40', T0 - 9 * DAY, T0 - 5 * DAY),
        servedFor('v41', T0 - 5 * DAY, T0 - 5 * DAY + MINUTE),
        servedFor('v42', T0 - 4 * DAY, null),
      ],
    };
    const g = new Given(policy(), state).when(firing('ErrorsHigh'));
    g.command({ name: 'rollback', pace: 'phased', to: null, reason: 'bad since noon' })
      .phase('rolling_back')
      .shifts(50);
    expect(g.state.rollout).toMatchObject({ origin: 'restore', stable: { id: 'v40' }, candidate: { id: 'v42' } });
    g.shifted();
    while (g.state.rollout?.phase.name !== 'verifying') {
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'degraded', stableVerdict: 'healthy' });
    }
    expect(g.state.served.at(-1)).toMatchObject({ version: { id: 'v40' }, untilMs: null });
  });
  it('is looked at no more once its question is dismissed', () => {
    const g = given().when(firing('ErrorsHigh')).command({ name: 'cancel', reason: 'a drill' });
    g.stage('ended', 'dismissed');
    expect(g.state.timers).toEqual({});
  });
  it('says so when no version is known to go back to', () => {
    given()
      .when(firing('ErrorsHigh'))
      .command({ name: 'rollback', pace: 'phased', to: null, reason: 'x' })
      .refused(/does not know what serves/);
  });
});

it('further alerts join; a critical one may shorten the deadline, never lengthen it', () => {
  const g = asked();
  g.when(firing('LatencyHigh'), MINUTE).says('question-joined', /LatencyHigh/);
  expect(g.state.timers.deadline?.atMs).toBe(g.now + 14 * MINUTE);
  g.when(firing('AccuracyLow', { severity: 'critical' }), MINUTE);
  expect(g.state.timers.deadline?.atMs).toBe(g.now + 10 * MINUTE);
  g.when(firing('Everything', { severity: 'critical' }), MINUTE);
  expect(g.state.timers.deadline?.atMs).toBe(g.now + 9 * MINUTE);
  expect(g.state.degradation?.signals).toHaveLength(4);
});

describe('a gate', () => {
  it('that fails without an alert opens the same question', () => {
    soaking()
      .looks({ verdict: 'degraded' })
      .phase('deciding')
      .stage('asking')
      .says('question-opened', /errors got worse than allowed/);
  });
  it('that is still inconclusive after maxSoak opens the same question, and holds at the deadline', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'inconclusive' });
    g.phase('deciding')
      .measured({ verdict: 'inconclusive' })
      .timer('deadline')
      .measured({ verdict: 'inconclusive' })
      .stage('held', 'inconclusive')
      .shifts()
      .pages(1);
  });
});

it('a new start while watching ends the watch, without credit as last known good', () => {
  const g = soaking();
  while (g.state.rollout?.phase.name !== 'watching') {
    if (g.state.shift) g.shifted();
    else g.looks({ verdict: 'healthy' });
  }
  g.start('v43', { observed: { stable: 'v41', candidate: 'v42', exposurePercent: 100, ready: {}, revision: null } });
  expect(g.state.served.find((s) => s.version.id === 'v42')).toMatchObject({ tainted: true });
  expect(g.state.rollout).toMatchObject({ stable: { id: 'v42' }, candidate: { id: 'v43' } });
});

describe('at the deadline', () => {
  it('degraded: the default action', () => {
    asked().timer('deadline').measured({ verdict: 'degraded' }).phase('rolling_back');
    asked(respond({ defaultAction: 'hold' }))
      .timer('deadline')
      .measured({ verdict: 'degraded' })
      .stage('held', 'policy')
      .shifts();
    asked(respond({ defaultAction: 'page' }))
      .timer('deadline')
      .measured({ verdict: 'degraded' })
      .stage('held', 'policy')
      .shifts()
      .pages(1);
  });
  it('inconclusive with the alert firing: the default action', () => {
    asked().timer('deadline').measured({ verdict: 'inconclusive' }).phase('rolling_back');
  });
  it('healthy although the alert fires: hold and page, again while it lasts', () => {
    const g = asked().timer('deadline').measured({ verdict: 'healthy' }).stage('held', 'healthy').shifts().pages(1);
    g.timer('repage').pages(1).timer('repage').pages(1);
  });
});

describe('roll back pressed', () => {
  it('goes by phases, or at once', () => {
    const g = rollingBack();
    expect(g.effects.length).toBeGreaterThan(0);
    asked().command({ name: 'rollback', pace: 'phased', to: null, reason: 'bad' }).phase('rolling_back').shifts(0);
  });
  it('while it runs: pause here, and to 0 now', () => {
    const g = rollingBack().shifted();
    g.command({ name: 'hold', forMs: null, reason: 'let me see' })
      .phase('holding')
      .says('held', /paused the rollback at 10 % until/);
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'enough' }).phase('rolling_back').shifts(0);
  });
  it('a pause that expires asks again', () => {
    const g = rollingBack().shifted().command({ name: 'hold', forMs: null, reason: 'let me see' });
    g.timer('hold').phase('deciding').stage('asking');
    g.measured({ verdict: 'degraded' })
      .timer('deadline')
      .measured({ verdict: 'degraded' })
      .phase('rolling_back')
      .shifts(0);
  });
});

describe('hold', () => {
  it('no automatic action until it expires, then it asks again', () => {
    const g = asked()
      .command({ name: 'hold', forMs: null, reason: 'looking' })
      .phase('holding')
      .stage('held', 'person');
    expect(g.state.timers).not.toHaveProperty('deadline');
    expect(g.state.timers.hold?.atMs).toBe(g.now + 30 * MINUTE);
    g.timer('hold').phase('deciding').stage('asking');
    expect(g.state.timers.deadline?.atMs).toBe(g.now + 15 * MINUTE);
  });
  it('a new critical alert opens a new question; a warning joins', () => {
    const g = asked().command({ name: 'hold', forMs: null, reason: 'looking' });
    const first = g.state.degradation?.id;
    g.when(firing('LatencyHigh'), MINUTE).phase('holding');
    expect(g.state.degradation?.id).toBe(first);
    g.when(firing('AccuracyLow', { severity: 'critical' }), MINUTE)
      .phase('deciding')
      .stage('asking');
    expect(g.state.degradation?.id).not.toBe(first);
    expect(g.state.past.degradations.at(-1)).toMatchObject({
      id: first,
      stage: { name: 'ended', outcome: 'superseded' },
    });
  });
  it('of a question alone ends with it', () => {
    const g = given().when(firing('ErrorsHigh')).command({ name: 'hold', forMs: HOUR, reason: 'looking' });
    g.when(resolved('ErrorsHigh'), MINUTE)
      .measured({ verdict: 'healthy' })
      .timer('stability')
      .stage('ended', 'recovered');
    expect(g.state.timers).toEqual({});
  });
  it('of a question alone does not put the critical one that takes its place again', () => {
    const g = given()
      .when(firing('ErrorsHigh'))
      .command({ name: 'hold', forMs: 5 * MINUTE, reason: 'looking' });
    g.when(firing('AccuracyLow', { severity: 'critical' }), MINUTE).stage('asking');
    expect(g.state.timers).not.toHaveProperty('hold');
  });
  it('without a question goes on when it expires', () => {
    soaking()
      .command({ name: 'hold', forMs: 10 * MINUTE, reason: 'lunch' })
      .timer('hold')
      .phase('advancing');
  });
  it('is over when a person resumes', () => {
    soaking()
      .command({ name: 'hold', forMs: null, reason: 'lunch' })
      .command({ name: 'resume', reason: '' }, bob)
      .phase('advancing');
    soaking()
      .command({ name: 'resume', reason: '' })
      .refused(/Nothing is held/);
  });
});

describe('promote', () => {
  it('while degraded: one step, the overridden metrics named', () => {
    const g = asked().measured({ verdict: 'degraded' });
    g.command({ name: 'promote', scope: 'step', reason: 'the error is a known one' })
      .phase('advancing')
      .shifts(50)
      .says('promoted', /Overridden: Error rate\. Reason: the error/);
    g.stage('ended', 'promoted');
    g.shifted().looks({ verdict: 'degraded' }).phase('advancing');
  });
  it('all steps need the quorum of different approvers', () => {
    const g = asked().measured({ verdict: 'degraded' });
    g.command({ name: 'promote', scope: 'all', reason: '' })
      .phase('deciding')
      .shifts()
      .says('voted', /1 of 2/);
    g.command({ name: 'promote', scope: 'all', reason: '' }).refused(/already voted/);
    g.command({ name: 'promote', scope: 'all', reason: '' }, bob).shifts(100);
  });
  it('an open vote does not delay the deadline', () => {
    const g = asked().measured({ verdict: 'degraded' }).command({ name: 'promote', scope: 'all', reason: '' });
    g.timer('deadline').measured({ verdict: 'degraded' }).phase('rolling_back');
  });
});

describe('acknowledge and extend', () => {
  it('say who is on it and extend once; one cap for both', () => {
    const g = asked();
    const before = g.state.timers.deadline?.atMs ?? 0;
    g.command({ name: 'acknowledge', reason: '' }).says('acknowledged', /@ann is on it/);
    expect(g.state.timers.deadline?.atMs).toBe(before + 15 * MINUTE);
    g.command({ name: 'acknowledge', reason: '' }, bob).refused(/@ann is already on it/);
    g.command({ name: 'extend', byMs: HOUR, reason: 'a' })
      .command({ name: 'extend', byMs: 30 * MINUTE, reason: 'b' })
      .refused(/At most 15 min more/);
    g.command({ name: 'extend', byMs: 15 * MINUTE, reason: 'b' })
      .command({ name: 'extend', byMs: 10 * MINUTE, reason: 'c' })
      .refused(/All 1 h 30 min/);
  });
  it('in PagerDuty stops re-paging and does not move the deadline', () => {
    const g = asked().measured({ verdict: 'degraded' }).timer('escalate');
    const degradationId = g.state.degradation?.id ?? '';
    g.when({ type: 'paged', degradationId, action: 'trigger' });
    const before = g.state.timers.deadline?.atMs;
    g.when({ type: 'pager_acknowledged', degradationId, by: 'Ann' });
    expect(g.state.timers.deadline?.atMs).toBe(before);
    expect(g.state.timers.repage).toBeUndefined();
  });
  it('a question put again pages again, and so does one that comes back after a pause', () => {
    const paged = () => {
      const g = asked().measured({ verdict: 'inconclusive' }).timer('escalate');
      return g.when({ type: 'paged', degradationId: g.state.degradation?.id ?? '', action: 'trigger' });
    };
    paged().command({ name: 'hold', forMs: null, reason: 'looking' }).timer('hold').timer('escalate').pages(1);
    const g = paged().when(resolved('ErrorsHigh'), MINUTE).stage('recovering');
    expect(g.state.timers.repage).toBeUndefined();
    g.when(firing('ErrorsHigh', { startsAtMs: g.now }), MINUTE)
      .timer('repage')
      .pages(1);
  });
  it('a hold ended by a person while it looks well waits for the stability window, not for the hold', () => {
    const g = asked().measured({ verdict: 'healthy' }).command({ name: 'hold', forMs: null, reason: '' });
    g.when(resolved('ErrorsHigh'), MINUTE).phase('holding').stage('recovering');
    g.command({ name: 'resume', reason: 'looks fine' }).phase('deciding').stage('recovering');
    g.timer('stability').stage('ended', 'recovered').phase('advancing');
  });
  it('a page after somebody resolved the incident opens it again, and it is resolved in the end', () => {
    const g = asked().measured({ verdict: 'no-data' }).timer('escalate');
    const degradationId = g.state.degradation?.id ?? '';
    g.when({ type: 'paged', degradationId, action: 'trigger' }).when({
      type: 'pager_resolved',
      degradationId,
      by: 'Ann',
    });
    g.timer('deadline')
      .measured({ verdict: 'no-data' })
      .pages(1)
      .when({ type: 'paged', degradationId, action: 'trigger' });
    g.command({ name: 'promote', scope: 'step', reason: 'known' });
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'page', action: 'resolve', degradationId }));
  });
  it('resolved in PagerDuty asks on the card, closes nothing', () => {
    const g = asked().timer('escalate');
    g.when({ type: 'pager_resolved', degradationId: g.state.degradation?.id ?? '', by: 'Ann' })
      .stage('asking')
      .says('page-resolved', /closes nothing/);
  });
});

it('cancel above 0 % is refused and offers rollback; at 0 % it ends', () => {
  soaking()
    .command({ name: 'cancel', reason: '' })
    .refused(/rollout rollback fraud-scorer/);
  given()
    .start()
    .shiftFails('not-ready', 'no instances')
    .phase('stuck')
    .command({ name: 'cancel', reason: 'later' })
    .phase('cancelled')
    .stage('ended', 'cancelled');
});

describe('policy edited under way', () => {
  it('is in the journal, and the cards are drawn anew', () => {
    asked()
      .when({ type: 'policy_changed' })
      .does('card rollout', 'card degradation')
      .says('policy-changed', /is now rev1/);
  });
  it('keeps the steps it began with', () => {
    const g = soaking();
    g.policy = policy({ revision: 'rev2', steps: [{ exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }] });
    while (!g.state.shift) g.looks({ verdict: 'healthy' });
    g.shifts(50);
    expect(g.journal.at(-1)?.policyRevision).toBe('rev2');
  });
  it('takes approvers and observe at once', () => {
    const g = asked();
    g.policy = policy({ mode: 'observe', approvers: { users: ['U2'], quorum: 1 } });
    g.command({ name: 'hold', forMs: null, reason: '' }, ann).refused(/not an approver/);
    g.timer('deadline')
      .measured({ verdict: 'degraded' })
      .phase('deciding')
      .shifts()
      .says('would-have', /Would have done the default action \(rollback\), but the policy only observes/);
  });
});

describe('observe, and the emergency brake', () => {
  it.each(['observe', 'automation off'] as const)(
    '%s: neither shifts nor pages, says what it would have done; buttons work',
    (how) => {
      const g =
        how === 'observe'
          ? soaking({ mode: 'observe' })
          : soaking().command({ name: 'automation', on: false, reason: 'game day' });
      while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'healthy' }).shifts();
      g.says('would-have', /Would have gone on to 50 %/);
      g.when(firing('ErrorsHigh', { severity: 'critical' }), MINUTE);
      g.timer('escalate')
        .pages(0)
        .says('would-have', /Would have paged/);
      g.timer('deadline').measured({ verdict: 'degraded' }).shifts().pages(0);
      g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'bad' }).shifts(0);
    },
  );
  it('is on again by whom and why', () => {
    given()
      .command({ name: 'automation', on: true, reason: '' })
      .refused(/already on/);
  });
});

describe('the grace period', () => {
  it('is how long a signal must last before the question is put; the card is there at once', () => {
    const g = soaking(respond({ graceMs: MINUTE }))
      .when(firing('ErrorsHigh'))
      .stage('grace');
    expect(g.effects.map((e) => e.kind)).toContain('card');
    g.timer('grace').stage('asking');
    expect(g.state.timers.deadline?.atMs).toBe(g.now + 15 * MINUTE);
  });
  it('a signal that does not last asks nobody', () => {
    const g = soaking(respond({ graceMs: MINUTE }))
      .when(firing('ErrorsHigh'))
      .when(resolved('ErrorsHigh'), 30_000);
    g.timer('stability').stage('ended', 'recovered').phase('advancing');
    expect(g.allEffects.some((e) => e.kind === 'page')).toBe(false);
  });
});

describe('alerts are old news', () => {
  it('when repeated, late, or never heard firing', () => {
    asked().when(firing('ErrorsHigh')).isIgnored();
    const g = asked().when(resolved('ErrorsHigh'));
    g.when(firing('ErrorsHigh')).isIgnored();
    given().when(resolved('ErrorsHigh')).isIgnored();
    const lapsed = asked().measured({ verdict: 'healthy' }).when(resolved('ErrorsHigh'));
    lapsed
      .timer('stability')
      .when(firing('ErrorsHigh'), 11 * MINUTE)
      .phase('deciding');
  });
});

describe('watching', () => {
  it('a failed look asks, and the finished rollout is rolled back by phases', () => {
    const g = watched({ lastGoodAfterMs: MINUTE }, []);
    g.looks({ verdict: 'degraded' }).phase('deciding').measured({ verdict: 'degraded' });
    g.timer('deadline').measured({ verdict: 'degraded' }).phase('rolling_back').shifts(50);
  });
  it('last known good missing or not ready at the deadline: stuck, and a page', () => {
    const asked = (served: readonly Served[]) =>
      watched({}, served).when(firing('ErrorsHigh'), HOUR).timer('deadline').measured({ verdict: 'degraded' });
    asked([]).phase('stuck').pages(1);
    asked([servedFor('v39', T0 - 9 * DAY, T0)])
      .shiftFails('not-ready', '0 of 3 instances')
      .phase('stuck')
      .pages(1);
  });
});

it('verification that does not find it well is stuck and pages', () => {
  const g = asked().timer('deadline').measured({ verdict: 'degraded' }).shifted().phase('verifying');
  while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data', stableVerdict: 'healthy' });
  g.phase('stuck')
    .says('stuck', /ErrorsHigh still fires.*probably not the cause/)
    .pages(1);
  g.command({ name: 'cancel', reason: 'the database was down' }).phase('rolled_back');
});
