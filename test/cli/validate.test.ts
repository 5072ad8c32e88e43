import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/command.ts';
import { examinePolicies } from '../../src/cli/doctor/local.ts';
import { runCli } from '../../src/cli/run.ts';
import { directoryWith } from '../policies/support.ts';

const minimal = readFileSync(new URL('../../policies/minimal.yaml', import.meta.url), 'utf8');
/** So few requests that nothing can be noticed. */
const quiet = `${minimal.replace(/^traffic:.*\n/m, '')}\ntraffic: 1/min\n`;

async function validate(directory: string, more: readonly string[] = [], colours = false) {
  const out: string[] = [];
  const io: Io = {
    env: {},
    out: (line) => void out.push(line),
    err: (line) => void out.push(`error: ${line}`),
    colours,
    stopRequested: () => Promise.resolve('SIGTERM'),
  };
  return { code: await runCli(['validate', directory, ...more], io), out };
}

describe('lastgood validate of a policy that is right and will notice nothing', () => {
  it('warns with file, line and column, and passes', async () => {
    const directory = await directoryWith({ 'minimal.yaml': quiet });
    const { code, out } = await validate(directory);
    expect(code).toBe(0);
    expect(out[0]?.startsWith(join(directory, 'minimal.yaml:'))).toBe(true);
    expect(out[0]).toMatch(
      /minimal\.yaml:\d+:\d+ {2}warning: metrics\[0\](\.minimum)?: .* at 1\/min and \d+ % exposure, /,
    );
    expect(out.at(-1)).toMatch(/^1 policy, 0 problems, \d+ warnings?$/);
    expect(out.join('\n')).not.toContain('\u001b[');
  });

  it('fails where --strict is given', async () => {
    const directory = await directoryWith({ 'minimal.yaml': quiet });
    expect((await validate(directory, ['--strict'])).code).toBe(1);
    const silent = await directoryWith({ 'minimal.yaml': quiet.replace('\ntraffic: 1/min\n', '') });
    expect(await validate(silent, ['--strict'])).toEqual({ code: 0, out: ['1 policy, 0 problems'] });
  });

  it('is yellow on a terminal, and the summary green', async () => {
    const { out } = await validate(await directoryWith({ 'minimal.yaml': quiet }), [], true);
    expect(out[0]?.startsWith('\u001b[33m')).toBe(true);
    expect(out.at(-1)?.startsWith('\u001b[32m')).toBe(true);
  });

  it('is a remark of lastgood doctor', async () => {
    const policyDir = await directoryWith({ 'minimal.yaml': quiet });
    const client = { policyDir, policySecrets: {}, port: 0, webhookTokens: [] };
    const { findings } = await examinePolicies({ section: { title: '', findings: [] }, config: null, client });
    expect(findings.map(({ level }) => level)).toEqual(['fine', 'remark']);
    expect(findings[1]?.text).toContain('1/min');
  });
});
