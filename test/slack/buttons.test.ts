import { describe, expect, it } from 'vitest';
import { decide } from '../../src/domain/decide.ts';
import type { Degradation, Phase, Rollout } from '../../src/domain/state.ts';
import type { CardView } from '../../src/ports/chat.ts';
import { ACTION_PREFIX, buttonsFor, readValue } from '../../src/slack/cards/buttons.ts';
import { card } from '../../src/slack/cards/index.ts';
import { waysBack } from '../../src/slack/cards/way-back.ts';
import { mildest } from '../../src/slack/views/form.ts';
import { hasModal } from '../../src/slack/views/metadata.ts';
import { buttons } from './reading.ts';
import { ada, asking, at, automatic, ended, rollback, servedLong, view, watched } from './states.ts';

const back = rollback();
const holding = { name: 'holding', sinceMs: at(1), untilMs: at(30), by: ada, reason: 'x' } as const;
const phases: Record<string, { phase: Phase; exposurePercent?: number; step?: number }> = {
  'first shift': {
    phase: { name: 'advancing', sinceMs: at(0), stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 },
    exposurePercent: 0,
    step: 0,
  },
  'warming up': {
    phase: { name: 'advancing', sinceMs: at(0), stage: 'warming', soakUntilMs: at(1), maxSoakUntilMs: at(5) },
    exposurePercent: 0,
    step: 0,
  },
  soaking: {
    phase: { name: 'advancing', sinceMs: at(0), stage: 'soaking', soakUntilMs: at(9), maxSoakUntilMs: at(20) },
  },
  deciding: { phase: { name: 'deciding', sinceMs: at(0), during: 'advancing' } },
  'deciding at 100 %': {
    phase: { name: 'deciding', sinceMs: at(0), during: 'watching' },
    exposurePercent: 100,
    step: 2,
  },
  holding: { phase: { ...holding, during: 'advancing' } },
  'holding at 100 %': { phase: { ...holding, during: 'watching' }, exposurePercent: 100, step: 2 },
  'paused on the way back': { phase: { ...holding, during: back } },
  watching: { phase: { name: 'watching', sinceMs: at(0), untilMs: at(90) }, exposurePercent: 100, step: 2 },
  'rolling back': { phase: { name: 'rolling_back', sinceMs: at(4), rollback: back } },
  'rolling back, last phase': {
    phase: { name: 'rolling_back', sinceMs: at(4), rollback: rollback({ phase: 1 }) },
    exposurePercent: 10,
  },
  verifying: {
    phase: { name: 'verifying', sinceMs: at(4), soakUntilMs: at(6), maxSoakUntilMs: at(9), rollback: back },
    exposurePercent: 0,
  },
  'stuck forward': { phase: { name: 'stuck', sinceMs: at(4), reason: 'x', during: 'advancing' } },
  'stuck at 100 %': {
    phase: { name: 'stuck', sinceMs: at(4), reason: 'no last known good', during: 'watching' },
    exposurePercent: 100,
    step: 2,
  },
  'stuck on the way back': { phase: { name: 'stuck', sinceMs: at(4), reason: 'x', during: back } },
  'rolled back': { phase: { name: 'rolled_back', atMs: at(5), reason: '' }, exposurePercent: 0 },
  succeeded: { phase: { name: 'succeeded', atMs: at(5), reason: '' }, exposurePercent: 100, step: 2 },
};

const held = (why: 'no-data' | 'person' | 'stuck' | 'stable-worse'): Partial<Degradation> => ({
  stage: { name: 'held', why },
});
const decided: Partial<Degradation> = {
  stage: { name: 'decided' },
  decision: { by: automatic, action: 'Rolled back', reason: '', atMs: at(4) },
};

/** Which questions can be open in which phase; null: none. */
const scenes: [string, Partial<Rollout> | null, Partial<Degradation> | null][] = [
  ...[
    'first shift',
    'warming up',
    'soaking',
    'watching',
    'holding',
    'holding at 100 %',
    'paused on the way back',
    'rolling back',
    'rolling back, last phase',
    'verifying',
    'stuck forward',
    'rolled back',
    'succeeded',
  ].map((name): [string, Partial<Rollout>, null] => [name, phases[name] ?? {}, null]),
  ['deciding, in grace', phases.deciding ?? {}, { stage: { name: 'grace', untilMs: at(1) } }],
  ['deciding, asked', phases.deciding ?? {}, { stage: asking }],
  [
    'deciding, acknowledged',
    phases.deciding ?? {},
    { stage: asking, acknowledged: { by: ada, atMs: at(1), reason: '' } },
  ],
  ['deciding, all extensions used', phases.deciding ?? {}, { stage: asking, extendedMs: 90 * 60_000 }],
  ['deciding, some extensions used', phases.deciding ?? {}, { stage: asking, extendedMs: 85 * 60_000 }],
  ['deciding, held', phases.deciding ?? {}, held('no-data')],
  [
    'deciding, recovering',
    phases.deciding ?? {},
    {
      stage: {
        name: 'recovering',
        untilMs: at(5),
        remainingMs: 1,
        escalateRemainingMs: null,
        unasked: false,
        held: null,
      },
    },
  ],
  ['deciding at 100 %, asked', phases['deciding at 100 %'] ?? {}, { stage: asking }],
  ['holding, held by a person', phases.holding ?? {}, held('person')],
  ['paused, stable worse', phases['paused on the way back'] ?? {}, held('stable-worse')],
  ['rolling back, decided', phases['rolling back'] ?? {}, decided],
  ['last phase, decided', phases['rolling back, last phase'] ?? {}, decided],
  ['verifying, decided', phases.verifying ?? {}, decided],
  ['stuck forward, held', phases['stuck forward'] ?? {}, held('stuck')],
  ['stuck at 100 %, held', phases['stuck at 100 %'] ?? {}, held('stuck')],
  ['stuck back, held', phases['stuck on the way back'] ?? {}, held('stuck')],
  ['ended', phases['rolled back'] ?? {}, { stage: ended('rolled-back') }],
  ['no rollout, asked', null, { stage: asking }],
  ['no rollout, held', null, held('no-data')],
];

function seenOn(
  kind: 'rollout' | 'degradation',
  rollout: Partial<Rollout> | null,
  degradation: Partial<Degradation> | null,
): CardView {
  return view(kind, { rollout, degradation });
}

describe.each(scenes)('%s', (_name, rollout, degradation) => {
  const kind = degradation ? 'degradation' : 'rollout';
  const shown = seenOn(kind, rollout, degradation);
  const offered = buttons(card(shown).blocks);

  it('draws the buttons it offers', () => {
    expect(offered.map((b) => b.label)).toEqual(buttonsFor(shown).map((b) => b.label));
  });

  it('offers only what the decisions accept from an approver', () => {
    for (const button of offered) {
      const command = button.actionId.slice(ACTION_PREFIX.length);
      const value = readValue(button.value);
      expect(value).not.toBeNull();
      expect(hasModal(command) || command === 'acknowledge').toBe(true);
      const mild = mildest({ command: command as 'rollback', ...value }, { policy: shown.policy, state: shown.state });
      const event = { type: 'command', command: mild!, actor: ada, binding: value?.binding } as const;
      const decision = decide(shown.state, event, { now: at(5), policy: shown.policy });
      expect([button.label, decision.outcome, 'refusal' in decision ? decision.refusal.text : '']).toEqual([
        button.label,
        'accepted',
        '',
      ]);
    }
  });

  it('of which at most one is dangerous', () => {
    expect(offered.filter((b) => b.style === 'danger').length).toBeLessThanOrEqual(1);
    expect(new Set(offered.map((b) => b.actionId)).size).toBe(offered.length);
  });
});

it('an open question on the rollout leaves the rollout card without buttons', () => {
  expect(buttonsFor(seenOn('rollout', phases.deciding ?? {}, { stage: asking }))).toEqual([]);
});

it.each([undefined, '', 'null', '[]', '{"service":1,"binding":"b"}', '{"service":"s"}', 'x'.repeat(3000)])(
  'a value that no card of ours wrote is none: %j',
  (value) => {
    expect(readValue(value)).toBeNull();
  },
);

describe.each([
  ['of a watched rollout', watched],
  ['without a rollout', null],
] as const)('every version the modal of Roll back offers %s', (_name, theRollout) => {
  const shown = view('rollout', {
    rollout: theRollout,
    degradation: null,
    state: { degradation: null, served: servedLong },
  });
  const offered = waysBack({ policy: shown.policy, state: shown.state, rollout: shown.rollout });

  it.each(offered.map((choice) => choice.served.version.id))('is accepted: %s', (to) => {
    const command = { name: 'rollback', pace: 'at-once', to, reason: 'errors' } as const;
    const decision = decide(
      shown.state,
      { type: 'command', command, actor: ada },
      { now: at(5), policy: shown.policy },
    );
    expect([decision.outcome, 'refusal' in decision ? decision.refusal.text : '']).toEqual(['accepted', '']);
  });
});
