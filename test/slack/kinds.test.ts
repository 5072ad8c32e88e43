import { describe, expect, it } from 'vitest';
import type { Comparison, MetricComparison } from '../../src/analysis/types.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { amount, change } from '../../src/slack/cards/numbers.ts';
import { policyText } from '../../src/slack/commands/policy.ts';
import { overview } from '../../src/slack/commands/status.ts';
import { errorRate, HOUR } from '../support/policy.ts';
import { abGate, byKind, conversion, definitions, everyKind, offSplit, waitingForLabels } from './kinds.ts';
import { seen, strings } from './reading.ts';
import { comparison, metric, policy, rollout, view } from './states.ts';

const plan = { ...rollout().plan, metrics: definitions };
const degradationCard = (found: Comparison, scene: Parameters<typeof view>[1] = {}) =>
  view('degradation', {
    ...scene,
    rollout: scene.rollout === null ? null : { plan, comparison: found, ...scene.rollout },
    degradation: { comparison: found, ...scene.degradation },
  });
const read = (found: Comparison, scene?: Parameters<typeof view>[1]) =>
  seen(draw({ kind: 'card', view: degradationCard(found, scene) }).blocks);
const rows = (text: string) => text.split('\n').filter((line) => line.includes(' | '));

describe('the table', () => {
  it('reads every kind of metric, and says what each is held against', () => {
    expect(
      rows(read(comparison({ metrics: everyKind, warnings: ['latency', 'amount', 'availability'] }))),
    ).toMatchInlineSnapshot(`
      [
        "Metric | Candidate | Stable | Before | Verdict | Change | Against | Limit | Samples",
        "Error rate | 4.12 % | 2 % | 1.9 % | 🔴 Degraded | 2.06× (1.35×–2.87×) | Stable | 1.25× | 12.3k / 12.3k",
        "Latency | 0.24 s | 0.214 s | 0.21 s | 🟡 Inconclusive | 1.2× (1.02×–1.4×) | Stable | 1.25× | 8800 / 9000",
        "Availability | 99.88 % | 99.94 % | 99.95 % | 🟡 Inconclusive | 1.2× what is allowed (0.8×–1.9×) | Its limit | 99.9 % | 17.9k / 18k",
        "Amount | – | – | – | 👀 Looks different | – | – | PSI 0.25 | 17.9k / 18k",
        "Precision | 92.9 % | 93.1 % | 93.4 % | 🟢 Healthy | 1.03× the failures (0.9×–1.18×) | Stable | 1.25× | 1180 / 1200",
        "Orders | 3.35 /s | 3.1 /s | 3.2 /s | 🟢 Healthy | 1.08× more (1.01×–1.15×) | Stable | 1.25× | 18k / 18k",
        "Memory | – | 2.15 GB (all) | 2.1 GB | 🟢 Healthy | +0.05 GB (−0.02 GB to +0.11 GB) | Yesterday | 0.5 GB | 40",
        "Queue length | 14 | 12 | 11 | 🟢 Healthy | −86 (−88 to −84) | Its limit | 100 | 40 / 40",
        "Traffic split | 49.8 % | 50.2 % | – | 🟢 Healthy | – | – | 50 % | 18k / 18k",
        "Score drift | 0.06 | 0.04 | 0.03 | 🟢 Healthy | −0.14 (−0.15 to −0.13) | Its limit | 0.2 | 40 / 40",
      ]
    `);
  });

  it('needs no column for that where all are held against stable', () => {
    const [head] = rows(read(comparison({ metrics: [byKind.proportion, byKind.split] })));
    expect(head).toBe('Metric | Candidate | Stable | Before | Verdict | Change | Limit | Samples');
  });

  it('says it in the head where all are held against the same: after 100 % the past', () => {
    const [head] = rows(
      read(comparison({ metrics: [metric({ basis: 'past' })] }), { rollout: { exposurePercent: 100 } }),
    );
    expect(head).toBe('Metric | Candidate | Stable | Before | Verdict | Against before | Limit | Samples');
  });

  it('shows of a metric without a version label what is known: the whole service, before and now', () => {
    const lines = rows(read(comparison({ metrics: [byKind.gauge] })));
    expect(lines[0]).toBe('Metric | Yesterday | Now | Verdict | Change | Limit | Samples');
    expect(lines[1]).toContain('Memory | 2.1 GB | 2.15 GB | 🟢 Healthy | +0.05 GB');
  });

  it('of a service alone has no row for a split', () => {
    const text = read(comparison({ metrics: [byKind.proportion, { ...byKind.split, verdict: 'no-data' }] }), {
      rollout: null,
    });
    expect(rows(text).join()).not.toContain('Traffic split');
    expect(text).not.toContain('1 more metric');
  });

  it('calls what waits for its labels so, and nothing else', () => {
    const found = comparison({
      verdict: 'no-data',
      metrics: [waitingForLabels],
      missing: 'Precision: labels come 60 min late',
    });
    const text = read(found);
    expect(text).toContain('Precision | – | – | 93.4 % | ⏳ Waits for labels | – | – | –');
    expect(text).toContain('⏳ *Waits for labels*: Precision: labels come 60 min late. That is neither good nor bad.');
    const silent = { ...waitingForLabels, sentence: 'Precision: no data (Prometheus did not answer within 5 s).' };
    expect(read({ ...found, metrics: [silent] })).toContain('⚫ No data');
    const alsoSilent = {
      ...byKind.proportion,
      verdict: 'no-data' as const,
      sentence: 'Error rate: no data (it was not read).',
    };
    expect(read({ ...found, metrics: [waitingForLabels, alsoSilent] })).toContain('⚫ *No data*');
  });
});

describe('a change', () => {
  it.each<[string, MetricComparison, string]>([
    ['of failures', byKind.proportion, '2.06× (1.35×–2.87×)'],
    ['of successes, most of which succeed', byKind.labelled, '1.03× the failures (0.9×–1.18×)'],
    ['of successes, few of which succeed', conversion, '1.08× more (1.01×–1.15×)'],
    ['of a rate that is better high, and higher', byKind.rate, '1.08× more (1.01×–1.15×)'],
    [
      'of a rate that is better high, and lower',
      { ...byKind.rate, change: { estimate: 1.3, lower: 1.1, upper: 1.5 } },
      '1.3× fewer (1.1×–1.5×)',
    ],
    ['against an objective', byKind.objective, '1.2× what is allowed (0.8×–1.9×)'],
    ['as a difference', byKind.gauge, '+0.05 GB (−0.02 GB to +0.11 GB)'],
    [
      'as a difference, where more is better',
      { ...byKind.gauge, direction: 'higher-is-better' },
      '−0.05 GB (−0.11 GB to +0.02 GB)',
    ],
    ['of a distribution', byKind.drift, '–'],
    ['with no bound known', metric({ change: { estimate: 1.1, lower: 0, upper: 10_000 } }), '1.1× (too few events)'],
    [
      'with one bound known, where more is better',
      { ...byKind.rate, change: { estimate: 0.9, lower: 0, upper: 0.95 } },
      '1.11× more (at least 1.05×)',
    ],
    [
      'next to none, on its side of 1',
      metric({ change: { estimate: 0.999, lower: 0.99, upper: 0.9997 } }),
      '0.999× (0.99×–0.99970×)',
    ],
  ])('%s', (_what, found, words) => {
    expect(change(found)).toBe(words);
  });

  it('near all of it tells shares apart', () => {
    const share = { isShare: true, unit: '' };
    expect([0.9994, 0.9988, 0.99995, 0.931, 1, 0.5].map((value) => amount(share, value))).toEqual([
      '99.94 %',
      '99.88 %',
      '99.995 %',
      '93.1 %',
      '100 %',
      '50 %',
    ]);
  });
});

describe('where a metric carries no version label', () => {
  const found = comparison({ metrics: [byKind.proportion, byKind.gauge], canTellCommonCause: false });
  const line = 'ℹ️ Cannot tell by Memory whether stable is equally bad: it carries no version label.';

  it('the degradation card, its notification and the status say that common cause cannot be told', () => {
    expect(read(found)).toContain(line);
    const card = degradationCard(found);
    expect(draw({ kind: 'card', view: card }).text).toContain(line);
    expect(overview([{ policy: card.policy, state: card.state }]).text).toContain(line);
  });

  it('the status says so of a rollout without a question too', () => {
    const card = view('rollout', { degradation: null, rollout: { plan, comparison: found } });
    expect(overview([{ policy: card.policy, state: card.state }]).text).toContain(line);
  });

  it('where none carries one, it cannot be told at all', () => {
    expect(read({ ...found, metrics: [byKind.gauge, byKind.split] })).toContain(
      'ℹ️ Cannot tell whether stable is equally bad: Memory carries no version label.',
    );
  });

  it('says nothing of it where it can be told, or where there is no stable beside it', () => {
    expect(read({ ...found, canTellCommonCause: true })).not.toContain('Cannot tell');
    expect(read(found, { rollout: null })).not.toContain('Cannot tell');
    expect(read(found, { rollout: { exposurePercent: 100 } })).not.toContain('Cannot tell');
    expect(read({ ...found, commonCause: true })).not.toContain('Cannot tell');
  });

  it('marks its number as the whole service’s, and draws no candidate', () => {
    expect(read(found)).toContain('Memory | – | 2.15 GB (all) | 2.1 GB |');
    const chart = draw({ kind: 'card', view: degradationCard({ ...found, metrics: [byKind.gauge] }) }).blocks.find(
      (b) => b.type === 'data_visualization',
    );
    expect(strings(chart)).toContain('Whole service');
    expect(strings(chart)).not.toContain('Candidate');
  });
});

describe('what looks different and decides nothing', () => {
  const found = comparison({
    verdict: 'healthy',
    culprits: [],
    metrics: [byKind.latency, byKind.drift, byKind.objective, offSplit, byKind.proportion],
    warnings: ['latency', 'amount', 'availability', 'split', 'errors'],
  });
  const line =
    '👀 Looks different, decides nothing: Latency (not certain yet), Amount (drift), Availability (burning budget) and Traffic split (split not as configured)';

  it('is said in one small line on both cards; what is degraded is not said twice', () => {
    expect(read(found)).toContain(line);
    const card = view('rollout', { degradation: null, rollout: { plan, comparison: found } });
    const { blocks } = draw({ kind: 'card', view: card });
    expect(seen(blocks)).toContain(line);
    const block = blocks.find((b) => strings(b).some((text) => text.startsWith('👀 Looks different,')));
    expect(block?.type).toBe('context');
  });

  it('a score past its limit; nothing: no line', () => {
    expect(read(comparison({ metrics: [byKind['drift-score']], warnings: ['score_drift'] }))).toContain(
      'decides nothing: Score drift (past its limit)',
    );
    expect(read({ ...found, warnings: [] })).not.toContain('Looks different');
    const { warnings: _, ...older } = found;
    expect(read(older)).not.toContain('Looks different');
  });
});

it('the policy view says of each metric how it is judged, and of each step its gate', () => {
  const text = policyText(
    policy({
      steps: [
        {
          exposurePercent: 0,
          soakMs: HOUR,
          maxSoakMs: 2 * HOUR,
          gate: { ...abGate, name: 'copies', kind: 'shadow', objective: 'no-worse', metrics: [] },
        },
        { exposurePercent: 50, soakMs: HOUR, maxSoakMs: 2 * HOUR, gate: abGate },
        { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
      ],
      metrics: [
        ...definitions,
        {
          ...errorRate,
          name: 'availability',
          title: 'Availability',
          source: { kind: 'objective', bad: 'b', good: null, total: 't', allowed: 0.001 },
        },
        { ...errorRate, name: 'amount', title: 'Amount', weight: 0, source: { kind: 'drift', counts: 'c', by: 'bin' } },
        {
          ...errorRate,
          name: 'queue',
          title: 'Queue',
          unit: 'jobs',
          source: { kind: 'limit', value: 'v', limit: 100 },
        },
        { ...errorRate, name: 'split', title: 'Split', source: { kind: 'split', requests: 'r', slack: 0.1 } },
        { ...errorRate, name: 'held', title: 'Held', baseline: { kind: 'fixed', events: 1, exposure: 100 } },
      ],
    }),
  );
  expect(text).toContain(
    '*Steps* 0 % shadow (1 h, at most 2 h; gate copies) → 50 % (1 h, at most 2 h; A/B gate experiment, wants better on conversion) → 100 %',
  );
  for (const words of [
    'precision (up to 25 % worse, labels take 1 h)',
    'memory (up to 25 % worse, against 1 d before, no version label: before and after only)',
    'Availability (objective 99.9 %)',
    'Amount (distribution, warns only)',
    'Queue (limit 100 jobs)',
    'Split (split as set, 10 % slack)',
    'Held (up to 25 % worse, against a fixed baseline)',
  ]) {
    expect(text).toContain(words);
  }
});
