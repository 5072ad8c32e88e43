import { describe, expect, it } from 'vitest';
import type { WayBack } from '../../src/domain/served.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { card, draw } from '../../src/slack/cards/index.ts';
import { servedLine, wayBackLine, waysBack } from '../../src/slack/cards/way-back.ts';
import { form, mildest, readForm } from '../../src/slack/views/form.ts';
import { HOUR, MINUTE, servedFor } from '../support/policy.ts';
import { buttons, seen } from './reading.ts';
import { at, ended, inPhase, policy, rollback, servedLong, state, view, watched } from './states.ts';

const GOOD =
  '⏪ *Last known good: `v41`* — served 3 d 4 h until 2026-11-21 11:00:00 UTC (3 d without a degradation, 1 h needed); 205 of 212 looks healthy, none degraded.';
const read = (kind: 'rollout' | 'degradation', scene: Parameters<typeof view>[1]) =>
  seen(card(view(kind, scene)).blocks);
const quiet = { degradation: null, state: { degradation: null, served: servedLong } };

const chosen = (patch: Partial<WayBack> = {}): WayBack => ({
  served: servedLong[1] ?? servedFor('v41', 0, 1),
  cleanMs: 72 * HOUR,
  neededMs: HOUR,
  chosenBy: 'evidence',
  passedOver: [],
  ...patch,
});

/** What the line says where a rollback is still to be chosen. */
function line(served: ServiceState['served']): string {
  const text = wayBackLine({ policy: policy(), state: state({ served }), rollout: null });
  return seen([{ type: 'section', text: { text } }]);
}

describe('the way back on cards', () => {
  it('of a watched rollout names the last known good and the evidence for it', () => {
    expect(read('rollout', { ...quiet, rollout: watched })).toContain(GOOD);
  });

  it('of a degradation after 100 % and without a rollout as well', () => {
    const scene = { state: { served: servedLong } };
    const deciding = { ...watched, phase: { name: 'deciding' as const, sinceMs: at(0), during: 'watching' as const } };
    expect(read('degradation', { ...scene, rollout: deciding })).toContain(GOOD);
    expect(read('degradation', { ...scene, rollout: null })).toContain(GOOD);
  });

  it('after 100 % says what happens at the deadline, and that nothing does where none is known good', () => {
    const rollout = { ...watched, phase: { name: 'deciding' as const, sinceMs: at(0), during: 'watching' as const } };
    expect(read('degradation', { rollout, state: { served: servedLong } })).toContain(
      '⏰ *Automatic rollback at 12:15:00 UTC* to `v41` unless someone acts',
    );
    const young = [servedFor('v41', at(-72), at(-60)), servedFor('v42', at(-60), null)];
    const none = card(view('degradation', { rollout, state: { served: young } }));
    expect(seen(none.blocks)).toContain(
      '⏰ At 12:15:00 UTC Lastgood pages unless someone acts. No version is known good, so it moves nothing by itself.',
    );
    expect(none.text).toContain('Somebody is paged at 12:15:00 UTC unless someone acts.');
  });

  it('below 100 % there is no choice, and nothing is said', () => {
    expect(read('degradation', { state: { served: servedLong } })).not.toContain('known good');
    expect(read('rollout', { ...quiet, rollout: {} })).not.toContain('known good');
  });

  it('a card that another took over from says nothing of it', () => {
    expect(read('rollout', { ...quiet, rollout: watched, current: false })).not.toContain('known good');
  });

  it('once it is taken it stays, with what was passed over and why', () => {
    const wayBack = chosen({ passedOver: [{ version: 'v40', why: 'not ready: 0 of 3 instances' }] });
    const back = {
      exposurePercent: 100,
      wayBack,
      phase: { name: 'rolling_back' as const, sinceMs: at(4), rollback: rollback() },
    };
    const text = read('rollout', { ...quiet, rollout: back });
    expect(text).toContain(GOOD);
    expect(text).toContain('`v40` passed over: not ready: 0 of 3 instances');
    const over = { ...back, phase: { name: 'rolled_back' as const, atMs: at(12), reason: '' } };
    expect(read('rollout', { ...quiet, rollout: over })).toContain(GOOD);
  });

  it('is in the report', () => {
    const shown = view('degradation', {
      rollout: inPhase({ name: 'rolled_back', atMs: at(12), reason: '' }, { wayBack: chosen() }),
      degradation: { stage: ended('rolled-back') },
    });
    expect(seen(draw({ kind: 'report', view: shown, journal: [] }).blocks)).toContain(GOOD);
  });

  it('a person named is not called known good, and lacks proof where it does', () => {
    const served = servedFor('v40', at(-100), at(-88), { tainted: true });
    const wayBack = chosen({ served, cleanMs: 12 * MINUTE, chosenBy: 'person' });
    expect(read('rollout', { ...quiet, rollout: { ...watched, wayBack } })).toContain(
      '⏪ *Chosen by a person, not proven: `v40`* — served 12 min until 2026-11-21 10:32:00 UTC (all of it without a degradation, 1 h needed), and was rolled back itself; it was not measured while it served.',
    );
    expect(read('rollout', { ...quiet, rollout: { ...watched, wayBack: chosen({ chosenBy: 'person' }) } })).toContain(
      '⏪ *Known good, chosen by a person: `v41`* — served 3 d 4 h',
    );
    const unseen = servedFor('v7', at(0), at(0));
    expect(
      read('rollout', { ...quiet, rollout: { ...watched, wayBack: chosen({ served: unseen, chosenBy: 'person' }) } }),
    ).toContain('`v7`* — Lastgood has not seen it serve.');
  });
});

describe('where none is known good', () => {
  it('says what there was, and why that does not do', () => {
    const tainted = servedFor('v39', at(-600), at(-100), { tainted: true });
    expect(line([tainted, servedFor('v40', at(-100), at(-88)), servedFor('v42', at(-88), null)])).toBe(
      '⏪ *No last known good*: no other version served 1 h without a degradation (`v40` served 12 min and `v39` served 8 h 20 min, rolled back itself). To go back, choose or name one: `/rollout rollback fraud-scorer --to VERSION`.',
    );
  });

  it('of a watched rollout says where Roll back leads all the same', () => {
    const served = [servedFor('v41', at(-72), at(-60)), servedFor('v42', at(-60), null)];
    expect(read('rollout', { ...quiet, rollout: watched, state: { degradation: null, served } })).toContain(
      'To go back, choose or name one: `/rollout rollback fraud-scorer --to VERSION`. Otherwise it is `v41`, where it came from.',
    );
  });

  it('says that nothing else was ever seen', () => {
    expect(line([servedFor('v42', at(-88), null)])).toBe(
      '⏪ *No last known good*: Lastgood has seen no other version serve. To go back, name one: `/rollout rollback fraud-scorer --to VERSION`.',
    );
  });
});

describe('what served, in short', () => {
  it('the newest first, with what is not proven', () => {
    const tainted = servedFor('v39', at(-9000), at(-5000), { tainted: true });
    const text = servedLine({ policy: policy(), state: state({ served: [tainted, ...servedLong] }) }, 8);
    expect(seen([{ type: 'section', text: { text } }])).toBe(
      'Served: `v42` since 2026-11-21 11:00:00 UTC · `v41` 3 d 4 h · `v40` 12 min (not proven) · `v39` 2 d 18 h (rolled back)',
    );
    expect(servedLine({ policy: policy(), state: state({ served: servedLong }) }, 1)).toMatch(/ · …and 2 before$/);
    expect(servedLine({ policy: policy(), state: state({ served: [] }) }, 8)).toBe('');
  });
});

describe('the modal of Roll back', () => {
  const metadata = { service: 'fraud-scorer', command: 'rollback', binding: 'b', channel: 'C1' } as const;
  const statusOf = (scene: Parameters<typeof view>[1]) => {
    const shown = view('rollout', scene);
    return { policy: shown.policy, state: shown.state };
  };
  const at100 = statusOf({ ...quiet, rollout: watched });
  const select = (status: ReturnType<typeof statusOf>) => {
    const blocks = form(metadata, status).blocks as { block_id?: string; element?: unknown }[];
    return blocks.find((b) => b.block_id === 'to')?.element as
      | {
          options: { value: string; text: { text: string }; description: { text: string } }[];
          initial_option: { value: string };
        }
      | undefined;
  };

  it('after 100 % offers the known good first, then what is not proven, with the evidence', () => {
    const element = select(at100);
    expect(element?.options.map((o) => [o.value, o.text.text, o.description.text])).toEqual([
      ['v41', 'v41 · last known good', 'served 3 d 4 h until 21 Nov 11:00 UTC, 3 d clean, 205/212 healthy'],
      ['v40', 'v40 · not proven', 'not proven: served 12 min'],
    ]);
    expect(element?.initial_option.value).toBe('v41');
    const [section] = form(metadata, at100).blocks as unknown as { type: string; text: { text: string } }[];
    expect(seen(section ? [section] : [])).toContain(GOOD);
  });

  it('offers the same without a rollout', () => {
    const none = statusOf({ ...quiet, rollout: null });
    expect(select(none)?.options.map((o) => o.value)).toEqual(['v41', 'v40']);
  });

  it('below 100 % and on the way back leaves no choice: the rest of the traffic is on stable', () => {
    expect(select(statusOf({ ...quiet, rollout: {} }))).toBeUndefined();
    const back = { name: 'rolling_back' as const, sinceMs: at(4), rollback: rollback() };
    expect(select(statusOf({ ...quiet, rollout: inPhase(back, { exposurePercent: 100 }) }))).toBeUndefined();
  });

  it('leaves out what cannot take the traffic: another signature', () => {
    const served = [
      servedFor('v41', at(-900), at(-60), { version: { id: 'v41', signature: 'a' } }),
      servedFor('v42', at(-60), null, { version: { id: 'v42', signature: 'b' } }),
    ];
    const rollout = { ...watched, candidate: { id: 'v42', signature: 'b' } };
    expect(select(statusOf({ ...quiet, rollout, state: { degradation: null, served } }))).toBeUndefined();
  });

  it('sends the version that was chosen', () => {
    const values = (to?: string) => ({
      reason: { value: { value: 'errors' } },
      pace: { value: { selected_option: { value: 'at-once' } } },
      ...(to === undefined ? {} : { to: { value: { selected_option: { value: to } } } }),
    });
    const asked = { name: 'rollback', pace: 'at-once', reason: 'errors' };
    expect(readForm(metadata, values('v40'), servedLong)).toEqual({ ...asked, to: 'v40' });
    expect(readForm(metadata, values(), servedLong)).toEqual({ ...asked, to: null });
    // A digest that Slack has no room for goes by when it began to serve.
    const long = servedFor(`registry/model@sha256:${'a'.repeat(64)}`, at(-900), at(-60));
    const option = select(
      statusOf({
        ...quiet,
        rollout: null,
        state: { degradation: null, served: [long, servedFor('v42', at(-60), null)] },
      }),
    )?.options[0];
    expect(option?.value).toBe(`#${at(-900)}`);
    expect(readForm(metadata, values(option?.value), [long])).toEqual({ ...asked, to: long.version.id });
    expect(readForm(metadata, values('#1'), [long])).toEqual({
      problem: 'That version is no longer known: press the button again.',
    });
  });

  it('where nothing is proven asks whether the first that served would be allowed', () => {
    const served = [servedFor('v40', at(-72), at(-60)), servedFor('v42', at(-60), null)];
    const status = statusOf({ ...quiet, rollout: null, state: { degradation: null, served } });
    expect(mildest({ command: 'rollback' }, status)).toMatchObject({ to: 'v40' });
    expect(mildest({ command: 'rollback' }, at100)).toMatchObject({ to: null });
  });
});

it('a version is offered once, as it served last', () => {
  const served = [
    servedFor('v40', at(-9000), at(-8000)),
    servedFor('v41', at(-8000), at(-7000)),
    servedFor('v40', at(-7000), at(-6990), { tainted: true }),
    servedFor('v42', at(-6990), null),
  ];
  const found = waysBack({ policy: policy(), state: state({ served }), rollout: null });
  expect(found.map((c) => [c.served.version.id, c.isProven])).toEqual([
    ['v41', true],
    ['v40', false],
  ]);
});

it('the buttons of a watched rollout are still there beside it', () => {
  expect(buttons(card(view('rollout', { ...quiet, rollout: watched })).blocks).map((b) => b.label)).toEqual([
    'Roll back',
  ]);
});
