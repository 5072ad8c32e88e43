import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/application/api.ts';
import { binding } from '../../src/domain/binding.ts';
import type { Phase } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import { CHANNEL, eventually, type Stage, stage } from './stage.ts';
import { ada, at, inPhase, policy, rollback, servedLong, view, watched } from './states.ts';

const signal = () => new AbortController().signal;
const refused = (text: string, code: 'forbidden' | 'stale' | 'conflict' | 'invalid' = 'stale'): Answer => ({
  ok: false,
  refusal: { code, text },
});

/** Posts a card and gives its ts. */
async function posted(scene: Stage, shown = view('degradation')): Promise<string> {
  scene.application.all = [{ policy: shown.policy, state: shown.state }];
  const content = { kind: 'card', view: shown } as const;
  const message = { id: `card/${shown.card.id}`, channel: CHANNEL, thread: null, content };
  return (await scene.slack.chat.post(message, signal())).ts;
}

/** Presses and waits until the modal asks something. */
async function opened(scene: Stage, ts: string, button: string) {
  const person = scene.workspace.user(ada.id);
  expect(await person.press(ts, button)).toMatchObject({ ok: true, status: 200 });
  return eventually(() => person.openViews().find((v) => v.blocks.some((b) => b.type === 'input')));
}

const textOf = (blocks: unknown) => JSON.stringify(blocks);

describe('Roll back', () => {
  it('asks whether it may, opens a modal that says what will happen, and is decided when that is submitted', async () => {
    await using scene = await stage();
    const shown = view('degradation');
    const ts = await posted(scene, shown);
    const modal = await opened(scene, ts, 'Roll back');
    expect(scene.application.checks).toEqual([
      {
        service: 'fraud-scorer',
        command: { name: 'rollback', pace: 'phased', to: null, reason: '' },
        actor: { kind: 'person', id: ada.id, name: 'ada' },
        binding: binding(shown.state, 'rollback'),
        key: expect.stringMatching(/^press\//),
      },
    ]);
    expect(modal.title).toBe('Roll back');
    expect(textOf(modal.blocks)).toContain('*50 %* of traffic is on `v42`, the rest on `v41`');
    expect(textOf(modal.blocks)).toContain('By phases: 10 % → 0 %');
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: 'errors doubled', pace: 'at-once' });
    expect(outcome.action).toBe('close');
    expect(scene.application.commands).toEqual([
      {
        service: 'fraud-scorer',
        command: { name: 'rollback', pace: 'at-once', to: null, reason: 'errors doubled' },
        actor: { kind: 'person', id: ada.id, name: 'ada' },
        binding: binding(shown.state, 'rollback'),
        key: `view/${modal.id}`,
      },
    ]);
    expect(scene.workspace.user(ada.id).ephemerals()).toEqual([]);
    expect(scene.telemetry.problems).toEqual([]);
  });

  it('after 100 % takes the version it goes back to, and sends that', async () => {
    await using scene = await stage();
    const shown = view('rollout', {
      rollout: watched,
      degradation: null,
      state: { degradation: null, served: servedLong },
    });
    const modal = await opened(scene, await posted(scene, shown), 'Roll back');
    expect(textOf(modal.blocks)).toContain('*all traffic* is on `v42`.');
    expect(textOf(modal.blocks)).toContain('*Last known good: `v41`*');
    await scene.workspace.user(ada.id).submit(modal.id, { reason: 'errors', to: 'v40' });
    expect(scene.application.commands[0]?.command).toEqual({
      name: 'rollback',
      pace: 'phased',
      to: 'v40',
      reason: 'errors',
    });
  });

  it('takes a reason: without one it stays open and says so', async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Roll back');
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: '   ' });
    expect(outcome).toMatchObject({ action: 'errors', errors: { reason: expect.stringContaining('Say why') } });
    expect(scene.application.commands).toEqual([]);
  });

  it('while rolling back goes to 0 % now, and leaves no choice', async () => {
    await using scene = await stage();
    const phase: Phase = { name: 'rolling_back', sinceMs: at(4), rollback: rollback() };
    const ts = await posted(
      scene,
      view('degradation', { rollout: inPhase(phase), degradation: { stage: { name: 'decided' } } }),
    );
    const modal = await opened(scene, ts, 'To 0 % now');
    await scene.workspace.user(ada.id).submit(modal.id, { reason: 'critical' });
    expect(scene.application.commands[0]?.command).toMatchObject({ name: 'rollback', pace: 'at-once' });
  });
});

describe('the other buttons', () => {
  it('Hold asks for how long', async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Hold');
    await scene.workspace.user(ada.id).submit(modal.id, { reason: 'looking', duration: '1 h' });
    expect(scene.application.commands[0]?.command).toEqual({ name: 'hold', forMs: 3_600_000, reason: 'looking' });
  });

  it('Extend offers no more than the cap leaves', async () => {
    await using scene = await stage();
    const ts = await posted(scene, view('degradation', { degradation: { extendedMs: 55 * 60_000 } }));
    const modal = await opened(scene, ts, 'Extend');
    expect(textOf(modal.blocks)).not.toContain('"1 h"');
    await scene.workspace.user(ada.id).submit(modal.id, { reason: 'more time', extension: '30 min' });
    expect(scene.application.commands[0]?.command).toEqual({ name: 'extend', byMs: 1_800_000, reason: 'more time' });
  });

  it('Promote names what it overrides, and offers all steps with what they take', async () => {
    await using scene = await stage();
    const shown = view('degradation', { rollout: { exposurePercent: 10, step: 0 } });
    const modal = await opened(scene, await posted(scene, shown), 'Promote');
    expect(textOf(modal.blocks)).toContain('Error rate: 4.12 % against 2 % on stable');
    expect(textOf(modal.blocks)).toContain('takes 2 approvers');
    await scene.workspace.user(ada.id).submit(modal.id, { reason: 'known', scope: 'all' });
    expect(scene.application.commands[0]?.command).toEqual({ name: 'promote', scope: 'all', reason: 'known' });
  });

  it('Acknowledge acts at once, by a key of its own for each press', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    await scene.workspace.user(ada.id).press(ts, 'Acknowledge');
    const [asked] = await eventually(() => scene.application.commands.length > 0 && scene.application.commands);
    expect(asked).toMatchObject({
      command: { name: 'acknowledge' },
      key: expect.stringMatching(/^press\/.+\/U024BE7LH\/.+/),
    });
    expect(scene.workspace.user(ada.id).openViews()).toEqual([]);
  });
});

describe('a refusal', () => {
  it('at the press is told to the presser alone, and nothing else happens', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    scene.application.onCheck = () => refused('You pressed a button of 12:01; <@U0BOB0000> decided at 12:02.');
    await scene.workspace.user(ada.id).press(ts, 'Roll back');
    const [told] = await eventually(() => {
      const all = scene.workspace.user(ada.id).ephemerals(CHANNEL);
      return all.length > 0 && all;
    });
    expect(told?.text).toBe('You pressed a button of 12:01; <@U0BOB0000> decided at 12:02.');
    expect(scene.workspace.user('U0BOB0000').ephemerals()).toEqual([]);
    expect(scene.workspace.user(ada.id).openViews()).toEqual([]);
    expect(scene.workspace.messages(CHANNEL)).toHaveLength(1);
    expect(scene.application.commands).toEqual([]);
  });

  it("at the submission takes the form's place", async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Roll back');
    scene.application.onCommand = () => refused('@bob promoted meanwhile. Nothing was changed.');
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: 'errors' });
    expect(outcome.action).toBe('update');
    expect(textOf(scene.workspace.user(ada.id).openViews()[0]?.blocks)).toContain('@bob promoted meanwhile');
  });

  it('of what was filled in is said at the form, which stays', async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Hold');
    scene.application.onCommand = () => refused('A hold lasts up to 24 h.', 'invalid');
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: 'x' });
    expect(outcome).toMatchObject({ action: 'errors', errors: { reason: 'A hold lasts up to 24 h.' } });
  });

  it('mentions nobody and nothing but approvers', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    scene.application.onCheck = () => refused('<!channel> & <https://evil.example|x>', 'forbidden');
    await scene.workspace.user(ada.id).press(ts, 'Hold');
    const told = await eventually(() => scene.workspace.user(ada.id).ephemerals()[0]);
    expect(told.text).toBe('&lt;!channel&gt; &amp; &lt;https://evil.example|x&gt;');
    expect(scene.workspace.pings).toEqual([]);
  });
});

describe('slow and failing', () => {
  it('a decision that takes over 2 s is acknowledged in time, and its outcome shown when it is there', async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Roll back');
    const slow = Promise.withResolvers<Answer>();
    scene.application.onCommand = () => slow.promise;
    const startedAt = Date.now();
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: 'errors' });
    expect(Date.now() - startedAt).toBeLessThan(3000);
    expect(outcome.action).toBe('update');
    slow.resolve({ ok: true, text: 'Rolling back to v41 by phases.', duplicate: false });
    await eventually(() => textOf(scene.workspace.user(ada.id).openViews()[0]?.blocks).includes('Rolling back to v41'));
  });

  it('our own trouble is told to the presser, with nothing of its insides', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    scene.application.onCheck = () => {
      throw new Error('SQLITE_BUSY at /secret/path');
    };
    await scene.workspace.user(ada.id).press(ts, 'Roll back');
    const told = await eventually(() => scene.workspace.user(ada.id).ephemerals()[0]);
    expect(told.text).toContain("Something went wrong on Lastgood's side");
    expect(told.text).not.toContain('SQLITE');
    expect(scene.telemetry.problems.join()).toContain('SQLITE_BUSY');
  });

  it('a submission that fails inside says so in the modal', async () => {
    await using scene = await stage();
    const modal = await opened(scene, await posted(scene), 'Roll back');
    scene.application.onCommand = () => {
      throw new PortError('retryable', 'The database does not answer.');
    };
    const outcome = await scene.workspace.user(ada.id).submit(modal.id, { reason: 'errors' });
    expect(outcome.action).toBe('update');
    expect(textOf(scene.workspace.user(ada.id).openViews()[0]?.blocks)).toContain('The database does not answer.');
  });

  it('where the ephemeral message cannot be posted, the response address is used', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    scene.application.onCheck = () => refused('Too late.');
    scene.workspace.fault({ method: 'chat.postEphemeral', mode: '500' });
    await scene.workspace.user(ada.id).press(ts, 'Roll back');
    expect((await eventually(() => scene.workspace.user(ada.id).ephemerals()[0])).text).toBe('Too late.');
    expect(scene.workspace.messages(CHANNEL)).toHaveLength(1);
  });

  it('an opened modal that cannot be filled is reported to the presser', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    scene.workspace.fault({ method: 'views.open', mode: '500' });
    await scene.workspace.user(ada.id).press(ts, 'Roll back');
    expect((await eventually(() => scene.workspace.user(ada.id).ephemerals()[0])).text).toContain('went wrong');
    expect(scene.application.commands).toEqual([]);
  });

  it('stop waits for a press that is being answered, and refuses what comes after', async () => {
    await using scene = await stage();
    const ts = await posted(scene);
    const slow = Promise.withResolvers<Answer>();
    let checked = false;
    scene.application.onCheck = async () => {
      const answer = await slow.promise;
      checked = true;
      return answer;
    };
    await scene.workspace.user(ada.id).press(ts, 'Roll back');
    await eventually(() => scene.application.checks.length > 0);
    const stopped = scene.slack.stop();
    expect((await scene.workspace.user(ada.id).press(ts, 'Hold')).status).toBe(503);
    expect(scene.slack.readiness()).toEqual({ ok: false, detail: 'stopping' });
    expect(checked).toBe(false);
    slow.resolve(refused('Too late.'));
    await stopped;
    expect(scene.workspace.user(ada.id).ephemerals()[0]?.text).toBe('Too late.');
  });
});

describe('App Home', () => {
  it('shows what is under way and what can be typed', async () => {
    await using scene = await stage();
    const shown = view('degradation');
    const quiet = view('rollout', { rollout: null, degradation: null, state: { service: 'quiet-one' } });
    scene.application.all = [
      { policy: policy({ service: 'quiet-one' }), state: { ...quiet.state, degradation: null } },
      { policy: shown.policy, state: shown.state },
    ];
    await scene.workspace.user(ada.id).openHome();
    const home = await eventually(() => scene.workspace.user(ada.id).home());
    const text = textOf(home.blocks);
    expect(text.indexOf('Under way (1)')).toBeLessThan(text.indexOf('fraud-scorer'));
    expect(text.indexOf('fraud-scorer')).toBeLessThan(text.indexOf('Quiet (1)'));
    expect(text).toContain('`/rollout rollback`');
  });
});
