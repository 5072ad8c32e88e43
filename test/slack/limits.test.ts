import { describe, expect, it } from 'vitest';
import type { ChatContent } from '../../src/ports/chat.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { figure } from '../../src/slack/cards/numbers.ts';
import { plainer } from '../../src/slack/cards/simplify.ts';
import { code, fitted, link, outside } from '../../src/slack/cards/text.ts';
import { overview } from '../../src/slack/commands/status.ts';
import { home } from '../../src/slack/home.ts';
import { form } from '../../src/slack/views/form.ts';
import { hasModal } from '../../src/slack/views/metadata.ts';
import { notice } from '../../src/slack/views/modal.ts';
import { validateMessage, validateView } from '../../src/workspace/index.ts';
import { servedFor } from '../support/policy.ts';
import { buttons, seen, strings } from './reading.ts';
import { overviewOf } from './stage.ts';
import {
  ada,
  asking,
  at,
  blueGreen,
  ended,
  entry,
  inPhase,
  NOON,
  nasty,
  rollback,
  view,
  watched,
  worst,
} from './states.ts';

const phases = {
  deciding: { name: 'deciding', sinceMs: at(0), during: 'advancing' },
  'rolling back': { name: 'rolling_back', sinceMs: at(0), rollback: rollback({ by: ada }) },
  stuck: { name: 'stuck', sinceMs: at(0), reason: nasty(5000), during: 'advancing' },
  holding: { name: 'holding', sinceMs: at(0), untilMs: at(1), by: ada, reason: nasty(5000), during: 'advancing' },
  cancelled: { name: 'cancelled', atMs: at(0), reason: nasty(5000) },
} as const;
const stages = { asking, held: { name: 'held', why: 'common-cause' }, ended: ended('rolled-back') } as const;
const journal = Array.from({ length: 500 }, (_, i) => entry({ atMs: at(i), text: nasty(2000) }));

const warming = {
  name: 'advancing',
  sinceMs: at(0),
  stage: 'warming',
  soakUntilMs: at(1),
  maxSoakUntilMs: at(2),
} as const;
/** As many versions as are kept, with names as long as they get. */
const served = Array.from({ length: 20 }, (_, i) =>
  servedFor(`v${i}-${nasty(300)}`, at(i * 100 - 3000), i === 19 ? null : at(i * 100 - 2900), {
    tainted: i % 3 === 0,
    looks: { healthy: 1e9, degraded: 1e9, inconclusive: 1e9, 'no-data': 1e9 },
  }),
);
const worstServed = { served, degradation: null };
const worstWatched = { ...watched, candidate: { id: `v19-${nasty(300)}` } };
const worstWayBack = {
  served: servedFor(nasty(300), 0, 1e12, { tainted: true }),
  cleanMs: 1e12,
  neededMs: 9e15,
  chosenBy: 'evidence',
  passedOver: Array.from({ length: 20 }, () => ({ version: nasty(300), why: nasty(3000) })),
} as const;

const contents: [string, ChatContent][] = [
  ...Object.entries(phases).flatMap(([phaseName, phase]) =>
    Object.entries(stages).map(([stageName, stage]): [string, ChatContent] => [
      `degradation, ${phaseName}, ${stageName}`,
      { kind: 'card', view: worst('degradation', { rollout: inPhase(phase), degradation: { stage } }) },
    ]),
  ),
  ...Object.entries(phases).map(([name, phase]): [string, ChatContent] => [
    `rollout, ${name}`,
    { kind: 'card', view: worst('rollout', { rollout: inPhase(phase), state: { degradation: null } }) },
  ]),
  ['degradation without a rollout', { kind: 'card', view: worst('degradation', { rollout: null }) }],
  ['entry', { kind: 'entry', entry: entry({ text: nasty(20_000) }) }],
  [
    'report of a degradation',
    { kind: 'report', view: worst('degradation', { degradation: { stage: stages.ended } }), journal },
  ],
  ['way back, watched', { kind: 'card', view: worst('rollout', { rollout: worstWatched, state: worstServed }) }],
  [
    'way back of a degradation, passed over many',
    { kind: 'card', view: worst('degradation', { rollout: { ...worstWatched, wayBack: worstWayBack } }) },
  ],
  [
    'way back that none qualifies for',
    {
      kind: 'card',
      view: worst('degradation', { rollout: null, state: worstServed, policy: { lastGoodAfterMs: 9e15 } }),
    },
  ],
  [
    'rollout that warms up, blue/green, of an older policy',
    {
      kind: 'card',
      view: worst('rollout', {
        rollout: {
          plan: { ...blueGreen, objective: 'better', revision: nasty(64) },
          phase: warming,
          exposurePercent: 0,
        },
        policy: { commit: nasty(300), revision: nasty(64) },
        degradation: null,
        state: { degradation: null },
      }),
    },
  ],
  [
    'report of a way back',
    { kind: 'report', view: worst('degradation', { rollout: { ...worstWatched, wayBack: worstWayBack } }), journal },
  ],
  ['report of a rollout', { kind: 'report', view: worst('rollout', { degradation: null }), journal }],
];

describe.each(contents)('the worst %s', (_name, content) => {
  const drawing = draw(content);

  it("is within Slack's limits, and so are its plainer forms", () => {
    for (const one of [drawing, ...plainer(drawing)]) {
      expect(validateMessage(one.blocks)).toBeNull();
      expect(one.text.length).toBeGreaterThan(10);
      expect(one.text.length).toBeLessThanOrEqual(4000);
    }
  });

  it('mentions no channel, and nobody that was only written about', () => {
    for (const text of strings([drawing.text, drawing.blocks])) {
      expect(text).not.toMatch(/<!(?!date\^)/);
      expect(text).not.toContain('<https://evil');
      expect(text).not.toContain('<javascript:');
    }
  });

  it('holds nothing that cannot be seen or that turns the text around', () => {
    for (const text of strings([drawing.text, drawing.blocks])) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/u);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('keeps every button in every form', () => {
    const labels = (blocks: typeof drawing.blocks) => buttons(blocks).map((b) => [b.label, b.value]);
    for (const one of plainer(drawing)) expect(labels(one.blocks)).toEqual(labels(drawing.blocks));
  });

  it('tears no entity and no link', () => {
    for (const text of strings(drawing.blocks)) {
      expect(text.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
      const bare = text.replace(/<(?:!date\^[^<>]*|@[UW][A-Z0-9]+|https?:[^<>|]*\|[^<>]*)>/g, '');
      expect(bare).not.toMatch(/[<>]/);
    }
  });
});

describe('modals and Home with the worst input', () => {
  const shown = worst('degradation');
  const status = { policy: { ...shown.policy, approvers: { users: ['*'], quorum: 3 } }, state: shown.state };

  it.each(['rollback', 'hold', 'promote', 'extend', 'resume', 'cancel'] as const)('the modal of %s', (command) => {
    expect(hasModal(command)).toBe(true);
    const metadata = { service: 's'.repeat(300), command, binding: 'b'.repeat(300), channel: 'C1' };
    expect(validateView(form(metadata, status), 'modal')).toBeNull();
    const stuck = worst('degradation', { rollout: inPhase(phases.stuck) });
    expect(validateView(form(metadata, { ...status, state: stuck.state }), 'modal')).toBeNull();
    const none = worst('degradation', { rollout: null });
    expect(validateView(form(metadata, { ...status, state: none.state }), 'modal')).toBeNull();
  });

  it('Roll back after 100 % and without a rollout, with every version to choose', () => {
    const metadata = { service: 's', command: 'rollback', binding: 'b', channel: 'C1' } as const;
    for (const rollout of [worstWatched, null]) {
      for (const lastGoodAfterMs of [0, 9e15]) {
        const one = worst('rollout', { rollout, state: worstServed, policy: { lastGoodAfterMs } });
        const drawn = form(metadata, { policy: one.policy, state: one.state });
        expect(validateView(drawn, 'modal')).toBeNull();
        expect(strings(drawn.blocks).filter((text) => text === 'static_select')).toHaveLength(1);
        expect(validateMessage(overview([{ policy: one.policy, state: one.state }]).blocks)).toBeNull();
        expect(
          validateView(home(overviewOf(Array(200).fill({ policy: one.policy, state: one.state })), NOON), 'home'),
        ).toBeNull();
      }
    }
  });

  it('a refusal in a modal', () => {
    expect(validateView(notice('Roll back', '✋', nasty(20_000)), 'modal')).toBeNull();
  });

  it('App Home with 200 services', () => {
    expect(validateView(home(overviewOf(Array(200).fill(status)), NOON), 'home')).toBeNull();
    expect(validateView(home(overviewOf([]), NOON), 'home')).toBeNull();
  });

  it('the status of 200 services', () => {
    expect(validateMessage(overview(Array(200).fill(status)).blocks)).toBeNull();
  });
});

describe('refused blocks', () => {
  it('come again with the table as text, then as text alone; buttons in both', () => {
    const [words, bare] = plainer(draw({ kind: 'card', view: view('degradation') }));
    expect(words?.blocks.map((b) => b.type)).toEqual([
      'header',
      'section',
      'section',
      'context',
      'section',
      'actions',
      'context',
    ]);
    expect(seen(words?.blocks ?? [])).toContain('*Error rate*: Candidate 4.12 % · Stable 2 % · Before 1.9 %');
    expect(bare?.blocks.map((b) => b.type)).toEqual(['section', 'actions']);
  });
});

describe('text from outside', () => {
  it('is escaped, in one line, and cut between graphemes', () => {
    expect(outside('a <b> & c\nd', 100)).toBe('a &lt;b&gt; &amp; c d');
    expect(outside('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 12)).toBe('👩‍👩‍👧‍👦…');
    expect(outside('&&&&', 11)).toBe('&amp;&amp;…');
  });

  it('ends no code span early', () => {
    expect(code('a`b')).toBe("`a'b`");
    expect(code('')).toBe('`-`');
  });

  it.each(['javascript:alert(1)', 'https://user:secret@x.example/', 'not a url', ''])('makes no link of %j', (url) => {
    expect(link(url, 'label')).toBe('label');
  });

  it('keeps a link in one piece', () => {
    expect(link('https://x.example/a|b>c', 'la|be<l')).toBe('<https://x.example/a%7Cb%3Ec|la/be&lt;l>');
    expect(fitted(`see <https://x.example/${'y'.repeat(50)}|here>`, 30)).toBe('see …');
  });

  it.each([
    [0.0412345, '0.0412'],
    [1234.56, '1234.6'],
    [0, '0'],
    [-2.5, '−2.5'],
    [1e12, '1.00e12'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NaN, '–'],
  ])('%d reads %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });
});
