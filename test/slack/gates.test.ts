import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Rollout } from '../../src/domain/state.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { overview } from '../../src/slack/commands/status.ts';
import { form } from '../../src/slack/views/form.ts';
import { validateMessage } from '../../src/workspace/index.ts';
import { abGate, byKind, conversion, gated, gatedSteps, offSplit, soaking, waitingForLabels } from './kinds.ts';
import { seen } from './reading.ts';
import { ada, at, comparison, entry, metric, nasty, rollback, view } from './states.ts';

const healthy = metric({ verdict: 'healthy', kind: 'proportion', basis: 'stable' });
const shown = (rollout: Partial<Rollout>) => view('rollout', { degradation: null, rollout });
const read = (rollout: Partial<Rollout>) => seen(draw({ kind: 'card', view: shown(rollout) }).blocks);
const experiment = (patch: Parameters<typeof gated>[1], more: Partial<Rollout> = {}) =>
  gated(2, { metrics: [healthy, conversion, byKind.split], ...patch }, more);

describe('the steps', () => {
  it('stand in lines of their own, each with its gate by name', () => {
    expect(read(experiment({}))).toContain(
      [
        '✅ 0 % shadow · gate shadow-check',
        '✅ 10 %',
        '🔄 50 % · A/B gate experiment, wants better',
        '⬜ 100 %',
        '🔄 *50 %* of traffic on `v42` · step 3 of 4 (50 % A/B) · next gate 12:05:00 UTC, at the latest 12:25:00 UTC',
      ].join('\n'),
    );
  });

  it('a shadow that was ended in was not passed', () => {
    const cancelled = gated(0, null, { phase: { name: 'cancelled', atMs: at(1), reason: '' } });
    expect(read(cancelled)).toContain('⬜ 0 % shadow · gate shadow-check\n⬜ 10 %');
    const later = gated(1, null, { phase: { name: 'rolled_back', atMs: at(1), reason: '' } });
    expect(read(later)).toContain('✅ 0 % shadow · gate shadow-check\n✅ 10 %\n⬜ 50 %');
  });
});

describe('what the gate waits for', () => {
  const waits = (patch: Parameters<typeof gated>[1]) => /🚦.*/.exec(read(experiment(patch)))?.[0];

  it.each<[string, Parameters<typeof gated>[1], string]>([
    ['something better', {}, 'Conversion to be better'],
    ['nothing more', { improved: ['conversion'] }, ''],
    [
      'the split',
      { improved: ['conversion'], metrics: [conversion, offSplit], warnings: ['split'] },
      'the split to be as configured',
    ],
    [
      'certainty',
      { metrics: [{ ...conversion, verdict: 'inconclusive' }, byKind.split] },
      'more certainty about Conversion and Conversion to be better',
    ],
    [
      'numbers',
      { metrics: [{ ...conversion, verdict: 'no-data' }], improved: ['conversion'] },
      'numbers of Conversion',
    ],
    ['what was not read', { metrics: [healthy], improved: [] }, 'numbers of conversion and any metric to be better'],
    [
      'a recovery, whichever is degraded',
      { metrics: [conversion, metric({ kind: 'proportion' })], improved: ['conversion'] },
      'a recovery of Error rate',
    ],
  ])('%s', (_what, patch, words) => {
    const expected = words === '' ? 'all it asks for is there' : `waits for ${words}`;
    expect(waits(patch)).toBe(`🚦 A/B gate experiment, wants better: ${expected}`);
  });

  it('labels, where the policy says that they come late', () => {
    const { plan } = gated(0, null);
    const steps = [
      {
        ...gatedSteps[0]!,
        gate: { ...abGate, kind: 'shadow', objective: 'no-worse', metrics: ['precision'] } as const,
      },
    ];
    const late = gated(0, { metrics: [waitingForLabels], verdict: 'no-data' }, { plan: { ...plan!, steps } });
    expect(read(late)).toContain('🚦 Gate experiment: waits for labels of Precision');
  });

  it('the first numbers', () => {
    expect(read(gated(2, null))).toContain('waits for the first numbers');
  });

  it('is said only while the step soaks, and only of gates with a name', () => {
    expect(read(experiment({}, { phase: { ...soaking, stage: 'shifting' } as never }))).not.toContain('🚦');
    expect(read(gated(1, { metrics: [healthy] }))).not.toContain('🚦');
    expect(read(gated(1, { metrics: [healthy] }))).toContain('Gate: 🟢 Healthy');
  });
});

it('the notification of the card says what it waits for', () => {
  expect(draw({ kind: 'card', view: shown(experiment({})) }).text).toContain(
    '🚦 A/B gate experiment, wants better: waits for Conversion to be better. Started by @ada.',
  );
});

describe('an A/B test', () => {
  it('says how traffic is split and was counted, and each result with its interval', () => {
    expect(read(experiment({ improved: ['conversion'] }))).toContain(
      [
        '⚖️ *A/B* `v42` 50 % / `v41` 50 % as configured; counted 49.8 % / 50.2 %',
        '• Conversion 4.1 % vs 3.8 %: 1.08× more (1.01×–1.15×), better',
      ].join('\n'),
    );
    expect(read(experiment({}))).toContain('(1.01×–1.15×), no worse');
  });

  it('says that the split is off, and that nothing follows then', () => {
    const text = read(experiment({ metrics: [conversion, offSplit], warnings: ['split'], improved: ['conversion'] }));
    expect(text).toContain('counted 44.0 % / 56.0 %');
    expect(text).toContain(
      '⚠️ Traffic split: the split is not as configured: 44.0 % instead of 50 % of 10,000 requests. What is compared over it proves nothing.',
    );
    expect(text).not.toContain('decides nothing');
    expect(read(experiment({}))).not.toContain('not as configured');
  });

  it('stands on the card of a question and in the status too, while it is under way', () => {
    const deciding = experiment({}, { phase: { name: 'deciding', sinceMs: at(0), during: 'advancing' } });
    const card = view('degradation', { rollout: deciding });
    expect(seen(draw({ kind: 'card', view: card }).blocks)).toContain('⚖️ *A/B*');
    const { policy, state } = shown(experiment({}));
    const status = overview([{ policy, state }]).text;
    expect(status).toContain('🚦 A/B gate experiment, wants better: waits for Conversion to be better');
    expect(status).toContain('⚖️ *A/B* `v42` 50 %');
    const back = experiment({}, { phase: { name: 'rolling_back', sinceMs: at(0), rollback: rollback() } });
    expect(read(back)).not.toContain('⚖️');
  });
});

it('a shadow says that the candidate answers nobody', () => {
  const text = read(gated(0, { metrics: [healthy] }));
  expect(text).toContain('👥 *Shadow* `v42` gets copies of the traffic and answers nobody');
  expect(text).toContain('step 1 of 4 (0 % shadow)');
  expect(text).toContain('🚦 Gate shadow-check: all it asks for is there');
});

describe('a question the gate opened', () => {
  const asked = (
    signal: { kind: 'gate-undecided'; verdict: 'not-better' } | { kind: 'gate-failed'; culprits: string[] },
  ) =>
    seen(
      draw({
        kind: 'card',
        view: view('degradation', { rollout: experiment({}), degradation: { signals: [{ ...signal, atMs: at(0) }] } }),
      }).blocks,
    );

  it('names it', () => {
    expect(asked({ kind: 'gate-failed', culprits: ['errors'] })).toContain(
      '🚧 The A/B gate experiment did not pass: errors',
    );
    expect(asked({ kind: 'gate-undecided', verdict: 'not-better' })).toContain(
      '🚧 The A/B gate experiment asks for better: the candidate is no worse',
    );
  });
});

describe('the modal of Promote', () => {
  const modal = (rollout: Partial<Rollout>) => {
    const { policy, state } = shown(rollout);
    return JSON.stringify(
      form({ service: 's', command: 'promote', binding: 'b', channel: 'C1' }, { policy, state }).blocks,
    );
  };

  it('says that a gate has not passed, and which one comes next', () => {
    expect(modal(experiment({}))).toContain(
      'The A/B gate experiment, wants better has not passed: this goes on without it.',
    );
    expect(modal(experiment({ improved: ['conversion'] }))).not.toContain('has not passed');
    expect(modal(gated(1, { metrics: [healthy] }))).toContain(
      'The next step is *50 %* (A/B gate experiment, wants better).',
    );
  });
});

describe('the report', () => {
  const passed = (name: string, patch: Partial<JournalEntry> = {}) =>
    entry({
      what: 'gate-passed',
      atMs: at(5),
      text: `The gate ${name} at 50 % passed: nothing is worse than its limit.`,
      ...patch,
    });
  const report = (rollout: Partial<Rollout>, journal: JournalEntry[]) =>
    seen(draw({ kind: 'report', view: shown(rollout), journal }).blocks);
  const succeeded = (step = 3) =>
    gated(step, { metrics: [healthy, conversion] }, { phase: { name: 'succeeded', atMs: at(60), reason: '' } });

  it('names the gates and what came of them', () => {
    const numbers = [{ metric: 'conversion', verdict: 'healthy', stable: 0.038, candidate: 0.041 }];
    const journal = [
      passed('shadow-check', { atMs: at(-15) }),
      passed('experiment', {
        text: 'The gate experiment at 50 % passed: Conversion got better; nothing is worse than its limit.',
        numbers,
      }),
    ];
    expect(report(succeeded(), journal)).toContain(
      [
        '*Gates*',
        '• Gate shadow-check (0 % shadow): ✅ passed 11:45:00 UTC',
        '• A/B gate experiment (50 %): ✅ passed 12:05:00 UTC; Conversion 4.1 % vs 3.8 %; Conversion got better',
      ].join('\n'),
    );
  });

  it('says where a person went on without, where it failed, and what was never reached', () => {
    expect(report(succeeded(), [passed('shadow-check')])).toContain(
      '• A/B gate experiment (50 %): ⏩ not passed: a person went on',
    );
    const failed = entry({
      what: 'question-opened',
      atMs: at(2),
      text: 'The gate experiment failed: errors got worse than allowed.',
    });
    const back = gated(2, null, { phase: { name: 'rolled_back', atMs: at(9), reason: '' } });
    expect(report(back, [passed('shadow-check'), failed])).toContain(
      '• A/B gate experiment (50 %): 🔴 did not pass 12:02:00 UTC: The gate experiment failed: errors got worse than allowed.',
    );
    const early = gated(0, null, { phase: { name: 'cancelled', atMs: at(9), reason: '' } });
    const text = report(early, []);
    expect(text).toContain('• Gate shadow-check (0 % shadow): ⏹️ not passed: it ended at 0 %');
    expect(text).toContain('• A/B gate experiment (50 %): ⬜ not reached');
  });

  it('of a policy without names says nothing of gates', () => {
    expect(report({ phase: { name: 'succeeded', atMs: at(60), reason: '' } }, [])).not.toContain('*Gates*');
  });
});

it('sixty steps with gates as long and strange as they get keep within the limits, and notify nobody', () => {
  const gate = { ...abGate, name: nasty(500), metrics: Array.from({ length: 50 }, () => nasty(500)) };
  const steps = Array.from({ length: 60 }, (_, i) => ({ exposurePercent: i, soakMs: 1, maxSoakMs: 1, gate }));
  const metrics = Array.from({ length: 50 }, (_, i) =>
    metric({ metric: `m${i}`, title: nasty(500), kind: 'split', sentence: nasty(5000) }),
  );
  const found = comparison({ metrics, warnings: metrics.map((m) => m.metric), canTellCommonCause: false });
  const { plan } = gated(0, null);
  const worst = gated(2, found, { plan: { ...plan!, steps }, comparison: found, startedBy: ada });
  const passed = entry({ what: 'gate-passed', text: `The gate ${gate.name} passed: ${nasty(5000)} got better` });
  for (const drawing of [
    draw({ kind: 'card', view: shown(worst) }),
    draw({ kind: 'card', view: view('degradation', { rollout: worst, degradation: { comparison: found } }) }),
    draw({ kind: 'report', view: shown(worst), journal: [passed] }),
  ]) {
    expect(validateMessage(drawing.blocks)).toBeNull();
    expect(JSON.stringify(drawing)).not.toMatch(/<!(?!date\^)/);
  }
});
