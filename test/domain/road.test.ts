import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../src/domain/event.ts';
import { blueGreen, DAY, HOUR, MINUTE, SECOND, servedFor } from '../support/policy.ts';
import { ann, asked, firing, given, observed, resolved, rollingBack, soaking, T0, watched } from './given.ts';

/** The rest of the road: the watch, the way back chosen by evidence, strategies, objectives, environments. */

const back = { name: 'rollback', pace: 'phased', to: null, reason: 'worse' } as const;

describe('a watched rollout', () => {
  const unanswered = (g = watched()) =>
    g.when(firing('ErrorsHigh'), HOUR).stage('asking').timer('deadline').measured({ verdict: 'degraded' });

  it('asks the same question when an alert fires, and stays where it is meanwhile', () => {
    watched().when(firing('ErrorsHigh'), HOUR).phase('deciding').stage('asking').exposure(100).shifts();
  });
  it('asks when a look finds it degraded', () => {
    watched()
      .looks({ verdict: 'degraded', culprits: ['errors'] })
      .stage('asking');
  });
  it('goes back by phases to the last known good, which is not the version before it', () => {
    const g = unanswered().phase('rolling_back').shifts(50);
    g.says(
      'way-back-chosen',
      /v39 is the last known good: it served 9 d until .* ago, 9 d of it without a degradation/,
    );
    expect(g.state.rollout).toMatchObject({ stable: { id: 'v39' }, wayBack: { chosenBy: 'evidence' } });
    expect(g.effects.find((e) => e.kind === 'shift')).toMatchObject({
      split: { stable: 'v39', candidate: 'v42', exposurePercent: 50 },
      gaining: 'v39',
    });
  });
  it('is measured against the time the way back served last', () => {
    const g = unanswered().shifted().timer('look');
    const period = g.effects.find((e) => e.kind === 'measure')?.period;
    expect(period?.beforeOffsetMs).toBeGreaterThanOrEqual(g.now - T0);
    expect((period?.beforeOffsetMs ?? 0) % (30 * SECOND)).toBe(0);
  });
  it('is stuck, and pages, where nothing qualifies', () => {
    unanswered(watched({}, []))
      .phase('stuck')
      .stage('held', 'stuck')
      .shifts()
      .pages(1)
      .says(
        'stuck',
        /No last known good version is known: none other served 1 h .*before, v41, served .*roll back to it by hand/,
      );
  });
  it('goes to the next that qualifies where the newest is not ready, and says so', () => {
    const served = [servedFor('v38', T0 - 20 * DAY, T0 - 9 * DAY), servedFor('v39', T0 - 9 * DAY, T0)];
    const g = unanswered(watched({}, served)).shiftFails('not-ready', '0 of 3 instances');
    g.phase('rolling_back')
      .shifts(50)
      .says('way-back-chosen', /v38 is the last known good.*v39 was passed over: 0 of 3 instances/);
    g.shiftFails('not-ready', 'gone').phase('stuck');
  });
  it('is not passed over where a person named it', () => {
    watched()
      .command({ ...back, to: 'v39' })
      .shiftFails('not-ready', '0 of 3 instances')
      .phase('stuck');
  });
  it('goes where a person wants it, by name', () => {
    const g = watched()
      .command({ ...back, to: 'v41' })
      .phase('rolling_back');
    g.says('way-back-chosen', /Back to v41, as asked: it served .* \(1 h needed\)/);
    expect(g.state.rollout?.stable.id).toBe('v41');
  });
  it('goes to the version it came from where a person asks and nothing qualifies', () => {
    const g = watched({}, []).command(back).phase('rolling_back');
    expect(g.state.rollout?.wayBack).toMatchObject({ chosenBy: 'person', served: { version: { id: 'v41' } } });
  });
  it('goes to what served at a moment', () => {
    const g = watched();
    g.command({ ...back, beforeMs: T0 - HOUR });
    expect(g.state.rollout?.stable.id).toBe('v39');
    watched()
      .command({ ...back, beforeMs: T0 - 30 * DAY })
      .refused(/does not know what served fraud-scorer .* ago. It knows of v39/);
    watched()
      .command({ ...back, to: 'v42' })
      .refused(/v42 is what serves now/);
  });
  it('credits the version only for its time without an open degradation', () => {
    const g = watched()
      .when(firing('ErrorsHigh'), 10 * MINUTE)
      .measured({ verdict: 'inconclusive' });
    expect(g.state.served.at(-1)).toMatchObject({ cleanSinceMs: null, degradations: [g.state.degradation?.id] });
    g.when(resolved('ErrorsHigh'), MINUTE).timer('stability').phase('watching');
    expect(g.state.served.at(-1)?.cleanSinceMs).toBe(g.now);
    expect(g.state.served.at(-1)?.longestCleanMs).toBeLessThan(20 * MINUTE);
  });
  it('counts the verdicts of the looks taken while it served', () => {
    const g = watched().looks({ verdict: 'healthy' }).looks({ verdict: 'inconclusive' });
    expect(g.state.served.at(-1)?.looks).toMatchObject({ healthy: 1, inconclusive: 1, degraded: 0 });
  });
  it('tried again when stuck for want of a version, it still asks for one by name', () => {
    const g = unanswered(watched({}, []));
    g.command({ name: 'resume', reason: '' }).refused(/No last known good .*--to VERSION/);
    g.command({ ...back, to: 'v41' })
      .phase('rolling_back')
      .shifts(50);
  });
});

it('below 100 % there is only one way back', () => {
  soaking()
    .command({ ...back, to: 'v39' })
    .refused(/can only go back to v41.*Roll it back first/);
  soaking()
    .command({ ...back, to: 'v41' })
    .phase('rolling_back');
});

describe('blue/green', () => {
  const begun = () => given(blueGreen).start();
  it('warms the new arm up at 0 %, then switches in one step, and is watched', () => {
    const g = begun()
      .phase('advancing')
      .shifts()
      .says('warming', /ready for 1 min on end, within 10 min/);
    g.probed(true).shifts().probed(true).shifts();
    while (!g.state.shift) g.probed(true);
    g.says('warmed-up', /v42 is warm/)
      .shifts(100)
      .shifted()
      .phase('watching');
    expect(g.now - T0).toBeGreaterThanOrEqual(MINUTE);
    expect(g.now - T0).toBeLessThan(2 * MINUTE);
  });
  it('begins the count anew when the arm is not ready in between', () => {
    const g = begun().probed(true).probed(true).probed(false).probed(true);
    const { phase } = g.state.rollout ?? {};
    expect(phase).toMatchObject({ stage: 'warming', soakUntilMs: g.now + MINUTE });
  });
  it('is stuck when it does not get ready in time, and can be cancelled there', () => {
    const g = begun();
    while (g.state.rollout?.phase.name === 'advancing') g.probed(false);
    g.phase('stuck').says('stuck', /did not get ready within 10 min: 0 of 3 instances/);
    g.command({ name: 'cancel', reason: '' }).phase('cancelled');
    expect(g.state.timers).toEqual({});
  });
  it('tried again it warms up again', () => {
    const g = begun();
    while (g.state.rollout?.phase.name === 'advancing') g.probed(false);
    g.command({ name: 'resume', reason: 'deployed now' }).phase('advancing').shifts();
    expect(g.state.rollout?.phase).toMatchObject({ stage: 'warming' });
  });
  it('goes on warming up after a hold', () => {
    const g = begun().command({ name: 'hold', forMs: null, reason: '' }).phase('holding');
    expect(g.state.timers.probe).toBeUndefined();
    g.timer('hold').phase('advancing').shifts();
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'probe', version: 'v42' }));
  });
  it('goes back at once, in one phase', () => {
    const g = watched(blueGreen_()).command(back);
    g.shifts(0).shifted().phase('verifying');
  });
  const blueGreen_ = () => ({ ...blueGreen, strategy: { kind: 'blue-green' as const, warmUp: null, keepMs: DAY } });
});

describe('objective better', () => {
  const soakedThrough = (improved: string[]) => {
    const g = soaking({ objective: 'better' });
    const step = g.state.rollout?.step;
    for (let i = 0; i < 200 && g.state.rollout?.step === step && g.state.rollout?.phase.name === 'advancing'; i += 1)
      g.looks({ verdict: 'healthy', improved });
    return g;
  };
  it('passes the gate only where something got better', () => {
    soakedThrough(['errors'])
      .says('gate-passed', /and Error rate got better/)
      .shifts(50);
  });
  it('asks people when it was no worse, but not better, within the longest soak', () => {
    const g = soakedThrough([]).phase('deciding').stage('asking');
    expect(g.state.degradation?.signals).toMatchObject([{ kind: 'gate-undecided', verdict: 'not-better' }]);
    g.looks({ verdict: 'healthy' }).stage('asking');
    g.timer('deadline').measured({ verdict: 'healthy' }).stage('held', 'healthy').shifts();
  });
});

describe('promotion from staging to production', () => {
  const production = { requires: { service: 'fraud-scorer-staging' } };
  const detail = 'fraud-scorer-staging-r7 is watched until 14:05 UTC';
  it('is refused unless the candidate has succeeded there', () => {
    given(production)
      .start()
      .refused(/v42 has to succeed on fraud-scorer-staging before it starts on fraud-scorer/);
    given(production)
      .start('v42', { promotion: { service: 'fraud-scorer-staging', outcome: 'not-succeeded', detail } })
      .refused(/watched until 14:05.*--force/);
  });
  it('goes through once it has, or where somebody forces it, which is written down', () => {
    given(production)
      .start('v42', { promotion: { service: 'fraud-scorer-staging', outcome: 'succeeded', detail: '' } })
      .phase('advancing');
    given(production)
      .start('v42', { force: true })
      .says('rollout-started', /Forced although it has not succeeded on fraud-scorer-staging/);
  });
});

describe('silencing alerts while it rolls back', () => {
  const silent = { silence: { forMs: 30 * MINUTE } };
  it('begins with the decision and is lifted at the end', () => {
    const g = rollingBack(silent);
    expect(g.effects).toContainEqual(
      expect.objectContaining({ kind: 'silence', action: 'create', untilMs: g.now + 30 * MINUTE }),
    );
    const degradationId = g.state.degradation?.id ?? '';
    g.when({ type: 'silenced', degradationId, action: 'create', problem: null }).says('alerts-silenced', /./);
    g.when(resolved('ErrorsHigh'), MINUTE);
    while (g.state.rollout?.phase.name !== 'rolled_back') {
      if (g.state.shift) g.shifted();
      else g.looks({ verdict: 'healthy', stableVerdict: 'healthy' });
    }
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'silence', action: 'lift' }));
    expect(g.state.degradation?.silencedUntilMs).toBeNull();
  });
  it('is lifted while a person is asked, and made again when it goes on', () => {
    const g = rollingBack(silent).shifted().command({ name: 'hold', forMs: null, reason: '' });
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'silence', action: 'lift' }));
    g.command({ name: 'resume', reason: '' });
    expect(g.effects).toContainEqual(expect.objectContaining({ kind: 'silence', action: 'create' }));
  });
  it('that could not be made is told, and stops nothing', () => {
    const g = rollingBack(silent);
    const degradationId = g.state.degradation?.id ?? '';
    g.when({ type: 'silenced', degradationId, action: 'create', problem: 'refused' })
      .says('silence-failed', /could not be silenced: refused/)
      .phase('rolling_back');
  });
  it('is not done unless the policy wants it', () => {
    expect(rollingBack().effects.some((e) => e.kind === 'silence')).toBe(false);
  });
});

describe('what the target shows between our shifts', () => {
  const seen = (exposurePercent: number, askedAtMs = Number.MAX_SAFE_INTEGER): DomainEvent => ({
    type: 'seen',
    observed: observed({ candidate: 'v42', exposurePercent }),
    askedAtMs,
  });
  const alone: DomainEvent = { type: 'seen', observed: observed(), askedAtMs: T0 };

  it('tells what served before Lastgood came', () => {
    const g = given()
      .when(alone)
      .says('drift-noticed', /v41 serves all traffic of fraud-scorer\./);
    expect(g.state.served).toMatchObject([{ version: { id: 'v41' }, sinceMs: g.now }]);
    g.when({ ...alone, askedAtMs: T0 + HOUR } as DomainEvent, HOUR).isIgnored();
  });
  it('is no news as long as it is as ordered', () => {
    soaking().when(seen(10.4)).isIgnored();
    given().start().when(seen(55)).isIgnored();
  });
  it('is old news where it was asked for before the last shift, or while a lost call may still land', () => {
    const g = soaking(undefined);
    g.when(seen(0, g.state.rollout?.shifts.at(-1)?.atMs)).isIgnored();
    given().start().shifted({ uncertain: true }).when(seen(0)).isIgnored();
  });
  it('is brought down again where the candidate got more than was ordered, told once', () => {
    const g = soaking()
      .when(seen(50))
      .says('drift-noticed', /v42 gets 50 % of the traffic instead of 10 %.*taken back to 10 %/)
      .shifts(10);
    g.shifted().exposure(10);
    // A person who does it again is not fought over: told, and held.
    g.when(seen(50), MINUTE)
      .shifts()
      .phase('holding')
      .exposure(50)
      .says('drift-noticed', /The rollout is held/);
  });
  it('is only told where automation must not act, and once', () => {
    const g = soaking({ mode: 'observe' })
      .when(seen(50))
      .shifts()
      .says('drift-noticed', /Would have taken it back/);
    g.when(seen(50), MINUTE).isIgnored();
    g.when(seen(10), MINUTE).says('drift-noticed', /as ordered again/);
  });
  it('is the truth where the candidate got less: held until a person goes on', () => {
    const g = soaking().when(seen(0)).phase('holding').exposure(0).shifts();
    g.says('drift-noticed', /resume it, or roll it back/);
    g.command({ name: 'resume', reason: 'reloaded' }).shifts(10);
  });
  it('does not raise it again by itself', () => {
    asked().when(seen(0)).exposure(0).phase('deciding').shifts();
  });
});

it('says in the journal how an alert was found', () => {
  soaking()
    .when({ ...firing('ErrorsHigh'), found: true } as DomainEvent)
    .says('alert-fired', /webhook had not told us/)
    .stage('asking');
});

it('names the commit of the policy beside its revision', () => {
  const g = asked({ commit: '4f5e6d7' });
  expect(g.journal.at(-1)).toMatchObject({ policyRevision: 'rev1', policyCommit: '4f5e6d7' });
  g.command({ name: 'hold', forMs: null, reason: '' });
  expect(ann.kind).toBe('person');
});
