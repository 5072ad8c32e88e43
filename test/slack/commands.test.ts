import { describe, expect, it } from 'vitest';
import { answerTyped, SUBCOMMANDS } from '../../src/slack/commands/index.ts';
import { nearest } from '../../src/slack/commands/suggest.ts';
import { asTyped, durationMs, sortWords, tokens } from '../../src/slack/commands/words.ts';
import { eventually, FakeApplication, stage } from './stage.ts';
import { ada, at, blueGreen, entry, NASTY, NOON, policy, rollout, servedLong, state, view, watched } from './states.ts';

function application(...services: string[]): FakeApplication {
  const app = new FakeApplication();
  app.all = services.map((service) => ({ policy: policy({ service }), state: state({ service }) }));
  return app;
}

async function typed(text: string, app = application('fraud-scorer', 'ranker')) {
  const reply = await answerTyped(text, {
    application: app,
    actor: ada,
    key: 'trigger-1',
    slash: '/rollout',
    nowMs: NOON,
  });
  return { text: reply.text, app, reply };
}

const command = async (text: string, app = application('fraud-scorer', 'ranker')) => {
  await typed(text, app);
  return app.commands[0];
};

describe('what is typed', () => {
  it.each([
    ['promote fraud-scorer', { name: 'promote', scope: 'step', reason: '' }],
    ['promote fraud-scorer --all', { name: 'promote', scope: 'all', reason: '' }],
    ['rollback fraud-scorer', { name: 'rollback', pace: 'phased', to: null, reason: '' }],
    ['rollback fraud-scorer --now --to v40', { name: 'rollback', pace: 'at-once', to: 'v40', reason: '' }],
    [
      'rollback fraud-scorer --before 2 h ago --now --reason errors doubled',
      { name: 'rollback', pace: 'at-once', to: null, beforeMs: NOON - 7_200_000, reason: 'errors doubled' },
    ],
    [
      'rollback fraud-scorer --before "yesterday 14:00"',
      { name: 'rollback', pace: 'phased', to: null, beforeMs: Date.parse('2026-11-20T14:00:00Z'), reason: '' },
    ],
    ['hold fraud-scorer', { name: 'hold', forMs: null, reason: '' }],
    ['hold fraud-scorer 1h30m', { name: 'hold', forMs: 5_400_000, reason: '' }],
    ['resume fraud-scorer', { name: 'resume', reason: '' }],
    ['extend fraud-scorer 30m --reason still looking', { name: 'extend', byMs: 1_800_000, reason: 'still looking' }],
    ['ack fraud-scorer', { name: 'acknowledge', reason: '' }],
    ['cancel fraud-scorer', { name: 'cancel', reason: '' }],
    ['freeze fraud-scorer --reason "Black Friday"', { name: 'freeze', reason: 'Black Friday' }],
    ['unfreeze fraud-scorer', { name: 'unfreeze', reason: '' }],
    ['ROLLBACK Fraud-Scorer', { name: 'rollback', pace: 'phased', to: null, reason: '' }],
    // As phones and Slack make it of what was typed.
    [
      'rollback fraud-scorer —now —reason “it’s worse &amp; slow”',
      { name: 'rollback', pace: 'at-once', to: null, reason: "it's worse & slow" },
    ],
    [
      "rollback fraud-scorer --reason it's bad, see <https://x.example/1|x.example>",
      { name: 'rollback', pace: 'phased', to: null, reason: "it's bad, see https://x.example/1" },
    ],
  ])('%s', async (text, expected) => {
    expect(await command(text)).toEqual({ service: 'fraud-scorer', command: expected, actor: ada, key: 'trigger-1' });
  });

  it('carries no binding: it is not a button', async () => {
    expect(await command('resume fraud-scorer')).not.toHaveProperty('binding');
  });

  it('switches the automation of one service', async () => {
    expect((await command('automation off fraud-scorer'))?.command).toEqual({
      name: 'automation',
      on: false,
      reason: '',
    });
    expect((await command('automation on ranker'))?.command).toEqual({ name: 'automation', on: true, reason: '' });
  });

  it('switches the automation of all services, each by a key of its own', async () => {
    const { app, text } = await typed('automation off all --reason drill');
    expect(app.commands.map((c) => [c.service, c.key])).toEqual([
      ['fraud-scorer', 'trigger-1/fraud-scorer'],
      ['ranker', 'trigger-1/ranker'],
    ]);
    expect(text.split('\n')).toHaveLength(2);
  });

  it('starts a rollout with version, commit, reason and force', async () => {
    const { app, text } = await typed('start fraud-scorer v42 --commit abc123 --force --reason new features');
    expect(app.starts).toEqual([
      {
        service: 'fraud-scorer',
        candidate: { id: 'v42', commit: 'abc123' },
        force: true,
        reason: 'new features',
        actor: ada,
        key: 'trigger-1',
      },
    ]);
    expect(text).toBe('✅ Started.');
  });

  it('may leave the service out where there is only one', async () => {
    const one = application('fraud-scorer');
    await typed('start v42', one);
    expect(one.starts[0]).toMatchObject({ service: 'fraud-scorer', candidate: { id: 'v42' } });
    for (const text of ['hold 30m', 'extend 10m', 'ack', 'automation off', 'rollback --now']) await typed(text, one);
    expect(one.commands.map((c) => c.service)).toEqual(Array(5).fill('fraud-scorer'));
  });
});

describe('what is not understood changes nothing and says what to type', () => {
  it.each([
    ['rolback fraud-scorer', 'Did you mean `/rollout rollback`?'],
    ['stat', '`/rollout help` lists everything'],
    ['rollback frad-scorer', 'Did you mean `fraud-scorer`? Services: `fraud-scorer` and `ranker`.'],
    ['rollback', 'Which service? Services: `fraud-scorer` and `ranker`.'],
    ['rollback fraud-scorer now', 'I do not understand `now`'],
    ['rollback fraud-scorer --nwo', 'Did you mean `--now`?'],
    ['rollback fraud-scorer --to v41 --before 2h', 'give one of them'],
    ['rollback fraud-scorer --before', '`--before` needs something after it'],
    ['rollback fraud-scorer --before tomorrow', '`--before` `tomorrow`: It was not understood as a time'],
    ['rollback fraud-scorer --before 14:00', 'Did you mean `yesterday 14:00`?'],
    ['rollback fraud-scorer --to', '`--to` needs something after it'],
    ['rollback fraud-scorer --now=yes', '`--now` takes no value'],
    ['extend fraud-scorer 45m', '`10m`, `30m` or `60m`'],
    ['hold fraud-scorer soon', '`soon` is no duration'],
    ['automation fraud-scorer', 'Say `on` or `off` first'],
    ['start fraud-scorer', 'Something is missing'],
    ['start fraud-scorer {v42}', '`{v42}` is no version'],
    ['help rolback', 'Did you mean `/rollout rollback`?'],
    ['constructor', 'There is no `/rollout constructor`'],
    ['rollback __proto__', 'There is no service `__proto__`'],
  ])('%s', async (text, words) => {
    const { text: answered, app } = await typed(text);
    expect(answered).toContain(words);
    expect(app.commands).toEqual([]);
    expect(app.starts).toEqual([]);
  });

  it('shows how the subcommand goes', async () => {
    expect((await typed('extend fraud-scorer 45m')).text).toContain(
      'Nothing was changed.\nUsage: `/rollout extend SERVICE 10m|30m|60m [--reason TEXT]`',
    );
  });

  it('says so where no policy is loaded', async () => {
    expect((await typed('rollback x', application())).text).toContain('No policy is loaded');
    expect((await typed('status', application())).text).toContain('No policy is loaded');
  });

  it("is never taken for Slack's own syntax", async () => {
    for (const one of SUBCOMMANDS) {
      expect((await typed(`${one.name} ${NASTY}`)).text).not.toMatch(/<!|<https:|‮/);
    }
    expect((await typed(NASTY)).text).not.toMatch(/<!|<@/);
  });
});

describe('help', () => {
  it('is what the bare command answers, with every subcommand', async () => {
    const { text } = await typed('');
    for (const one of SUBCOMMANDS) expect(text).toContain(`\`/rollout ${one.name}`);
    expect((await typed('help')).text).toBe(text);
  });

  it('of one of them shows an example', async () => {
    expect((await typed('help rollback')).text).toBe(
      [
        '`/rollout rollback SERVICE [--to VERSION | --before WHEN] [--now] [--reason TEXT]` Go back by phases, or with --now at once; to the last known good, or to the version you say',
        'For example `/rollout rollback fraud-scorer --now --reason errors doubled`',
        'For example `/rollout rollback fraud-scorer --to v41`',
        'For example `/rollout rollback fraud-scorer --before "2 h ago"`',
      ].join('\n'),
    );
  });
});

describe('answers', () => {
  it('a refusal says what to do, with approvers mentioned and nothing else', async () => {
    const app = application('fraud-scorer');
    app.onCommand = () => ({ ok: false, refusal: { code: 'forbidden', text: 'Takes one of: <@U0BOB0000>. <!here>' } });
    expect((await typed('rollback', app)).text).toBe('✋ Takes one of: <@U0BOB0000>. &lt;!here&gt;');
  });

  it('a rollback after 100 % names the version and the evidence, and when that was', async () => {
    const app = application('fraud-scorer');
    const served = servedLong[1];
    if (!served) throw new Error('v41 is missing');
    const wayBack = {
      served,
      cleanMs: 72 * 3_600_000,
      neededMs: 3_600_000,
      chosenBy: 'evidence',
      passedOver: [],
    } as const;
    app.onCommand = () => {
      app.all = [{ policy: policy(), state: state({ rollout: rollout({ ...watched, wayBack }) }) }];
      return { ok: true, text: 'Rolling back to v41 by phases.', duplicate: false };
    };
    const { text } = await typed('rollback --before 90m', app);
    expect(text.split('\n').slice(0, 2)).toEqual([
      '✅ Rolling back to v41 by phases.',
      'As it was on 21 Nov 10:30 UTC.',
    ]);
    expect(text).toContain('⏪ *Last known good: `v41`* — served 3 d 4 h until');
    app.onCommand = () => ({ ok: false, refusal: { code: 'conflict', text: 'Not now.' } });
    expect((await typed('rollback --before 90m', app)).text).toBe('✋ Not now.');
  });

  it('a start refused for what has to succeed elsewhere says where to look', async () => {
    const app = application('fraud-scorer');
    app.all = [{ policy: policy({ requires: { service: 'fraud-staging' } }), state: state() }];
    app.onStart = () => ({
      ok: false,
      refusal: { code: 'conflict', text: 'v43 has to succeed on fraud-staging before it starts on fraud-scorer.' },
    });
    expect((await typed('start v43', app)).text).toBe(
      '✋ v43 has to succeed on fraud-staging before it starts on fraud-scorer.\nHow it stands there: `/rollout status fraud-staging`',
    );
    app.onStart = () => ({ ok: false, refusal: { code: 'conflict', text: 'fraud-scorer is frozen.' } });
    expect((await typed('start v43', app)).text).toBe('✋ fraud-scorer is frozen.');
  });

  it('history and status show what served', async () => {
    const app = application('fraud-scorer');
    app.all = [{ policy: policy(), state: state({ served: servedLong, rollout: null, degradation: null }) }];
    app.journal = [entry()];
    for (const asked of ['history', 'status']) {
      expect((await typed(asked, app)).text).toMatch(
        /Served: `v42` since .* · `v41` 3 d 4 h · `v40` 12 min \(not proven\)/,
      );
    }
    app.journal = [];
    expect((await typed('history', app)).text).toContain('Served: `v42`');
  });

  it('status shows what is going on first', async () => {
    const app = application('aaa-quiet', 'fraud-scorer');
    const quiet = view('rollout', { rollout: null, degradation: null });
    app.all = [
      { policy: policy({ service: 'aaa-quiet' }), state: { ...quiet.state, degradation: null, service: 'aaa-quiet' } },
      { policy: policy(), state: state() },
    ];
    const { text } = await typed('status', app);
    expect(text.indexOf('fraud-scorer')).toBeLessThan(text.indexOf('aaa-quiet'));
    expect(text).toContain('Automatic rollback at');
    expect(text).toContain('`v41` serves everything; nothing is under way');
    expect((await typed('status fraud-scorer', app)).text).not.toContain('aaa-quiet');
  });

  it('history shows sentences with absolute times', async () => {
    const app = application('fraud-scorer');
    app.journal = [entry(), entry({ atMs: at(0), what: 'question-opened', text: 'HighErrorRate fires' })];
    expect((await typed('history', app)).text).toContain(
      '|2026-11-21 12:04:00 UTC> ⏪ @ada takes fraud-scorer back to v41: 50 % → 10 % → 0 %. Reason: errors doubled',
    );
    app.journal = [];
    expect((await typed('history', app)).text).toContain('Nothing has happened');
  });

  it('policy shows strategy, objective, requirement, silence and commit where they are set', async () => {
    const app = application('fraud-scorer');
    expect((await typed('policy', app)).text).toContain('`fraud-scorer@rev1` · target');
    const patch = {
      commit: '4f5e6d7+',
      strategy: blueGreen.strategy,
      objective: 'better',
      requires: { service: 'fraud-staging' },
      silence: { forMs: 3_600_000 },
    } as const;
    app.all = [{ policy: policy(patch), state: state() }];
    const { text } = await typed('policy', app);
    expect(text).toContain('`fraud-scorer@rev1` (commit `4f5e6d7+`)');
    expect(text).toContain(
      '*Strategy* blue/green: two whole arms, all traffic in one step; warm-up: ready for 1 min on end within 5 min; the old arm is kept 2 h',
    );
    expect(text).toContain('*Gate* passes when no metric is worse and at least one is better');
    expect(text).toContain('*Requires* that the version has succeeded on `fraud-staging` first');
    expect(text).toContain('*Silence* alerts are silenced in Alertmanager while it is rolled back, for 1 h at most');
  });

  it('policy shows the rules without addresses that hold secrets', async () => {
    const app = application('fraud-scorer');
    app.all = [
      {
        policy: policy({
          prometheus: {
            url: 'https://user:pw@prom',
            headers: { authorization: 'Bearer s3cret' },
            tls: { ca: null, cert: null, key: null, insecure: false },
          },
          target: { kind: 'http', config: { token: 's3cret' } },
          escalate: { afterMs: 1, repeatMs: 1, routingKey: 's3cret', severity: 'critical' },
        }),
        state: state(),
      },
    ];
    const { text } = await typed('policy', app);
    expect(text).toContain(
      '*Steps* 10 % (10 min, at most 30 min) → 50 % (10 min, at most 30 min) → 100 %\n*Watch* 1 d after',
    );
    expect(text).toContain('then 15 min to answer (10 min if critical), then rollback; without numbers hold');
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain('pw@prom');
  });
});

describe('words', () => {
  it('come apart at blanks, and stay together in quotes', () => {
    expect(tokens(`a "b c" 'd e' it's --to="v 1" f"g`)).toEqual(['a', 'b c', 'd e', "it's", '--to=v 1', 'f"g']);
    expect(tokens('   ')).toEqual([]);
  });

  it('lose what Slack and phones put around them', () => {
    expect(asTyped('<@U024BE7LH|ada> <#C1|general> &lt;x&gt; —now a – b')).toBe('@U024BE7LH #C1 <x> --now a – b');
  });

  it('are sorted into positionals and flags', () => {
    const words = sortWords(['x', '--reason', 'a', '--odd', 'b', '--now', 'y'], { reason: 'text', now: 'switch' });
    expect(words.positional).toEqual(['x', 'y']);
    expect([...words.flags]).toEqual([
      ['reason', 'a --odd b'],
      ['now', null],
    ]);
  });

  it.each([
    ['30m', 1_800_000],
    ['90 s', 90_000],
    ['1h30m', 5_400_000],
    ['10min', 600_000],
    ['1d', 86_400_000],
    ['30', null],
    ['m', null],
    ['30m!', null],
    ['', null],
  ])('%j is %j ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    ['rolback', 'rollback'],
    ['rollbcak', 'rollback'],
    ['prom', 'promote'],
    ['xyzzy', null],
  ])('%s is nearest to %s', (word, expected) => {
    expect(
      nearest(
        word,
        SUBCOMMANDS.map((one) => one.name),
      ),
    ).toBe(expected);
  });
});

describe('typed in Slack', () => {
  it('is answered to the person alone', async () => {
    await using scene = await stage();
    await scene.workspace.user(ada.id).type('#ml-rollouts', '/rollout rollback --now --reason errors');
    expect(scene.application.commands[0]).toMatchObject({
      command: { name: 'rollback', pace: 'at-once', reason: 'errors' },
      actor: { kind: 'person', id: ada.id, name: 'ada' },
      key: expect.stringMatching(/\S/),
    });
    const [told] = scene.workspace.user(ada.id).ephemerals();
    expect(told?.text).toBe('✅ Done.');
    expect(scene.workspace.messages('#ml-rollouts').filter((m) => m.bot_id)).toEqual([]);
  });

  it('what takes long is acknowledged in time and answered when it is done', async () => {
    await using scene = await stage();
    const slow = Promise.withResolvers<{ ok: true; text: string; duplicate: false }>();
    scene.application.onStart = () => slow.promise;
    expect(await scene.workspace.user(ada.id).type('#ml-rollouts', '/rollout start v42')).toMatchObject({ ok: true });
    expect(scene.workspace.user(ada.id).ephemerals()).toEqual([]);
    slow.resolve({ ok: true, text: 'v42 begins at 10 %.', duplicate: false });
    const told = await eventually(() => scene.workspace.user(ada.id).ephemerals()[0]);
    expect(told.text).toBe('✅ v42 begins at 10 %.');
  });

  it('our own trouble is told, and its insides are not', async () => {
    await using scene = await stage();
    scene.application.onCommand = () => {
      throw new Error('SQLITE_BUSY');
    };
    await scene.workspace.user(ada.id).type('#ml-rollouts', '/rollout ack');
    expect(scene.workspace.user(ada.id).ephemerals()[0]?.text).toContain("went wrong on Lastgood's side");
    expect(scene.telemetry.problems).toEqual(['slack command: SQLITE_BUSY']);
  });
});
