import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import type { Comparison, Metric, MetricComparison, MetricSamples, Verdict } from '../../src/analysis/types.ts';
import type { ChatContent } from '../../src/ports/chat.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { overview } from '../../src/slack/commands/status.ts';
import { validateMessage } from '../../src/workspace/index.ts';
import { counts, period, settings, values } from '../analysis/support.ts';
import { errorRate, HOUR } from '../support/policy.ts';
import { conversion, definitions, everyKind, gated, offSplit, waitingForLabels } from './kinds.ts';
import { seen, strings } from './reading.ts';
import { asking, comparison, degradation, ended, entry, metric, rollout, view } from './states.ts';

const plan = { ...rollout().plan, metrics: definitions };
const degradationCard = (found: Comparison, scene: Parameters<typeof view>[1] = {}) =>
  view('degradation', {
    ...scene,
    rollout: scene.rollout === null ? null : { plan, comparison: found, ...scene.rollout },
    degradation: { comparison: found, ...scene.degradation },
  });
/** Everything that shows a comparison. */
function everywhere(found: Comparison): ChatContent[] {
  const arms = degradationCard(found, { degradation: { stage: asking } });
  const over = degradation({
    comparison: found,
    stage: ended('rolled-back'),
    milestones: [{ what: 'opened', atMs: 0, exposurePercent: 50, comparison: found }],
  });
  return [
    { kind: 'card', view: arms },
    { kind: 'card', view: degradationCard(found, { rollout: null }) },
    { kind: 'card', view: view('rollout', { degradation: null, rollout: gated(2, found) }) },
    { kind: 'card', view: view('rollout', { degradation: null, rollout: gated(0, found) }) },
    { kind: 'report', view: { ...arms, degradation: over }, journal: [entry()] },
  ];
}

const BROKEN = /undefined|NaN|Infinity|\[object|null/;

function expectReadable(found: Comparison) {
  for (const content of everywhere(found)) {
    const { text, blocks } = draw(content);
    expect(validateMessage(blocks)).toBeNull();
    for (const part of strings([text, blocks])) expect(part).not.toMatch(BROKEN);
  }
  const card = degradationCard(found);
  expect(overview([{ policy: card.policy, state: card.state }]).text).not.toMatch(BROKEN);
}

const number = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(0, 1, -0, 1e-12, 1e12, 0.5, 0.9999, 10_000, Number.MAX_VALUE),
);
// What was stored as JSON brings what is not a number back as null.
const stored = fc.oneof(
  { weight: 9, arbitrary: number },
  { weight: 1, arbitrary: fc.constant(null as unknown as number) },
);
const reading = fc.record({ value: fc.oneof(number, fc.constant(null)), samples: fc.nat() });
const verdict = fc.constantFrom<Verdict>('degraded', 'healthy', 'inconclusive', 'no-data');
const anyMetric: fc.Arbitrary<MetricComparison> = fc
  .record({
    from: fc.constantFrom(...everyKind, conversion, offSplit, waitingForLabels, metric()),
    verdict,
    basis: fc.constantFrom('stable', 'past', 'fixed', 'limit', 'split', undefined),
    direction: fc.constantFrom('lower-is-better', 'higher-is-better'),
    stableBefore: reading,
    stableNow: reading,
    candidateNow: reading,
    change: fc.oneof(fc.record({ estimate: number, lower: stored, upper: stored }), fc.constant(null)),
    evidence: stored,
    critical: fc.boolean(),
    weight: fc.constantFrom(0, 0.1, 1),
  })
  .map(({ from, basis, ...rest }) => ({ ...from, ...(basis ? { basis } : {}), ...rest }) as MetricComparison);
const anyComparison: fc.Arbitrary<Comparison> = fc
  .record({
    verdict,
    metrics: fc.array(anyMetric, { maxLength: 20 }),
    commonCause: fc.boolean(),
    canTellCommonCause: fc.boolean(),
    score: fc.oneof(fc.nat(100), fc.constant(null)),
  })
  .map((found) => {
    const names = found.metrics.map((m) => m.metric);
    return comparison({ ...found, warnings: names, improved: names.slice(0, 2) });
  });

describe('whatever was compared', () => {
  it('reads well: no gap in any text, within the limits', () => {
    fc.assert(fc.property(anyComparison, expectReadable), { numRuns: 150, seed: 21 });
  });

  it('with 50 metrics of every kind keeps within the limits', () => {
    const metrics = Array.from({ length: 50 }, (_, i) => ({ ...everyKind[i % everyKind.length]!, metric: `m${i}` }));
    expectReadable(comparison({ metrics, warnings: metrics.map((m) => m.metric), canTellCommonCause: false }));
  });
});

describe('what the comparison really says', () => {
  const n = 40;
  const source = (kind: Metric['source']): Metric => ({
    ...errorRate,
    name: kind.kind,
    title: kind.kind,
    weight: 0.1,
    source: kind,
  });
  const kinds: readonly Metric[] = [
    source({ kind: 'proportion', bad: 'b', good: null, total: 't' }),
    source({
      kind: 'labelled',
      measure: 'accuracy',
      truePositives: 'a',
      falsePositives: 'b',
      falseNegatives: 'c',
      trueNegatives: 'd',
    }),
    source({ kind: 'rate', events: 'e', per: null }),
    source({ kind: 'latency', buckets: 'b', bounds: [0.1, 0.5] }),
    source({ kind: 'gauge', value: 'v' }),
    { ...source({ kind: 'drift', counts: 'c', by: 'bin' }), weight: 0 },
    { ...source({ kind: 'drift-score', value: 'v', limit: 0.2 }), weight: 0 },
    source({ kind: 'limit', value: 'v', limit: 3 }),
    source({ kind: 'objective', bad: 'b', good: null, total: 't', allowed: 0.01 }),
    source({ kind: 'split', requests: 'r', slack: 0.1 }),
  ];
  const arm = ({ source: { kind } }: Metric, times: number, offsetMs = 0): NonNullable<MetricSamples['stableNow']> => {
    const windows = counts(n, (i) => ({ events: (10 + (i % 5)) * times, exposure: 1000 }), offsetMs);
    const list = windows.kind === 'counts' ? windows.windows : [];
    if (kind === 'latency') return { kind: 'tails', bounds: [0.1, 0.5].map((bound) => ({ bound, windows: list })) };
    if (kind === 'drift') return { kind: 'bins', bins: ['a', 'b'].map((bin) => ({ bin, windows: list })) };
    const isRead = kind === 'gauge' || kind === 'drift-score' || kind === 'limit';
    return isRead ? values(n, (i) => times + Math.sin(i) / 10, offsetMs) : windows;
  };
  const look = (times: number, patch: Partial<Metric> = {}, hasCandidate = true) => {
    const metrics = kinds.map((m) => ({ ...m, ...patch }));
    const span = period(n);
    return compare({
      metrics,
      settings,
      hasCandidate,
      period: { ...span, exposures: [{ fromMs: span.fromMs - HOUR, percent: 50 }] },
      samples: metrics.map((m) => ({
        metric: m.name,
        stableNow: arm(m, 1),
        stableBefore: arm(m, 1, span.beforeOffsetMs),
        candidateNow: hasCandidate ? arm(m, times) : null,
        missing: null,
      })),
    });
  };

  it.each([
    ['as good', look(1)],
    ['worse', look(4)],
    ['of labels that come late', look(1, { labelDelayMs: 2 * HOUR })],
    ['of a fixed baseline', look(2, { baseline: { kind: 'fixed', events: 100, exposure: 10_000 } })],
    ['of yesterday', look(2, { baseline: { kind: 'offset', offsetMs: 24 * HOUR } })],
    ['without a version label', look(2, { arms: 'one' })],
    ['of a service alone', look(1, {}, false)],
    [
      'where nothing was read',
      compare({ metrics: kinds, settings, hasCandidate: true, period: period(n), samples: [] }),
    ],
  ])('reads well: %s', (_what, found) => {
    expectReadable(found);
  });

  it('waits for labels calmly', () => {
    const found = look(1, { labelDelayMs: 2 * HOUR });
    const late = kinds.map((m) => ({ ...m, labelDelayMs: 2 * HOUR }));
    const card = view('rollout', { degradation: null, rollout: gated(2, found, { plan: { ...plan, metrics: late } }) });
    const text = seen(draw({ kind: 'card', view: card }).blocks);
    expect(text).toContain('⏳ Waits for labels');
    expect(text).not.toContain('⚫');
  });
});
