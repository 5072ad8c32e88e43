import { describe, expect, it } from 'vitest';
import { binding } from '../../src/domain/binding.ts';
import { card } from '../../src/slack/cards/index.ts';
import { servedFor } from '../support/policy.ts';
import { buttons, seen } from './reading.ts';
import {
  ada,
  alert,
  at,
  automatic,
  bob,
  comparison,
  ended,
  inPhase,
  latency,
  metric,
  metrics,
  rollback,
  rollout,
  view,
} from './states.ts';

const labels = (scene: Parameters<typeof view>[1]) =>
  buttons(card(view('degradation', scene)).blocks).map((b) => b.label);
const read = (scene: Parameters<typeof view>[1]) => seen(card(view('degradation', scene)).blocks);

describe('a degradation card while people decide', () => {
  const drawn = card(view('degradation'));

  it('reads from top to bottom: state, impact, numbers, chart, phase, buttons, context', () => {
    expect(seen(drawn.blocks)).toMatchInlineSnapshot(`
      "🔴 fraud-scorer v42: Degraded, decision needed
      🔴 *Error rate 4.1 % vs 2.0 % on stable: 2.1× (1.35×–2.87×), above the 1.25× limit.*
      🔥 HighErrorRate: Error rate of fraud-scorer above 3 %
      Metric | Candidate | Stable | Before | Verdict | Change | Limit | Samples
      Error rate | 4.12 % | 2 % | 1.9 % | 🔴 Degraded | 2.06× (1.35×–2.87×) | 1.25× | 12.3k / 12.3k
      Slow answers | 0.22 s | 0.214 s | 0.21 s | 🟢 Healthy | +0.006 s (−0.01 s to +0.02 s) | +0.05 s | 880 / 900
      🔴 Degraded · score 21 of 100 · measured 12:03:00 UTC
      (chart: Error rate over time)
      ⏸️ *50 %* of traffic on \`v42\` · step 2 of 3 (50 %) · stays there while people decide
      ⏰ *Automatic rollback at 12:15:00 UTC* unless someone acts
      [Roll back] [Hold] [Promote] [Extend] [Acknowledge]
      <https://prometheus.example.com/graph?g0.expr=up&amp;g0.tab=1|HighErrorRate> 🔥 firing since 12:00:00 UTC / 📖 <https://runbooks.example.com/fraud|Runbook> · 📈 <https://grafana.example.com/d/fraud|Dashboard> / \`fraud-scorer-d5\` · since 2026-11-21 12:00:00 UTC · policy \`fraud-scorer@rev1\`"
    `);
  });

  it('has its blocks in that order', () => {
    expect(drawn.blocks.map((b) => b.type)).toEqual([
      'header',
      'section',
      'table',
      'context',
      'data_visualization',
      'section',
      'actions',
      'context',
    ]);
  });

  it('stands numbers of the table to the right and the worst metric first', () => {
    const table = drawn.blocks.find((b) => b.type === 'table') as unknown as {
      column_settings: { align: string }[];
      rows: { text: string }[][];
    };
    expect(table.column_settings.map((c) => c.align)).toEqual([
      'left',
      'right',
      'right',
      'right',
      'left',
      'right',
      'right',
      'right',
    ]);
    expect(table.rows.map((row) => row[0]?.text)).toEqual(['Metric', 'Error rate', 'Slow answers']);
  });

  it('offers roll back as the only dangerous button', () => {
    expect(buttons(drawn.blocks).map((b) => [b.label, b.style, b.actionId])).toEqual([
      ['Roll back', 'danger', 'rollout:rollback'],
      ['Hold', undefined, 'rollout:hold'],
      ['Promote', undefined, 'rollout:promote'],
      ['Extend', undefined, 'rollout:extend'],
      ['Acknowledge', undefined, 'rollout:acknowledge'],
    ]);
  });

  it('binds each button to the state it was drawn for', () => {
    const shown = view('degradation');
    for (const button of buttons(card(shown).blocks)) {
      const command = button.actionId.replace('rollout:', '') as 'rollback';
      expect(JSON.parse(button.value)).toEqual({
        service: 'fraud-scorer',
        binding: binding(shown.state, command),
      });
    }
  });

  it('says everything in its fallback text too', () => {
    expect(drawn.text).toMatchInlineSnapshot(
      `"🔴 fraud-scorer v42: Degraded, decision needed. 🔴 Error rate 4.1 % vs 2.0 % on stable: 2.1× (1.35×–2.87×), above the 1.25× limit. 🔥 HighErrorRate: Error rate of fraud-scorer above 3 %. 50 % of traffic on v42. Automatic rollback at 12:15:00 UTC unless someone acts. Answers: Roll back, Hold, Promote, Extend and Acknowledge."`,
    );
  });

  it('charts the worst metric, stable against candidate, in per cent', () => {
    const chart = drawn.blocks.find((b) => b.type === 'data_visualization');
    expect(chart).toMatchObject({
      title: 'Error rate over time',
      chart: {
        type: 'line',
        series: [
          { name: 'Stable', data: [{ label: '12:00:00', value: 2 }, {}, {}, {}] },
          { name: 'Candidate', data: [{ label: '12:00:00', value: 3 }, {}, {}, { label: '12:03:00', value: 4.5 }] },
        ],
        axis_config: { categories: ['12:00:00', '12:01:00', '12:02:00', '12:03:00'], y_label: 'Error rate (%)' },
      },
    });
  });

  it('leaves windows without a number out of the chart: a gap is not a zero', () => {
    const line = [1, 2, 3].map((i) => ({ endMs: at(i), stable: 0.02, candidate: i === 2 ? null : 0.04 }));
    const { blocks } = card(
      view('degradation', { degradation: { comparison: comparison({ metrics: [metric({ line })] }) } }),
    );
    const chart = blocks.find((b) => b.type === 'data_visualization')?.chart;
    expect((chart as { axis_config: { categories: string[] } }).axis_config.categories).toEqual([
      '12:01:00',
      '12:03:00',
    ]);
  });
});

describe('a chart of one arm', () => {
  it('is drawn where the other has no numbers: after 100 % stable has no traffic', () => {
    const line = [1, 2, 3].map((i) => ({ endMs: at(i), stable: null, candidate: 0.04 }));
    const { blocks } = card(
      view('degradation', { degradation: { comparison: comparison({ metrics: [metric({ line })] }) } }),
    );
    const chart = blocks.find((b) => b.type === 'data_visualization')?.chart;
    expect((chart as { series: { name: string }[] }).series.map((s) => s.name)).toEqual(['Candidate']);
  });
});

describe('what a degradation card says in each state', () => {
  it('is measuring before the comparison is there', () => {
    const text = read({ degradation: { comparison: null } });
    expect(text).toContain('Measuring…');
    expect(text).toContain('HighErrorRate: Error rate of fraud-scorer above 3 %');
    expect(labels({ degradation: { comparison: null } })).toContain('Roll back');
  });

  it('in grace it says when people will be asked', () => {
    expect(read({ degradation: { stage: { name: 'grace', untilMs: at(1) } } })).toContain(
      'If it lasts until 12:01:00 UTC, people are asked',
    );
  });

  it('says that a common cause is not cured by a rollback', () => {
    const text = read({ degradation: { comparison: comparison({ commonCause: true }) } });
    expect(text).toContain('Common cause');
    expect(text).toContain('a rollback will not help');
  });

  it('says no data, and why, and that it is neither good nor bad', () => {
    const missing = 'Prometheus did not answer within 5 s';
    const text = read({
      degradation: {
        comparison: comparison({ verdict: 'no-data', missing, metrics: [metric({ verdict: 'no-data' })] }),
      },
    });
    expect(text).toContain(`No data*: ${missing}. That is neither good nor bad.`);
    expect(text).toContain('⚫ No data');
  });

  it('says inconclusive in words', () => {
    const text = read({
      degradation: {
        comparison: comparison({ verdict: 'inconclusive', metrics: [metric({ verdict: 'inconclusive' })] }),
      },
    });
    expect(text).toContain('Inconclusive*: the numbers do not say yet');
  });

  it('names other degraded metrics beside the worst', () => {
    const text = read({ degradation: { comparison: comparison({ metrics: [metric(), latency('degraded')] }) } });
    expect(text).toContain('Slow answers is degraded too.');
  });

  it.each([
    ['observe', { policy: { mode: 'observe' as const } }, 'only says what it would have done'],
    [
      'automation off',
      { state: { automationOff: { by: ada, atMs: at(0), reason: 'odd' } } },
      'automation is switched off',
    ],
    ['frozen', { state: { freeze: { by: bob, atMs: at(0), reason: 'sale' } } }, 'pages and moves nothing'],
  ])('promises no automatic rollback under %s', (_name, scene, words) => {
    const text = read(scene);
    expect(text).toContain(words);
    expect(text).not.toContain('Automatic rollback');
  });

  it.each([
    ['no-data', {}, 'there are no numbers to go by'],
    ['healthy', {}, 'the numbers look healthy'],
    ['healthy', { commonCause: true }, 'stable is as bad as the candidate'],
  ] as const)(
    'promises no automatic rollback where, as it is measured now, there would be none: %s',
    (verdict, more, words) => {
      const text = read({ degradation: { comparison: comparison({ verdict, ...more }) } });
      expect(text).toContain(`As it stands Lastgood then holds and pages: ${words}`);
      expect(text).not.toContain('Automatic rollback');
    },
  );

  it('says who froze it and why, in the context', () => {
    expect(read({ state: { freeze: { by: bob, atMs: at(0), reason: 'sale' } } })).toContain('🧊 Frozen by @bob (sale)');
  });

  it('shows the page and the acknowledgement', () => {
    const text = read({
      degradation: {
        acknowledged: { by: ada, atMs: at(2), reason: '' },
        page: { state: 'acknowledged', atMs: at(6), by: 'Grace' },
      },
    });
    expect(text).toContain('<@U024BE7LH> is on it');
    expect(text).toContain('Acknowledged in PagerDuty by Grace');
    expect(labels({ degradation: { acknowledged: { by: ada, atMs: at(2), reason: '' } } })).not.toContain(
      'Acknowledge',
    );
  });

  it('offers no extension past the cap', () => {
    expect(labels({ degradation: { extendedMs: 90 * 60_000 } })).not.toContain('Extend');
  });

  it('recovering: the clock stands still, and says how much is left', () => {
    const stage = {
      name: 'recovering' as const,
      untilMs: at(5),
      remainingMs: 630_000,
      escalateRemainingMs: null,
      unasked: false,
      held: null,
    };
    expect(read({ degradation: { stage } })).toContain('10 min 30 s left');
  });

  it('at the deadline it says that it measures once more', () => {
    const text = read({
      degradation: { stage: { name: 'asking', deadlineMs: at(15), escalateAtMs: null, measuring: true } },
    });
    expect(text).toContain('measured once more, then decided');
    expect(text).not.toContain('Automatic rollback at');
  });

  it('held: a person is needed, and why', () => {
    const text = read({ degradation: { stage: { name: 'held', why: 'no-data' } } });
    expect(text).toContain('A person is needed');
    expect(text).toContain('no numbers to go by');
  });

  it('rolling back: shows the phase, and offers a pause and 0 % now', () => {
    const scene = {
      rollout: inPhase({ name: 'rolling_back', sinceMs: at(4), rollback: rollback() }),
      degradation: {
        stage: { name: 'decided' as const },
        decision: { by: ada, action: 'Rolled back', reason: 'errors doubled', atMs: at(4) },
      },
    };
    expect(read(scene)).toContain('rolling back, phase 1 of 2 (10 %), next phase 12:05:00 UTC');
    expect(read(scene)).toContain('☑️ *Rolled back by <@U024BE7LH> · 12:04:00 UTC · errors doubled*');
    expect(labels(scene)).toEqual(['Pause here', 'To 0 % now']);
    const values = buttons(card(view('degradation', scene)).blocks).map((b) => JSON.parse(b.value).pace);
    expect(values).toEqual([undefined, 'at-once']);
  });

  it('on its way to 0 % there is nothing left to hasten', () => {
    const phase = { name: 'rolling_back' as const, sinceMs: at(4), rollback: rollback({ phase: 1 }) };
    expect(labels({ rollout: inPhase(phase), degradation: { stage: { name: 'decided' } } })).toEqual(['Pause here']);
  });

  it('holding: resume or roll back', () => {
    const phase = {
      name: 'holding' as const,
      sinceMs: at(3),
      untilMs: at(33),
      by: ada,
      reason: 'looking',
      during: 'advancing' as const,
    };
    const scene = {
      rollout: inPhase(phase),
      degradation: { stage: { name: 'held' as const, why: 'person' as const } },
    };
    expect(labels(scene).slice(0, 2)).toEqual(['Resume', 'Roll back']);
    expect(read(scene)).toContain('held by <@U024BE7LH> until 12:33:00 UTC, then it asks again: looking');
  });

  it('stuck: says why, and offers to try again or to roll back', () => {
    const phase = {
      name: 'stuck' as const,
      sinceMs: at(3),
      reason: 'v41 is not ready: 0 of 3 instances',
      during: rollback(),
    };
    const scene = { rollout: inPhase(phase), degradation: { stage: { name: 'held' as const, why: 'stuck' as const } } };
    expect(labels(scene).slice(0, 2)).toEqual(['Try again', 'Roll back']);
    expect(read(scene)).toContain('v41 is not ready: 0 of 3 instances');
    expect(read(scene)).toContain('🚨 fraud-scorer v42: Stuck, a person is needed');
  });

  it('ended: who decided stands where the buttons were', () => {
    const scene = {
      rollout: inPhase({ name: 'rolled_back', atMs: at(12), reason: '' }, { exposurePercent: 0 }),
      degradation: {
        stage: ended('rolled-back'),
        decision: { by: automatic, action: 'Rolled back', reason: '', atMs: at(4) },
      },
    };
    expect(labels(scene)).toEqual([]);
    expect(read(scene)).toContain(
      '⏪ *Rolled back by automation (fraud-scorer@rev1) · 12:04:00 UTC*\nEnded 12:12:00 UTC',
    );
    expect(read(scene)).toContain('⏪ fraud-scorer v42: Rolled back');
  });

  it('a card that is no longer the current one has no buttons and says so', () => {
    expect(labels({ current: false })).toEqual([]);
    expect(read({ current: false })).toContain('A later card has taken over');
  });

  it('without a rollout: the past stands for stable, and people can roll back or dismiss', () => {
    const scene = { rollout: null };
    expect(labels(scene)).toEqual(['Roll back', 'Extend', 'Acknowledge', 'Dismiss']);
    const text = read(scene);
    expect(text).toContain('Metric | Last week | Now | Verdict | Change | Limit | Samples');
    expect(text).toContain('🔴 fraud-scorer v41: Degraded');
    expect(text).toContain('Without a rollout it moves nothing by itself');
  });

  it('without a rollout: what changed last, and by whose rollout', () => {
    const served = [servedFor('v40', at(-900), at(-75)), servedFor('v41', at(-75), null)];
    const last = rollout({ candidate: { id: 'v41' }, phase: { name: 'succeeded', atMs: at(-5), reason: '' } });
    expect(read({ rollout: null, state: { served, rollout: last } })).toContain(
      '*Changed last*: `v41` took over from `v40` 2026-11-21 10:45:00 UTC, 1 h 15 min before this (`fraud-scorer-r3`, started by @ada)',
    );
    expect(read({ rollout: null, state: { served: [], rollout: null } })).toContain(
      'has not seen any version take over',
    );
    expect(read({})).not.toContain('Changed last');
  });

  it('says how many alerts fire beyond those it names', () => {
    const alerts = Array.from({ length: 9 }, (_, i) => alert({ fingerprint: `f${i}`, name: `Alert${i}` }));
    const signals = alerts.map((a) => ({
      kind: 'alert' as const,
      fingerprint: a.fingerprint,
      name: a.name,
      severity: a.severity,
      atMs: at(0),
    }));
    expect(read({ state: { alerts }, degradation: { signals } })).toContain('…and 3 more alerts');
  });

  it('says how many metrics the table has no room for', () => {
    const many = metrics(50, { title: 'A', unit: '', sentence: 's' }).map((m, i) => ({
      ...m,
      verdict: i < 20 ? ('degraded' as const) : ('healthy' as const),
    }));
    expect(read({ degradation: { comparison: comparison({ metrics: many }) } })).toMatch(
      /…and (\d+) more metrics: \d+ degraded, 30 healthy/,
    );
  });
});

describe('drawing', () => {
  it('is a function of the view: the same view gives the same blocks', () => {
    expect(card(view('degradation'))).toEqual(card(view('degradation')));
  });

  it('gives every block a fresh id as soon as anything changed', () => {
    const ids = (blocks: readonly { block_id?: string }[]) => blocks.map((b) => b.block_id);
    const before = ids(card(view('degradation')).blocks);
    const after = ids(card(view('degradation', { degradation: { extendedMs: 600_000 } })).blocks);
    const moved = ids(card(view('degradation', { rollout: { exposurePercent: 51 } })).blocks);
    expect(new Set(before).size).toBe(before.length);
    expect(before.filter((id) => moved.includes(id))).toEqual([]);
    expect(before.filter((id) => after.includes(id))).toEqual([]);
  });
});
