import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/command.ts';
import { examinePolicies } from '../../src/cli/doctor/local.ts';
import { runCli } from '../../src/cli/run.ts';
import { directoryWith } from '../policies/support.ts';

const minimal = readFileSync(new URL('../../policies/minimal.yaml', import.meta.url), 'utf8');
/** So few requests that nothing can be noticed. */
const quiet = `${minimal.replace(/^traffic:.*\n/m, '')}\ntraffic: 1/min\n`;

async function validate(directory: string, more: readonly string[] = [], colours = false, env = {}) {
  const out: string[] = [];
  const io: Io = {
    env,
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

describe('lastgood validate where secrets are not set', () => {
  const router = /^ {4}url: .*\n/m.exec(minimal)?.[0] ?? '';
  const secretly = minimal.replace(
    router,
    `${router}    headers: { Authorization: "Bearer \${LASTGOOD_SECRET_ROUTER}" }\n`,
  );

  it('warns of each by its name and place, checks all the rest, and passes; --strict fails', async () => {
    const directory = await directoryWith({ 'minimal.yaml': secretly });
    const { code, out } = await validate(directory);
    expect([code, out.at(-1)]).toEqual([0, '1 policy, 0 problems, 1 warning']);
    expect(out[0]).toMatch(
      /minimal\.yaml:\d+:\d+ {2}warning: target\.\w+\.headers\.Authorization: \$\{LASTGOOD_SECRET_ROUTER\} is not set: give Lastgood the environment variable LASTGOOD_SECRET_ROUTER/,
    );
    expect((await validate(directory, ['--strict'])).code).toBe(1);
    const set = { LASTGOOD_SECRET_ROUTER: 'of-the-router' };
    expect(await validate(directory, ['--strict'], false, set)).toEqual({ code: 0, out: ['1 policy, 0 problems'] });
  });

  it('still fails on what is wrong besides, and on what is no secret', async () => {
    const wrong = await directoryWith({ 'minimal.yaml': secretly.replace(/^mode: .*$/m, 'mode: sometimes') });
    const { code, out } = await validate(wrong);
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(/ {2}mode: [\s\S]*LASTGOOD_SECRET_ROUTER[\s\S]*1 policy, 1 problem, 1 warning$/);
    const home = await directoryWith({ 'minimal.yaml': secretly.replace('LASTGOOD_SECRET_ROUTER', 'HOME') });
    expect((await validate(home)).code).toBe(1);
  });

  it('passes all that are shipped as examples', async () => {
    const { code, out } = await validate(fileURLToPath(new URL('../../policies', import.meta.url)));
    expect(code).toBe(0);
    expect(out.join('\n')).toContain('LASTGOOD_SECRET_PAGERDUTY');
    expect(out.at(-1)).toMatch(/^\d+ policies, 0 problems, \d+ warnings$/);
  });
});

describe('lastgood validate --measure', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** Answers every query with one number; null: with no series. */
  async function prometheus(numberOf: (query: string) => number | null): Promise<{ PROMETHEUS_URL: string }> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const number = numberOf(new URLSearchParams(Buffer.concat(chunks).toString()).get('query') ?? '');
        const result = number === null ? [] : [{ metric: {}, value: [0, String(number)] }];
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { PROMETHEUS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  const policy = quiet
    .replace(/^metrics:\n(?:(?: .*)?\n)+/m, '')
    .replace('traffic: 1/min', '')
    .concat(`metrics:
  - name: errors
    kind: proportion
    bad: 'bad_total{version="{{version}}"}'
    total: 'all_total{version="{{version}}"}'
`);

  it('goes by the traffic of the whole service, and by how much of it is bad', async () => {
    const directory = await directoryWith({ 'minimal.yaml': policy });
    const queries: string[] = [];
    const env = await prometheus((query) => {
      queries.push(query);
      return query.includes('bad_total') ? 0.8 : 20;
    });
    const { code, out } = await validate(directory, ['--measure'], false, env);
    expect([code, out[0]]).toEqual([
      0,
      expect.stringMatching(
        /at 20\/s and \d+ % exposure, 1\.5 times as many bad events \(6 % instead of 4 %\) would take/,
      ),
    ]);
    expect(queries).toHaveLength(2);
    expect(queries[0]).toContain('rate(all_total{version=~".+"}[1d])');
    expect((await validate(directory)).out).toEqual(['1 policy, 0 problems']);
  });

  it('falls back to what the policy says where there are no series', async () => {
    const directory = await directoryWith({ 'minimal.yaml': `${policy}traffic: 30/s\n` });
    const { out } = await validate(directory, ['--measure'], false, await prometheus(() => null));
    expect(out[0]).toMatch(/at 30\/s .* \(1\.5 % instead of 1 %\)/);
  });

  it('says why it could not measure', async () => {
    const directory = await directoryWith({ 'minimal.yaml': policy });
    const { code, out } = await validate(directory, ['--measure']);
    expect([code, out[0]]).toEqual([
      0,
      expect.stringContaining('warning: metrics: the traffic could not be measured: PROMETHEUS_URL is not set'),
    ]);
    const { out: unreachable } = await validate(directory, ['--measure'], false, {
      PROMETHEUS_URL: 'http://127.0.0.1:1',
    });
    expect(unreachable[0]).toContain('the traffic could not be measured: Prometheus could not be read');
    expect((await validate(directory, ['--measure'], false, { PROMETHEUS_URL: 'prometheus:9090' })).code).toBe(2);
  });
});
