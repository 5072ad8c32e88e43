import { describe, expect, it } from 'vitest';
import { card, draw } from '../../src/slack/cards/index.ts';
import { buttons, seen } from './reading.ts';
import { ada, at, automatic, bob, comparison, ended, entry, inPhase, metric, rollback, view } from './states.ts';

type Scene = Parameters<typeof view>[1];
const quiet: Scene = { degradation: null, state: { degradation: null } };
const drawn = (scene: Scene = {}) => card(view('rollout', { ...quiet, ...scene }));
const read = (scene?: Scene) => seen(drawn(scene).blocks);
const labels = (scene?: Scene) => buttons(drawn(scene).blocks).map((b) => b.label);

const soaking = {
  name: 'advancing' as const,
  sinceMs: at(-5),
  stage: 'soaking' as const,
  soakUntilMs: at(5),
  maxSoakUntilMs: at(25),
};

describe('a rollout card', () => {
  it('shows the steps, the exposure, the next gate and what people can do', () => {
    expect(
      read({ rollout: inPhase(soaking, { comparison: comparison({ verdict: 'healthy' }) }) }),
    ).toMatchInlineSnapshot(`
      "🚀 fraud-scorer v42: Rolling out
      *\`v41\` → \`v42\`* · Scores card payments
      Started by @ada: new features · commit \`abc1234\`
      ✅ 10 %  ›  🔄 50 %  ›  ⬜ 100 %
      🔄 *50 %* of traffic on \`v42\` · step 2 of 3 (50 %) · next gate 12:05:00 UTC, at the latest 12:25:00 UTC
      Metric | Candidate | Stable | Before | Verdict | Change | Limit | Samples
      Error rate | 4.12 % | 2 % | 1.9 % | 🔴 Degraded | 2.06× (1.35×–2.87×) | 1.25× | 12.3k / 12.3k
      Slow answers | 0.22 s | 0.214 s | 0.21 s | 🟢 Healthy | +0.006 s (−0.01 s to +0.02 s) | +0.05 s | 880 / 900
      Gate: 🟢 Healthy
      [Roll back] [Hold] [Promote]
      📖 <https://runbooks.example.com/fraud|Runbook> · 📈 <https://grafana.example.com/d/fraud|Dashboard> / \`fraud-scorer-r3\` · since 2026-11-21 11:40:00 UTC · policy \`fraud-scorer@rev1\`"
    `);
    expect(labels({ rollout: inPhase(soaking) })).toEqual(['Roll back', 'Hold', 'Promote']);
  });

  it('at 0 % it can be cancelled instead of rolled back', () => {
    const shifting = { ...soaking, stage: 'shifting' as const };
    expect(labels({ rollout: inPhase(shifting, { exposurePercent: 0, step: 0 }) })).toEqual(['Cancel rollout', 'Hold']);
  });

  it('sends people to the card of an open degradation, and offers no second place to answer', () => {
    const scene = { degradation: {}, state: {} };
    const blocks = card(view('rollout', scene)).blocks;
    expect(buttons(blocks)).toEqual([]);
    expect(seen(blocks)).toContain('answer on its own card');
  });

  it('marks all steps done while it is watched', () => {
    const scene = {
      rollout: inPhase({ name: 'watching', sinceMs: at(0), untilMs: at(60) }, { exposurePercent: 100, step: 2 }),
    };
    expect(read(scene)).toContain('✅ 10 %  ›  ✅ 50 %  ›  ✅ 100 %');
    expect(labels(scene)).toEqual(['Roll back']);
  });

  it.each([
    ['rolled_back' as const, 'Rolled back'],
    ['succeeded' as const, 'Succeeded'],
    ['cancelled' as const, 'Cancelled'],
  ])('%s: ended, without buttons', (name, words) => {
    const scene = { rollout: inPhase({ name, atMs: at(30), reason: 'all well' }) };
    expect(labels(scene)).toEqual([]);
    expect(read(scene)).toContain(words);
    expect(read(scene)).toContain('12:30:00 UTC');
  });

  it('once rolled back: every step it had reached, and no numbers from after the way back', () => {
    const text = read({
      rollout: inPhase(
        { name: 'rolled_back', atMs: at(12), reason: '' },
        { exposurePercent: 0, comparison: comparison({ verdict: 'no-data' }) },
      ),
    });
    expect(text).toContain('✅ 10 %  ›  ✅ 50 %  ›  ⬜ 100 %');
    expect(text).not.toMatch(/Gate:|No data/);
  });

  it('rolling back without a degradation: pause or 0 % now', () => {
    expect(labels({ rollout: inPhase({ name: 'rolling_back', sinceMs: at(4), rollback: rollback() }) })).toEqual([
      'Pause here',
      'To 0 % now',
    ]);
  });

  it('paused on the way back: resume or 0 % now', () => {
    const phase = { name: 'holding' as const, sinceMs: at(4), untilMs: null, by: ada, reason: '', during: rollback() };
    expect(labels({ rollout: inPhase(phase) })).toEqual(['Resume', 'To 0 % now']);
    expect(read({ rollout: inPhase(phase) })).toContain('until somebody resumes');
  });

  it('counts votes against the quorum', () => {
    expect(read({ rollout: inPhase(soaking, { votes: [{ by: bob, atMs: at(1) }] }) })).toContain(
      'Promote all steps: 1 of 2 (<@U0BOB0000>)',
    );
  });

  it('says everything in its fallback text', () => {
    expect(drawn({ rollout: inPhase(soaking) }).text).toBe(
      '🚀 fraud-scorer v42: Rolling out. 50 % of traffic on v42, stable is v41. Started by @ada. Answers: Roll back, Hold and Promote.',
    );
  });
});

describe('a line in the thread', () => {
  it("is the entry's sentence with what kind it is", () => {
    const { text, blocks } = draw({ kind: 'entry', entry: entry() });
    expect(text).toBe('⏪ @ada takes fraud-scorer back to v41: 50 % → 10 % → 0 %. Reason: errors doubled');
    expect(seen(blocks)).toBe(text);
  });

  it('notifies nobody, whatever a reason says', () => {
    const { text, blocks } = draw({ kind: 'entry', entry: entry({ text: 'Reason: <!channel> & <@U1>' }) });
    expect(text).toBe('⏪ Reason: &lt;!channel&gt; &amp; &lt;@U1&gt;');
    expect(JSON.stringify(blocks)).not.toContain('<!');
  });
});

describe('the report', () => {
  const at4 = comparison({ metrics: [metric({ candidateNow: { value: 0.05, samples: 1000 } })] });
  const at12 = comparison({ metrics: [metric({ candidateNow: { value: null, samples: 0 }, verdict: 'no-data' })] });
  const shown = view('degradation', {
    rollout: inPhase({ name: 'rolled_back', atMs: at(12), reason: '' }, { exposurePercent: 0 }),
    degradation: {
      stage: ended('rolled-back'),
      decision: { by: automatic, action: 'Rolled back', reason: 'nobody answered', atMs: at(4) },
      milestones: [
        { what: 'opened', atMs: at(0), exposurePercent: 50, comparison: comparison() },
        { what: 'decided', atMs: at(4), exposurePercent: 50, comparison: at4 },
        { what: 'ended', atMs: at(12), exposurePercent: 0, comparison: at12 },
      ],
    },
  });
  const journal = [
    entry({ atMs: at(4) }),
    entry({ atMs: at(0), what: 'question-opened', text: 'HighErrorRate (critical) fires' }),
  ];

  it('tells who decided, how long it took, the numbers at each moment, and the timeline from the beginning', () => {
    expect(seen(draw({ kind: 'report', view: shown, journal }).blocks)).toMatchInlineSnapshot(`
      "Report: ⏪ fraud-scorer v42: Rolled back
      *Decided by* automation (fraud-scorer@rev1) (Rolled back): nobody answered
      *Times* opened 2026-11-21 12:00:00 UTC, decided after 4 min, over after 12 min, nobody was paged
      *Versions* \`v41\` (stable), \`v42\` (candidate); exposure 10 % → 50 %
      Metric | Before | Opened (50 %) | Decided (50 %) | Ended (0 %)
      Error rate | 1.9 % | 4.12 % / 2 % | 5 % / 2 % | – / 2 %
      Slow answers | 0.21 s | 0.22 s / 0.214 s | – | –
      Candidate / stable at each moment
      *Timeline*
      12:00:00 UTC 🔴 HighErrorRate (critical) fires
      12:04:00 UTC ⏪ @ada takes fraud-scorer back to v41: 50 % → 10 % → 0 %. Reason: errors doubled
      \`fraud-scorer-d5\` · policy \`fraud-scorer@rev1\`"
    `);
  });

  it('of a rollout without a degradation it tells the steps and the duration', () => {
    const good = view('rollout', {
      ...quiet,
      rollout: inPhase({ name: 'succeeded', atMs: at(60), reason: '' }, { exposurePercent: 100 }),
    });
    const text = seen(draw({ kind: 'report', view: good, journal: [entry({ atMs: at(60) })] }).blocks);
    expect(text).toContain('Report: ✅ fraud-scorer v42: Succeeded');
    expect(text).toContain('*Duration* 1 h 20 min, started by @ada');
    expect(text).toContain('10 % → 50 %');
  });

  it('of a long journal it keeps the beginning and the end, and says what it left out', () => {
    const long = Array.from({ length: 300 }, (_, i) => entry({ atMs: at(i), text: `line ${i} ${'x'.repeat(100)}` }));
    const text = seen(draw({ kind: 'report', view: shown, journal: long }).blocks);
    expect(text).toContain('line 0 ');
    expect(text).toContain('line 299 ');
    expect(text).toMatch(/…\d+ more, see `\/rollout history`/);
  });
});
