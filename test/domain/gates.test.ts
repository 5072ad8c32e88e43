import { describe, expect, it } from 'vitest';
import type { Comparison, MetricComparison, Verdict } from '../../src/analysis/types.ts';
import { askGate, gateOf } from '../../src/domain/gates.ts';
import type { Policy, Step } from '../../src/domain/policy.ts';
import { MINUTE } from '../support/policy.ts';
import { comparison, type Given, gateNamed, given, soaking } from './given.ts';

/** A look in which these metrics came out so. */
function look(verdicts: Record<string, Verdict>, patch: Partial<Comparison> = {}): Comparison {
  return comparison(0, { verdict: 'inconclusive', metrics: metrics(verdicts), ...patch });
}

function metrics(verdicts: Record<string, Verdict>, patch: Partial<MetricComparison> = {}): MetricComparison[] {
  const [one] = comparison(0, { verdict: 'healthy' }).metrics;
  if (!one) throw new Error('no metric to copy');
  return Object.entries(verdicts).map(([metric, verdict]) => ({
    ...one,
    metric,
    title: metric.charAt(0).toUpperCase() + metric.slice(1),
    verdict,
    ...(metric === 'split' ? { kind: 'split' as const } : {}),
    ...(metric === 'drift' ? { kind: 'drift' as const, weight: 0 } : {}),
    ...patch,
  }));
}

const canary = gateNamed('canary', { metrics: ['errors'] });
const experiment = gateNamed('experiment', { kind: 'ab', objective: 'better', metrics: ['conversion'] });

describe('a gate', () => {
  it('fails where anything is degraded, whichever metrics it names', () => {
    const found = look(
      { errors: 'healthy', latency: 'degraded' },
      { verdict: 'degraded', culprits: ['latency'], improved: ['errors'] },
    );
    expect(askGate(canary, found)).toEqual({ answer: 'failed', culprits: ['latency'] });
  });
  it('passes where what it names is healthy and the rest is not degraded', () => {
    const found = look({ errors: 'healthy', latency: 'inconclusive', amount: 'no-data' }, { verdict: 'no-data' });
    expect(askGate(canary, found)).toEqual({ answer: 'passed', better: [] });
  });
  it('that names nothing asks for all metrics that count', () => {
    const all = gateNamed('all');
    expect(askGate(all, look({ errors: 'healthy', latency: 'inconclusive' }))).toEqual({
      answer: 'undecided',
      why: 'inconclusive',
      of: ['latency'],
    });
    expect(askGate(all, look({ errors: 'healthy', drift: 'inconclusive' }))).toMatchObject({ answer: 'passed' });
  });
  it('asks for what counts for nothing as well where it is named', () => {
    const found = look({ errors: 'healthy', drift: 'degraded' });
    expect(askGate(gateNamed('x', { metrics: ['errors', 'drift'] }), found)).toMatchObject({
      answer: 'undecided',
      of: ['drift'],
    });
  });
  it.each([
    ['has no data', look({ errors: 'no-data', latency: 'healthy' })],
    ['was not measured', look({ latency: 'healthy' })],
  ])('never passes where what it names %s', (_, found) => {
    expect(askGate(canary, found)).toEqual({ answer: 'undecided', why: 'no-data', of: ['errors'] });
  });
  it('never passes where there is no metric at all', () => {
    expect(askGate(gateNamed('x'), look({}, { verdict: 'healthy' }))).toMatchObject({ why: 'no-data' });
  });
  it('for better wants one of those it names to be better, and not another', () => {
    const found = (improved: string[]) => look({ conversion: 'healthy', errors: 'healthy' }, { improved });
    expect(askGate(experiment, found(['conversion']))).toEqual({ answer: 'passed', better: ['conversion'] });
    expect(askGate(experiment, found(['errors']))).toEqual({ answer: 'undecided', why: 'not-better', of: [] });
  });
});

describe('a split that is not as configured', () => {
  it.each(['inconclusive', 'no-data'] as const)('holds an experiment up (%s), whatever else is healthy', (split) => {
    const found = look({ conversion: 'healthy', split }, { improved: ['conversion'] });
    expect(askGate(experiment, found)).toMatchObject({ answer: 'undecided', of: ['split'] });
  });
  it('holds it up also where the split has no weight, and nothing is named', () => {
    const found = look({}, { verdict: 'healthy', improved: ['conversion'] });
    const weightless = [...metrics({ conversion: 'healthy' }), ...metrics({ split: 'inconclusive' }, { weight: 0 })];
    const gate = { ...experiment, metrics: [] };
    expect(askGate(gate, { ...found, metrics: weightless })).toMatchObject({ answer: 'undecided', of: ['split'] });
  });
  it('does not hold up a gate of another kind that does not name it', () => {
    expect(askGate(canary, look({ errors: 'healthy', split: 'inconclusive' }))).toMatchObject({ answer: 'passed' });
  });
  it('means nothing in the shadow', () => {
    const shadow = gateNamed('shadow', { kind: 'shadow' });
    expect(askGate(shadow, look({ errors: 'healthy', split: 'no-data' }))).toMatchObject({ answer: 'passed' });
    expect(askGate(shadow, look({ split: 'healthy' }))).toMatchObject({ why: 'no-data' });
  });
});

/** The first step has this gate; the look finds these. */
function under(gate: Step['gate'], patch: Partial<Policy> = {}): Given {
  const steps: Step[] = [
    { exposurePercent: 50, soakMs: 10 * MINUTE, maxSoakMs: 30 * MINUTE, ...(gate ? { gate } : {}) },
    { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
  ];
  return soaking({ steps, ...patch });
}

/** Looks so until something is ordered or asked. */
function until(g: Given, found: Comparison): Given {
  while (!g.state.shift && g.state.rollout?.phase.name === 'advancing') g.looks(found);
  return g;
}

describe('a step’s own gate', () => {
  it('goes before the policy’s objective, and the journal calls it by its name', () => {
    const found = look({ conversion: 'healthy', errors: 'healthy', split: 'healthy' }, { improved: ['conversion'] });
    until(under(experiment), found)
      .shifts(100)
      .says(
        'gate-passed',
        /^The gate experiment at 50 % passed: Conversion got better; nothing is worse than its limit\.$/,
      );
    until(under({ ...experiment, metrics: [] }), found).says(
      'gate-passed',
      /^The gate experiment at 50 % passed: Conversion got better; nothing is worse than its limit\.$/,
    );
    until(under(gateNamed('all')), look({ errors: 'healthy' })).says(
      'gate-passed',
      /^The gate all at 50 % passed: no metric is worse than its limit\.$/,
    );
    until(under(canary, { objective: 'better' }), look({ errors: 'healthy' }))
      .shifts(100)
      .says('gate-passed', /^The gate canary at 50 % passed: Errors is healthy; nothing is worse than its limit\.$/);
  });
  it('says what nobody asked about, and what only warns', () => {
    const found = look(
      { errors: 'healthy', latency: 'inconclusive', amount: 'no-data', drift: 'inconclusive' },
      { warnings: ['drift', 'latency'] },
    );
    until(under(canary), found).says(
      'gate-passed',
      /limit\. Not asked about: Latency is inconclusive and Amount has no data\. Latency looks worse and Drift looks different \(drift\), which by itself stops nothing\.$/,
    );
  });
  it('passes not before the soak is over', () => {
    const g = until(under(canary), look({ errors: 'healthy' }));
    expect(g.now - (g.state.rollout?.startedAtMs ?? 0)).toBe(10 * MINUTE);
  });
  it('asks people by its name when it fails, and when it cannot tell', () => {
    under(canary)
      .looks(look({ errors: 'healthy', latency: 'degraded' }, { verdict: 'degraded', culprits: ['latency'] }))
      .phase('deciding')
      .says('question-opened', /^The gate canary failed: latency got worse/);
    until(under(canary), look({ errors: 'no-data', latency: 'healthy' })).says(
      'question-opened',
      /^The gate canary could not tell within the longest soak \(no data: Errors\)/,
    );
    until(under(experiment), look({ conversion: 'healthy', split: 'inconclusive' }, { improved: ['conversion'] }))
      .says('question-opened', /^The gate experiment could not tell .*\(inconclusive: Split\)/)
      .shifts();
    until(under(experiment), look({ conversion: 'healthy' })).says(
      'question-opened',
      /not shown to be better .* as the gate experiment asks/,
    );
  });
  it('is what ends the question it opened: another metric does not hold it up', () => {
    const g = until(under(canary), look({ errors: 'inconclusive', latency: 'no-data' })).stage('asking');
    g.looks(look({ errors: 'inconclusive', latency: 'healthy' })).stage('asking');
    g.looks(look({ errors: 'healthy', latency: 'no-data' }, { verdict: 'no-data' })).stage('recovering');
    g.timer('stability').phase('advancing').exposure(50);
  });
  it('for better, asked about in vain, wants the metric it names to be better', () => {
    const g = until(under(experiment), look({ conversion: 'healthy' })).stage('asking');
    g.looks(look({ conversion: 'healthy', errors: 'healthy' }, { improved: ['errors'] })).stage('asking');
    g.looks(look({ conversion: 'healthy' }, { improved: ['conversion'] })).stage('recovering');
  });
  it('holds for its step alone: the next one asks as the policy does', () => {
    const g = given({
      steps: [
        { exposurePercent: 10, soakMs: MINUTE, maxSoakMs: MINUTE, gate: canary },
        { exposurePercent: 50, soakMs: MINUTE, maxSoakMs: 2 * MINUTE },
        { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
      ],
    })
      .start()
      .shifted();
    until(g, look({ errors: 'healthy', latency: 'inconclusive' }))
      .shifts(50)
      .shifted();
    expect(g.state.rollout && gateOf(g.state.rollout)).toMatchObject({ name: '', metrics: [] });
    until(g, look({ errors: 'healthy', latency: 'inconclusive' }))
      .phase('deciding')
      .exposure(50);
  });
});

describe('a verdict once reached', () => {
  it('is not taken back: the gate that failed has asked at once, and a later look does not send it on', () => {
    const g = under(canary).looks(look({ errors: 'degraded' }, { verdict: 'degraded', culprits: ['errors'] }));
    g.looks(look({ errors: 'inconclusive' }))
      .phase('deciding')
      .stage('asking')
      .shifts();
  });
  it('of what a person promoted over holds for that step alone: after a passed gate it asks at once again', () => {
    const bad = look({ errors: 'degraded' }, { verdict: 'degraded', culprits: ['errors'] });
    const steps: Step[] = [10, 20, 50].map((exposurePercent) => ({
      exposurePercent,
      soakMs: 10 * MINUTE,
      maxSoakMs: 30 * MINUTE,
    }));
    const g = soaking({ steps: [...steps, { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }] });
    g.looks(bad).command({ name: 'promote', scope: 'step', reason: 'known' }).shifted();
    g.looks(bad).phase('advancing');
    until(g, look({ errors: 'healthy' }))
      .shifts(50)
      .shifted();
    g.looks(bad).phase('deciding').exposure(50);
  });
});

describe('the share at each moment', () => {
  it('is told with every look, for the split to be held against', () => {
    const g = until(under(canary, { steps: [...(given().policy.steps ?? [])] }), look({ errors: 'healthy' })).shifted();
    g.timer('look');
    const measure = g.effects.find((e) => e.kind === 'measure');
    const shifts = g.state.rollout?.shifts ?? [];
    expect(shifts.map((s) => s.exposurePercent)).toEqual([10, 50]);
    expect(measure?.period.exposures).toEqual(shifts.map((s) => ({ fromMs: s.atMs, percent: s.exposurePercent })));
  });
});
