import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/analysis/types.ts';
import { chartOrder } from '../../src/slack/cards/charted.ts';
import { card } from '../../src/slack/cards/index.ts';
import { alert, comparison, metric, nasty, view } from './states.ts';

const metrics = (verdict: Verdict) => [
  metric({ metric: 'latency', title: 'Slow answers', verdict, evidence: 1 }),
  metric({ metric: 'errors', title: 'Error rate', verdict, evidence: 1 }),
  metric({ metric: 'score_drift', title: 'Score drift', verdict, evidence: 3 }),
];
const undecided = comparison({ verdict: 'inconclusive', metrics: metrics('inconclusive') });
const first = (alerts: Parameters<typeof alert>[0][], shown = undecided) =>
  chartOrder(shown, alerts.map(alert))[0]?.metric;

describe('before there is a verdict the chart shows', () => {
  it.each([
    ['the title in the name', { name: 'FraudScorerHighErrorRate', labels: {} }, 'errors'],
    ["the metric's name, without the plural's s", { name: 'Error', labels: {} }, 'errors'],
    ['a label', { name: 'SLOBurn', labels: { metric: 'score_drift' } }, 'score_drift'],
    ['the title in pieces', { name: 'AnswersAreSlow', labels: {} }, 'latency'],
    ['half a title: not meant', { name: 'Drifting', labels: { slo: 'score' } }, 'score_drift'],
    [
      'only whose it is: not meant',
      { name: 'Firing', labels: { service: 'errors', job: 'score-drift' } },
      'score_drift',
    ],
    ['one that is over, where none fires', { name: 'HighErrorRate', status: 'resolved', labels: {} }, 'errors'],
    ['nothing known: the worst so far', { name: nasty(500), labels: { x: nasty(5000) } }, 'score_drift'],
  ] as const)('what the alert is about: %s', (_what, patch, expected) => {
    expect(first([patch])).toBe(expected);
  });

  it('the worst so far where there is no alert', () => {
    expect(first([])).toBe('score_drift');
  });

  it('what fires rather than what fired', () => {
    const over = { name: 'HighErrorRate', status: 'resolved', labels: {} } as const;
    expect(first([over, { name: 'AnswersAreSlow', labels: {} }])).toBe('latency');
  });
});

describe('once the numbers say something it shows the worst', () => {
  it('where one is degraded', () => {
    const shown = comparison({
      verdict: 'degraded',
      metrics: [...metrics('inconclusive'), metric({ metric: 'queue', title: 'Queue', verdict: 'degraded' })],
    });
    expect(first([{ name: 'HighErrorRate' }], shown)).toBe('queue');
  });

  it('where all are healthy', () => {
    const shown = comparison({ verdict: 'healthy', metrics: metrics('healthy') });
    expect(first([{ name: 'HighErrorRate' }], shown)).toBe('score_drift');
  });
});

it('the card charts it', () => {
  const shown = view('degradation', {
    degradation: { comparison: undecided },
    state: { alerts: [alert({ name: 'ScoreDrift', labels: {} })] },
  });
  expect(card(shown).blocks.find((b) => b.type === 'data_visualization')?.title).toBe('Score drift over time');
});
