import { describe, expect, it } from 'vitest';
import type { Phase, Rollout } from '../../src/domain/state.ts';
import { card } from '../../src/slack/cards/index.ts';
import { form } from '../../src/slack/views/form.ts';
import { HOUR } from '../support/policy.ts';
import { buttons, seen } from './reading.ts';
import { ada, at, automatic, blueGreen, comparison, metric, rollback, view } from './states.ts';

type Scene = Parameters<typeof view>[1];
const quiet: Scene = { degradation: null };
const read = (rollout: Partial<Rollout>, scene: Scene = {}) =>
  seen(card(view('rollout', { ...quiet, ...scene, rollout, state: { degradation: null, ...scene.state } })).blocks);
const advancing = (stage: 'warming' | 'shifting', soakUntilMs = 0): Phase => ({
  name: 'advancing',
  sinceMs: at(2),
  stage,
  soakUntilMs,
  maxSoakUntilMs: at(7),
});
const atZero = { plan: blueGreen, candidate: { id: 'v43' }, exposurePercent: 0, step: 0, shifts: [] };

describe('a rollout that warms up', () => {
  it('says how long it has been ready, of how long, and when that is over', () => {
    const text = read({ ...atZero, phase: advancing('warming', at(3) + 20_000) });
    expect(text).toContain('🌡️ fraud-scorer v43: Warming up');
    expect(text).toContain(
      '🌡️ *0 %* of traffic on `v43` · *Warming up `v43`*: ready for 40 s of 1 min, done 12:03:20 UTC, at the latest 12:07:00 UTC',
    );
    expect(text).toContain('🔄 Warm-up  ›  ⬜ All traffic in one step');
  });

  it('says that it is not ready yet', () => {
    expect(read({ ...atZero, phase: advancing('warming') })).toContain(
      '*Warming up `v43`*: not ready yet, it has to be for 1 min on end; at the latest 12:07:00 UTC',
    );
  });

  it('can be cancelled or held', () => {
    const shown = card(view('rollout', { ...quiet, rollout: { ...atZero, phase: advancing('warming') } }));
    expect(buttons(shown.blocks).map((b) => b.label)).toEqual(['Cancel rollout', 'Hold']);
  });
});

describe('blue/green', () => {
  const shift = { atMs: at(3), exposurePercent: 100 };
  const at100 = { ...atZero, exposurePercent: 100, shifts: [shift], stable: { id: 'v42' } };
  const watching: Phase = { name: 'watching', sinceMs: at(3), untilMs: at(1443) };

  it('switches in one step, and counts none', () => {
    const text = read({ ...atZero, phase: advancing('shifting') });
    expect(text).toContain('*0 %* of traffic on `v43` · all traffic switches to `v43` in one step');
    expect(text).toContain('✅ Warm-up  ›  🔄 All traffic in one step');
    expect(text).not.toMatch(/step 1 of 1/);
  });

  it('tells while the old arm is kept that the way back is instant', () => {
    expect(read({ ...at100, phase: watching })).toContain(
      'old arm `v42` is kept until 14:03:00 UTC: the way back to it is instant',
    );
    expect(read({ ...at100, phase: watching })).toContain('✅ Warm-up  ›  ✅ All traffic in one step');
    const later = { state: { clockMs: at(3) + 3 * HOUR } };
    expect(read({ ...at100, phase: watching }, later)).toContain(
      'old arm `v42` was kept until 14:03:00 UTC: it may have to be started again before it can take traffic',
    );
    const { keepMs: _, ...strategy } = blueGreen.strategy;
    const unknown = { ...blueGreen, strategy: { ...strategy, keepMs: 0 } };
    expect(read({ ...at100, plan: unknown, phase: watching })).not.toContain('old arm');
  });

  it('goes back in one step as well', () => {
    const back = rollback({ phases: blueGreen.rollback.phases, phase: 0, stage: 'shifting', fromPercent: 100 });
    const text = read({ ...at100, phase: { name: 'rolling_back', sinceMs: at(9), rollback: back } });
    expect(text).toContain('rolling back: all traffic switches to `v42` in one step');
    expect(text).not.toContain('phase 1 of 1');
    expect(text).toContain('✅ Warm-up  ›  ⏪ All traffic in one step');
  });

  it('promoting and going back read as one step in their modals too', () => {
    const deciding: Phase = { name: 'deciding', sinceMs: at(4), during: 'advancing' };
    const shown = view('rollout', { ...quiet, rollout: { ...atZero, phase: deciding } });
    const modal = (command: 'promote' | 'rollback') =>
      JSON.stringify(form({ service: 's', command, binding: 'b', channel: 'C1' }, shown).blocks);
    expect(modal('promote')).toContain('All traffic switches to `v43` in one step.');
    expect(modal('promote')).toContain('"All traffic, in one step"');
    expect(modal('promote')).not.toContain('takes 2 approvers');
    expect(modal('rollback')).toContain('At once: all traffic in one step');
  });

  it('while people decide says whether the switch was made', () => {
    const deciding: Phase = { name: 'deciding', sinceMs: at(4), during: 'advancing' };
    expect(read({ ...atZero, phase: deciding })).toContain('before the switch');
    expect(read({ ...at100, phase: deciding })).toContain('all traffic was switched in one step');
  });
});

describe('what the gate asks for', () => {
  const plan = { ...view('rollout').rollout!.plan, objective: 'better' as const };
  const numbers = (improved: string[]) =>
    comparison({ verdict: 'healthy', improved, metrics: [metric({ metric: 'conversion', title: 'Conversion' })] });

  it('better: says so, and in what it is better so far', () => {
    expect(read({ plan, comparison: numbers(['conversion']) })).toContain(
      'The gate asks for better, not only no worse: better so far in: Conversion',
    );
    expect(read({ plan, comparison: numbers([]) })).toContain('not only no worse: better in nothing so far');
  });

  it('no worse: says nothing', () => {
    expect(read({ comparison: numbers(['conversion']) })).not.toContain('asks for better');
  });
});

describe('the policy a rollout began under', () => {
  it('with the commit it is in', () => {
    expect(read({}, { policy: { commit: '4f5e6d7' } })).toContain('policy `fraud-scorer@rev1` (commit `4f5e6d7`)');
  });

  it('and the one in force, where that is another', () => {
    const later: Scene = { policy: { revision: 'a1b2c3d4', commit: '4f5e6d7' } };
    expect(read({}, later)).toContain(
      'began under policy `fraud-scorer@rev1`; approvers and channel follow `fraud-scorer@a1b2c3d4` (commit `4f5e6d7`)',
    );
    const over = read({ phase: { name: 'succeeded', atMs: at(9), reason: '' } }, later);
    expect(over).toMatch(/policy `fraud-scorer@rev1`$/);
    expect(over).not.toContain('a1b2c3d4');
  });
});

describe('what holds besides', () => {
  const silencedUntil = (silencedUntilMs: number | null) =>
    seen(card(view('degradation', { degradation: { silencedUntilMs } })).blocks);

  it('alerts that are silenced, until when', () => {
    expect(silencedUntil(at(40))).toContain('🔕 Alerts are silenced in Alertmanager until 12:40:00 UTC');
    expect(silencedUntil(null)).not.toContain('silenced');
    expect(silencedUntil(at(1))).not.toContain('silenced');
  });

  it('what the target shows instead of what was ordered', () => {
    expect(read({ driftPercent: 80 })).toContain('⚠️ The target gives it 80 % instead: it was moved by hand');
    expect(read({})).not.toContain('moved by hand');
  });

  it('automation that holds is told from a person who does', () => {
    const holding = (by: typeof ada): Phase => ({
      name: 'holding',
      sinceMs: at(1),
      untilMs: null,
      by,
      reason: 'its traffic was moved to 20 % from outside',
      during: 'advancing',
    });
    expect(read({ phase: holding(automatic) })).toContain(
      'held by automation until somebody resumes: its traffic was moved to 20 % from outside',
    );
    expect(read({ phase: holding(ada) })).toContain('held by <@U024BE7LH> until somebody resumes');
  });
});
