import { describe, expect, it } from 'vitest';
import { binding } from '../../src/domain/binding.ts';
import { HOUR, MINUTE, respond, SECOND } from '../support/policy.ts';
import {
  ann,
  asked,
  bob,
  comparison,
  eve,
  firing,
  given,
  observed,
  resolved,
  rollingBack,
  soaking,
  T0,
} from './given.ts';

describe('rule 1: automation only lowers exposure or holds', () => {
  it('does not go on without a healthy gate, however long it soaks', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'inconclusive' }).shifts();
    g.phase('deciding').exposure(10);
    expect(g.allJournal.map((e) => e.what)).not.toContain('gate-passed');
  });
  it('raises nothing on the way back either, where somebody took it further down by hand than its next phase is', () => {
    const phases = [30, 10, 0].map((exposurePercent) => ({ exposurePercent, soakMs: MINUTE, maxSoakMs: 5 * MINUTE }));
    const verify = { soakMs: MINUTE, maxSoakMs: 5 * MINUTE };
    const g = rollingBack({ rollback: { phases, verify } }).shifts(30).shifted();
    g.now += 1;
    g.when({ type: 'seen', observed: observed({ candidate: 'v42', exposurePercent: 5 }), askedAtMs: g.now }).exposure(
      5,
    );
    while (!g.state.shift) g.looks({ verdict: 'degraded', stableVerdict: 'healthy' });
    g.shifts(0);
  });
  it('lets nobody promote who is not an approver', () => {
    soaking()
      .command({ name: 'promote', scope: 'step', reason: '' }, eve)
      .refused(/not an approver/);
  });
});

describe("rule 2: an automatic action never overrides a person's later decision", () => {
  it('does nothing at a deadline after a person held', () => {
    const g = asked().measured({ verdict: 'degraded' });
    const deadline = g.state.timers.deadline;
    g.command({ name: 'hold', forMs: null, reason: 'looking' }, ann, undefined, 14 * MINUTE);
    g.when({ type: 'timer', key: 'deadline', epoch: deadline?.epoch ?? 0 }, MINUTE).isIgnored();
  });
  it('does nothing when the measurement of the deadline comes back after a person decided', () => {
    const g = asked().measured({ verdict: 'degraded' }).timer('deadline');
    g.command({ name: 'promote', scope: 'step', reason: 'known noise' });
    g.phase('advancing').shifts(50);
    if (g.state.look) g.measured({ verdict: 'degraded' }).shifts().phase('advancing');
  });
});

describe('rule 3: no rollback of a rollback, never onto what is not ready', () => {
  it('joins an alert that fires on the way back, and goes on', () => {
    rollingBack()
      .when(firing('LatencyHigh', { severity: 'critical' }))
      .phase('rolling_back')
      .shifts()
      .stage('decided');
  });
  it('is stuck, and pages, when stable is not ready', () => {
    rollingBack()
      .shiftFails('not-ready', 'v41 is not ready: 0 of 3 instances')
      .phase('stuck')
      .pages(1)
      .says('stuck', /v41 is not ready.*0 of 3/);
  });
  it('is stuck when the signature of stable does not fit', () => {
    const g = asked({});
    const rollout = g.state.rollout;
    if (!rollout) throw new Error('no rollout');
    g.state = {
      ...g.state,
      rollout: { ...rollout, stable: { id: 'v41', signature: 'a' }, candidate: { id: 'v42', signature: 'b' } },
    };
    g.timer('deadline').measured({ verdict: 'degraded' }).phase('stuck').shifts().pages(1);
  });
  it('ends being stuck only by a person, who can try again', () => {
    const g = rollingBack().shiftFails('failed', '503 for 2 min').phase('stuck');
    g.looks({ verdict: 'healthy' }).phase('stuck');
    g.command({ name: 'resume', reason: 'router restarted' }).phase('rolling_back').shifts(10);
  });
});

describe('rule 4: missing data is neither good nor bad', () => {
  it('never passes a gate', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'no-data' }).shifts();
    g.phase('deciding').says('question-opened', /no data/);
  });
  it('is never by itself the reason for a rollback: hold and page', () => {
    asked()
      .timer('deadline')
      .measured({ verdict: 'no-data', missing: 'Prometheus did not answer' })
      .stage('held', 'no-data')
      .shifts()
      .pages(1)
      .says('held', /Prometheus did not answer/);
  });
  it('rolls back where the policy says so', () => {
    asked(respond({ whenUnknown: 'rollback' }))
      .timer('deadline')
      .measured({ verdict: 'no-data' })
      .phase('rolling_back')
      .shifts(0);
  });
  it('asks again when the data is back and it is bad', () => {
    const g = asked().timer('deadline').measured({ verdict: 'no-data' });
    g.looks({ verdict: 'degraded' })
      .stage('asking')
      .says('question-resumed', /put again: 15 min/);
  });
  it('asks again, with the whole time, when the data is back and bad after all had seemed well', () => {
    const g = asked().timer('deadline').measured({ verdict: 'no-data' });
    for (const { name } of g.state.alerts) g.when(resolved(name), MINUTE);
    g.stage('recovering');
    g.looks({ verdict: 'degraded' })
      .stage('asking')
      .says('question-resumed', /put again: 15 min/);
  });
});

it('rule 5: common cause: a rollback will not help, so it holds and pages', () => {
  asked()
    .timer('deadline')
    .measured({ verdict: 'inconclusive', commonCause: true })
    .stage('held', 'common-cause')
    .shifts()
    .pages(1)
    .says('held', /a rollback will not help/);
});

describe('rule 6: a frozen service is never moved automatically', () => {
  it('holds and pages at the deadline', () => {
    asked()
      .command({ name: 'freeze', reason: 'audit' })
      .timer('deadline')
      .measured({ verdict: 'degraded' })
      .stage('held', 'frozen')
      .shifts()
      .pages(1);
  });
  it('stops before the next step, and says so', () => {
    const g = soaking().command({ name: 'freeze', reason: 'audit' });
    while (g.state.rollout?.phase.name === 'advancing') g.looks({ verdict: 'healthy' }).shifts();
    g.phase('holding').says('would-have', /Would have gone on to 50 %, but fraud-scorer is frozen/);
  });
  it('finishes the shift in flight of a rollback, then holds and pages', () => {
    const g = rollingBack().command({ name: 'freeze', reason: 'audit' });
    g.shifted().exposure(10);
    while (g.state.rollout?.phase.name === 'rolling_back')
      g.looks({ verdict: 'degraded', stableVerdict: 'healthy' }).shifts();
    g.phase('holding').stage('held', 'frozen').pages(1);
  });
  it('holds also where the candidate is past its critical limit: to 0 % at once is for a person then', () => {
    const g = rollingBack().shifted().command({ name: 'freeze', reason: 'audit' });
    g.looks({ verdict: 'degraded', critical: true }).shifts().phase('holding').stage('held', 'frozen').pages(1);
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'bad' }).shifts(0);
  });
  it('lets a person roll back, and finish it', () => {
    const g = soaking()
      .command({ name: 'freeze', reason: 'audit' })
      .command({ name: 'rollback', pace: 'phased', to: null, reason: 'bad' });
    g.shifts(0).shifted().phase('verifying');
  });
  it('refuses to promote', () => {
    soaking()
      .command({ name: 'freeze', reason: 'audit' })
      .command({ name: 'promote', scope: 'step', reason: '' })
      .refused(/frozen by @ann/);
  });
});

describe('rule 7: flapping neither cancels nor extends for ever', () => {
  it('pauses the clock while all is resolved, and a re-fire resumes the remaining time', () => {
    const g = asked().measured({ verdict: 'inconclusive' });
    const left = (g.state.timers.deadline?.atMs ?? 0) - g.now;
    g.when(resolved('ErrorsHigh'), 4 * MINUTE)
      .stage('recovering')
      .says('question-paused', /clock stands still/);
    expect(g.state.timers.deadline).toBeUndefined();
    g.when(firing('ErrorsHigh', { startsAtMs: g.now }), MINUTE).stage('asking');
    expect((g.state.timers.deadline?.atMs ?? 0) - g.now).toBe(left - 4 * MINUTE);
    g.when(resolved('ErrorsHigh', { startsAtMs: g.now - MINUTE }), MINUTE);
    g.when(firing('ErrorsHigh', { startsAtMs: g.now }), MINUTE);
    expect((g.state.timers.deadline?.atMs ?? 0) - g.now).toBe(left - 5 * MINUTE);
  });
  it('does not pause while it is measured as degraded', () => {
    asked().measured({ verdict: 'degraded' }).when(resolved('ErrorsHigh'), MINUTE).stage('asking');
  });
  it('ends by recovery when it stayed well, and the step soaks anew', () => {
    const g = asked().measured({ verdict: 'healthy' }).when(resolved('ErrorsHigh'), MINUTE);
    g.timer('stability').stage('ended', 'recovered').phase('advancing').exposure(10);
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'report' }));
  });
  it('pauses the page with it', () => {
    const g = asked()
      .measured({ verdict: 'healthy' })
      .when(resolved('ErrorsHigh'), 4 * MINUTE);
    expect(g.state.timers.escalate).toBeUndefined();
    g.when(firing('ErrorsHigh', { startsAtMs: g.now }), MINUTE);
    expect((g.state.timers.escalate?.atMs ?? 0) - g.now).toBe(MINUTE);
  });
});

describe('what a look goes by', () => {
  const period = (g: ReturnType<typeof soaking>) => g.effects.find((e) => e.kind === 'measure')?.period;
  const sinceStart = (g: ReturnType<typeof soaking>) => (period(g)?.fromMs ?? 0) - (g.state.rollout?.startedAtMs ?? 0);
  it('is the whole rollout while it advances, and the last windows while people are asked because it got worse', () => {
    expect(sinceStart(soaking().timer('look'))).toBe(2 * MINUTE);
    const slow = { exposurePercent: 10, soakMs: HOUR, maxSoakMs: 2 * HOUR };
    const g = soaking({ steps: [slow, { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }] });
    while (g.now < (g.state.rollout?.startedAtMs ?? 0) + 15 * MINUTE) g.looks({ verdict: 'healthy' });
    g.looks({ verdict: 'degraded', culprits: ['errors'] });
    expect(g.phase('deciding').timer('look').now - (period(g)?.fromMs ?? 0)).toBe(20 * 30 * SECOND);
  });
  it('goes on being the whole of it where people are asked because the gate cannot tell', () => {
    const g = soaking();
    while (g.now < (g.state.rollout?.startedAtMs ?? 0) + 40 * MINUTE && g.state.rollout?.phase.name === 'advancing')
      g.looks({ verdict: 'inconclusive' });
    expect(sinceStart(g.phase('deciding'))).toBe(2 * MINUTE);
  });
  it('takes longer windows instead of more of them where a step soaks for hours', () => {
    const long = { exposurePercent: 10, soakMs: 6 * HOUR, maxSoakMs: 12 * HOUR };
    const g = soaking({ steps: [long, { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }] });
    while (g.now < (g.state.rollout?.startedAtMs ?? 0) + 5 * HOUR) g.looks({ verdict: 'inconclusive' });
    g.timer('look');
    expect(sinceStart(g)).toBe(2 * MINUTE);
    expect(period(g)?.windowMs).toBe(60 * SECOND);
    expect((period(g)?.beforeOffsetMs ?? 0) % MINUTE).toBe(0);
  });
  it('holds the candidate against the past once stable has no traffic', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name !== 'watching') {
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'healthy' });
    }
    expect(period(g.timer('look'))?.against).toBe('past');
  });
  it('is stable since the last shift against stable before the way back, while rolling back', () => {
    const g = rollingBack().shifted().timer('look');
    const at = g.state.rollout?.shifts.at(-1)?.atMs ?? 0;
    expect(period(g)?.fromMs).toBe(at + 30 * SECOND);
    expect(period(g)?.beforeOffsetMs).toBeGreaterThanOrEqual(g.now - at);
  });
});

describe('rule 8: a button is bound to the state it was drawn for', () => {
  it('does nothing when pressed twice, and says what happened', () => {
    const g = asked();
    const drawn = binding(g.state, 'rollback');
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'bad' }, ann, drawn);
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'bad' }, bob, drawn).refused(
      /Rolled back at once by @ann at 03:03:00 UTC/,
    );
  });
  it('still counts after a look and after a joining alert', () => {
    const g = asked();
    const drawn = binding(g.state, 'rollback');
    g.measured({ verdict: 'degraded' }).when(firing('LatencyHigh'));
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'bad' }, ann, drawn).phase('rolling_back');
  });
  it('extends once for one drawing', () => {
    const g = asked();
    const drawn = binding(g.state, 'extend');
    g.command({ name: 'extend', byMs: 10 * MINUTE, reason: 'looking' }, ann, drawn);
    g.command({ name: 'extend', byMs: 10 * MINUTE, reason: 'looking' }, bob, drawn).refused(/Nothing was changed/);
  });
});

describe('rule 9: phases are judged by what they protect', () => {
  it('goes to the next phase when stable is fine, however bad the candidate still is', () => {
    const g = rollingBack().shifted();
    while (!g.state.shift) g.looks({ verdict: 'degraded', stableVerdict: 'healthy' });
    g.shifts(0);
    expect(g.now - (g.state.rollout?.shifts.at(-1)?.atMs ?? 0)).toBe(MINUTE);
  });
  it.each(['no-data', 'inconclusive'] as const)('waits the longest with %s, then goes on', (stableVerdict) => {
    const g = rollingBack().shifted();
    while (!g.state.shift) g.looks({ verdict: 'degraded', stableVerdict });
    g.shifts(0);
    expect(g.now - (g.state.rollout?.shifts.at(-1)?.atMs ?? 0)).toBe(5 * MINUTE);
  });
  it('holds and pages when stable got worse after the shift', () => {
    rollingBack()
      .shifted()
      .looks({ verdict: 'degraded', stableVerdict: 'degraded' })
      .phase('holding')
      .stage('held', 'stable-worse')
      .shifts()
      .pages(1);
  });
  it('goes to 0 at once when the candidate is past the critical limit', () => {
    rollingBack().shifted().looks({ verdict: 'degraded', critical: true }).shifts(0);
    asked().timer('deadline').measured({ verdict: 'degraded', critical: true }).shifts(0);
  });
});

describe('rule 10: every timer fires once, and late ones look first', () => {
  it('ignores a timer that was replaced', () => {
    const g = asked();
    const old = g.state.timers.deadline?.epoch ?? 0;
    g.command({ name: 'extend', byMs: 10 * MINUTE, reason: 'looking' });
    g.when({ type: 'timer', key: 'deadline', epoch: old }, 15 * MINUTE).isIgnored();
  });
  it('ignores a timer that fires a second time', () => {
    const g = asked().measured({ verdict: 'degraded' });
    const epoch = g.state.timers.deadline?.epoch ?? 0;
    g.timer('deadline').when({ type: 'timer', key: 'deadline', epoch }).isIgnored();
  });
  it('looks anew, shows the card and waits a minute when found overdue', () => {
    const g = asked().measured({ verdict: 'degraded' });
    g.timer('deadline', 5 * MINUTE)
      .stage('asking')
      .shifts()
      .says('deadline-postponed', /away for 5 min/);
    expect(g.effects.map((e) => e.kind)).toEqual(expect.arrayContaining(['measure', 'card']));
    expect((g.state.timers.deadline?.atMs ?? 0) - g.now).toBe(MINUTE);
    g.measured({ verdict: 'degraded' }).timer('deadline').measured({ verdict: 'degraded' }).phase('rolling_back');
  });
  it('does not move on at once by an overdue look', () => {
    const g = soaking()
      .timer('look', 30 * MINUTE)
      .measured({ verdict: 'healthy' })
      .shifts();
    g.looks({ verdict: 'healthy' });
    while (!g.state.shift) g.looks({ verdict: 'healthy' });
    expect(g.now - (g.state.rollout?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(31 * MINUTE);
  });
  it('tells once of an outage that several timers slept through', () => {
    const g = asked()
      .measured({ verdict: 'degraded' })
      .timer('escalate', 30 * MINUTE)
      .says('deadline-postponed', /away/);
    g.timer('deadline');
    expect(g.journal.map((e) => e.what)).not.toContain('deadline-postponed');
    expect((g.state.timers.deadline?.atMs ?? 0) - g.now).toBe(MINUTE);
  });
  it('gives the minute also where it was away between the deadline and its measurement', () => {
    const g = asked().measured({ verdict: 'degraded' }).timer('deadline');
    g.now += 5 * MINUTE;
    g.measured({ verdict: 'degraded' })
      .stage('asking')
      .shifts()
      .says('deadline-postponed', /away for 5 min/);
    g.timer('deadline').measured({ verdict: 'degraded' }).phase('rolling_back');
  });
  it('time never runs backwards for a service', () => {
    const g = asked();
    const clock = g.state.clockMs;
    g.when(firing('LatencyHigh'), -HOUR);
    expect(g.state.clockMs).toBe(clock);
  });
  it('goes on by its timers while the machine’s clock is behind: a gate still passes', () => {
    const g = soaking();
    const behind = (event: Parameters<typeof g.when>[0]) => {
      g.now = T0 - HOUR;
      g.when(event);
    };
    for (let looks = 0; looks < 200 && !g.state.shift; looks += 1) {
      behind({ type: 'timer', key: 'look', epoch: g.state.timers.look?.epoch ?? 0 });
      if (g.state.look)
        behind({ type: 'measured', lookId: g.state.look.id, comparison: comparison(g.now, { verdict: 'healthy' }) });
    }
    expect(g.allJournal.map((e) => e.what)).toContain('gate-passed');
  });
});

describe('rule 11: one shift in flight, and what was asserted last is asserted again', () => {
  it('keeps "to 0 now" until the shift in flight is read back', () => {
    const g = rollingBack();
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'now' }).shifts();
    g.shifted().shifts(0);
    g.shifted().phase('verifying').exposure(0);
  });
  it('asserts again after a lost reply', () => {
    const g = given().start().shifted({ uncertain: true });
    expect(g.state.timers.reassert?.atMs).toBe(g.now + 30 * SECOND);
    g.timer('reassert').does('shift to 10, nobody gains', 'card rollout');
  });
  it('takes what an earlier rollout asserted again for that one’s, and asks about readiness for its own', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name === 'advancing') {
      if (g.state.shift) g.shifted({ uncertain: g.state.shift.split.exposurePercent === 100 });
      else g.looks({ verdict: 'healthy' });
    }
    g.phase('watching').timer('reassert').shifts(100);
    g.start('v43', { observed: observed({ candidate: 'v42', exposurePercent: 100 }) }).shifts();
    g.shifted().exposure(0);
    expect(g.journal.map((e) => e.text).join()).not.toContain('v43 now gets');
    expect(g.effects).toContainEqual(
      expect.objectContaining({ kind: 'shift', split: expect.objectContaining({ candidate: 'v43' }), gaining: 'v43' }),
    );
  });
  it('undoes a step forward whose call may land after it was given up, and not a way back', () => {
    const forward = given().start().shiftFails('failed', 'no answer', true).phase('stuck');
    forward.timer('reassert').shifts(0);
    const back = rollingBack().shiftFails('failed', 'no answer', true).phase('stuck').exposure(50);
    back.timer('reassert').shifts(10);
  });
  it('asserts nothing over the shift in flight, and is done with it: drift is noticed again', () => {
    const g = rollingBack({}).shifted({ uncertain: true });
    g.command({ name: 'rollback', pace: 'at-once', to: null, reason: 'now' }).shifts(0);
    g.timer('reassert').shifts();
    expect(g.state.timers.reassert).toBeUndefined();
    g.shifted().exposure(0);
    g.now += 1;
    g.when({ type: 'seen', observed: observed({ candidate: 'v42', exposurePercent: 50 }), askedAtMs: g.now });
    expect(g.state.rollout?.driftPercent).toBe(50);
  });
  it('ignores the outcome of a shift that is not in flight', () => {
    soaking().when({ type: 'shifted', shiftId: 'fraud-scorer-s99', exposurePercent: 0, uncertain: false }).isIgnored();
  });
});

describe('what must not grow without end', () => {
  it('a flood of alerts leaves the first reason and the newest in the question', () => {
    const g = asked();
    for (let i = 0; i < 600; i += 1) g.when(firing(`Flood${i}`));
    const names = g.state.degradation?.signals.map((s) => (s.kind === 'alert' ? s.name : s.kind)) ?? [];
    expect(names).toHaveLength(500);
    expect(names[0]).toBe('ErrorsHigh');
    const newest = Array.from({ length: 499 }, (_, i) => `Flood${i + 101}`);
    expect(new Set(names.slice(1))).toEqual(new Set(newest));
  });
});

describe('a rollout that a new one follows', () => {
  it('has its card drawn once more: what it offers is over', () => {
    const g = soaking();
    while (g.state.rollout?.phase.name === 'advancing') {
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'healthy' });
    }
    const before = g.state.rollout?.id;
    g.start('v43', { observed: observed({ candidate: 'v42', exposurePercent: 100 }) });
    const cards = g.effects.flatMap((e) => (e.kind === 'card' ? [e.card.id] : []));
    expect(cards).toEqual([g.state.rollout?.id, before]);
  });
});

describe('rule 12: everything is in the journal', () => {
  it('says who or what, from where to where, why, with the numbers and the revision', () => {
    const g = rollingBack();
    const decided = g.journal.find((e) => e.what === 'rollback-decided');
    expect(decided).toMatchObject({
      actor: { kind: 'policy', id: 'fraud-scorer@rev1' },
      from: { version: 'v42', exposurePercent: 50 },
      to: { version: 'v41', exposurePercent: 100 },
      reason: 'nobody answered by the deadline',
      policyRevision: 'rev1',
      numbers: [{ metric: 'errors', verdict: 'degraded', stable: 0.02, candidate: 0.09 }],
    });
  });
});
