import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DegradationOutcome, DegradationStage, Phase, Rollout } from '../../src/domain/state.ts';
import { card } from '../../src/slack/cards/index.ts';
import { degradationHeadline, rolloutHeadline } from '../../src/slack/cards/title.ts';
import { answerTyped, SUBCOMMANDS } from '../../src/slack/commands/index.ts';
import { pastMoment } from '../../src/slack/commands/moment.ts';
import { buttons } from './reading.ts';
import { FakeApplication } from './stage.ts';
import { ada, asking, at, degradation, ended, NOON, policy, rollback, rollout, state, view } from './states.ts';

const text = readFileSync(new URL('../../docs/slack.md', import.meta.url), 'utf8');
const spans = [...text.matchAll(/`([^`\n]+)`/g)].map((found) => found[1] ?? '');
const examples = spans.filter((span) => span.startsWith('/rollout ') && !span.includes('…'));

describe('docs/slack.md', () => {
  it.each(SUBCOMMANDS.map((one) => one.name))('has an example of `/rollout %s`', (name) => {
    expect(examples.filter((example) => example.split(' ')[1] === name)).not.toEqual([]);
  });

  it.each(examples)('`%s` is understood', async (example) => {
    const application = new FakeApplication();
    application.all = ['fraud-scorer', 'ranker'].map((service) => ({
      policy: policy({ service }),
      state: state({ service }),
    }));
    const reply = await answerTyped(example.replace('/rollout ', ''), {
      application,
      actor: ada,
      key: 'k',
      slash: '/rollout',
      nowMs: NOON,
    });
    expect(reply.text).not.toMatch(/^❓/);
  });

  it('names every flag there is', () => {
    for (const flag of SUBCOMMANDS.flatMap((one) => Object.keys(one.flags))) expect(text).toContain(`--${flag}`);
  });

  it('shows times that --before takes', () => {
    const [, part = ''] = text.split('It takes\n');
    const rows = part.split('What could be meant')[0] ?? '';
    const times = [...rows.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? '');
    expect(times.length).toBeGreaterThan(6);
    for (const time of times) expect([time, pastMoment(time, NOON)]).toEqual([time, { atMs: expect.any(Number) }]);
  });

  const back = rollback();
  const advancing = { name: 'advancing', sinceMs: 0, soakUntilMs: 0, maxSoakUntilMs: 0 } as const;
  const phases: Phase[] = [
    { ...advancing, stage: 'warming' },
    { ...advancing, stage: 'soaking' },
    { name: 'deciding', sinceMs: 0, during: 'advancing' },
    { name: 'holding', sinceMs: 0, untilMs: null, by: ada, reason: '', during: 'advancing' },
    { name: 'watching', sinceMs: 0, untilMs: 1 },
    { name: 'rolling_back', sinceMs: 0, rollback: back },
    { name: 'verifying', sinceMs: 0, soakUntilMs: 1, maxSoakUntilMs: 2, rollback: back },
    { name: 'stuck', sinceMs: 0, reason: '', during: 'advancing' },
    ...(['succeeded', 'rolled_back', 'cancelled'] as const).map((name) => ({ name, atMs: 0, reason: '' })),
  ];
  it.each(phases.map((phase) => [phase.name, phase] as const))(
    'says what the card of a rollout means: %s',
    (_n, phase) => {
      const { emoji, words } = rolloutHeadline(rollout({ phase }));
      expect(text).toContain(`${emoji} ${words}`);
    },
  );

  const outcomes: DegradationOutcome[] = [
    'recovered',
    'rolled-back',
    'promoted',
    'cancelled',
    'superseded',
    'dismissed',
  ];
  const stages: DegradationStage[] = [
    { name: 'grace', untilMs: 1 },
    asking,
    { name: 'recovering', untilMs: 1, remainingMs: 1, escalateRemainingMs: null, unasked: false, held: null },
    { name: 'decided' },
    { name: 'held', why: 'no-data' },
    ...outcomes.map(ended),
  ];
  it.each(stages.map((stage) => [JSON.stringify(stage), stage] as const))(
    'says what the card of a degradation means: %s',
    (_n, stage) => {
      const { emoji, words } = degradationHeadline(degradation({ stage }), null);
      expect(text).toContain(`${emoji} ${words}`);
    },
  );

  it('names every button', () => {
    const at0: Partial<Rollout> = { phase: { ...advancing, stage: 'shifting' }, exposurePercent: 0 };
    const scenes: Parameters<typeof view>[] = [
      ['degradation', {}],
      ['degradation', { rollout: null }],
      ['rollout', { rollout: at0, degradation: null }],
      ...phases.map((phase): Parameters<typeof view> => ['rollout', { rollout: { phase }, degradation: null }]),
      [
        'rollout',
        {
          degradation: null,
          rollout: { phase: { name: 'holding', sinceMs: at(0), untilMs: null, by: ada, reason: '', during: back } },
        },
      ],
    ];
    const labels = new Set(scenes.flatMap((scene) => buttons(card(view(...scene)).blocks).map((b) => b.label)));
    expect(labels.size).toBeGreaterThan(9);
    for (const label of labels) expect(text).toContain(`**${label}**`);
  });
});
