import { describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/command.ts';
import { runCli } from '../../src/cli/run.ts';
import { variables } from '../../src/config.ts';

async function run(argv: string[], env: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    env,
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colours: false,
    stopRequested: () => Promise.resolve('SIGTERM'),
  };
  const code = await runCli(argv, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('the command line', () => {
  it.each([[[]], [['help']], [['--help']], [['-h']]])('shows help for %j', async (argv) => {
    const { code, out, err } = await run(argv);
    expect([code, err]).toEqual([0, '']);
    for (const command of [
      'serve',
      'demo',
      'validate DIR',
      'test-alert SERVICE',
      'doctor',
      'backup FILE',
      'restore FILE',
      'audit verify',
      'journal export',
      'version',
      'help',
    ]) {
      expect(out).toContain(`\n  ${command} `);
    }
    for (const { name } of variables) expect(out).toContain(`\n  ${name} `);
  });

  it('names the command that was probably meant, and does nothing', async () => {
    expect(await run(['validat'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Did you mean validate?'),
    });
    const { code, err } = await run(['xyzzy']);
    expect(code).toBe(2);
    expect(err).toContain(
      'serve, demo, validate, test-alert, doctor, backup, restore, copy-store, audit, journal, version or help',
    );
  });

  it('says how a command is used that was called in another way', async () => {
    expect(await run(['validate'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/DIR is missing\.\nUsage: lastgood validate DIR/),
    });
    expect(await run(['serve', 'now'])).toMatchObject({ code: 2, err: expect.stringContaining('now') });
    expect(await run(['test-alert', 'x', '--resolved'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--resolved'),
    });
  });

  it('explains one command without running it', async () => {
    const { code, out } = await run(['serve', '--help']);
    expect([code, out.split('\n')[0]]).toEqual([0, 'lastgood serve']);
  });

  it('says its version and the Node it runs on', async () => {
    expect((await run(['version'])).out).toMatch(/^lastgood \d+\.\d+\.\d+ \(Node 2\d\./);
    expect((await run(['--version'])).code).toBe(0);
  });

  it('lists everything that is missing for serve', async () => {
    const { code, out, err } = await run(['serve'], { PORT: 'x' });
    expect([code, out]).toEqual([1, '']);
    for (const name of ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET', 'ALERTMANAGER_WEBHOOK_TOKEN', 'PORT']) {
      expect(err).toContain(`\n  - ${name} `);
    }
  });
});
