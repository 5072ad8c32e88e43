import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { judged } from '../../scripts/release/audit.ts';
import { type Bill, type Lock, missingFrom, shipped } from '../../scripts/release/bill.ts';
import { changelogProblem, lockProblem, tagProblem, treeProblem, versionProblem } from '../../scripts/release/state.ts';
import { secretIn, strangers } from '../../scripts/release/tarball.ts';
import { serve } from '../outbound/loopback.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

describe('before a release', () => {
  it('the change log begins with the version and a day', () => {
    expect(
      changelogProblem('1.2.3', '# Changelog\n\n## 1.2.3 (2026-11-21)\n\n- x\n\n## 1.2.2 (2026-01-01)\n'),
    ).toBeNull();
    expect(changelogProblem('1.2.3', '## 1.2.3 (unreleased)\n')).toContain('begins with "1.2.3 (unreleased)"');
    expect(changelogProblem('1.2.3', '## 1.2.2 (2026-01-01)\n## 1.2.3 (2026-11-21)')).not.toBeNull();
    expect(changelogProblem('1.2.3', '## 1x2.3 (2026-11-21)')).not.toBeNull();
  });

  it('version, lock file, tree and tag agree', () => {
    expect([versionProblem('0.1.0'), versionProblem('1.0.0-rc.1')]).toEqual([null, null]);
    expect(versionProblem('v1')).toContain('MAJOR.MINOR.PATCH');
    expect(lockProblem('0.1.0', '{"version":"0.1.0"}')).toBeNull();
    expect(lockProblem('0.2.0', '{"version":"0.1.0"}')).toContain('npm install --package-lock-only');
    expect(treeProblem('')).toBeNull();
    expect(treeProblem(' M src/app.ts\n?? x\n')).toContain('2 files are not as they were committed (src/app.ts …)');
    expect(tagProblem('0.1.0', '\n')).toBeNull();
    expect(tagProblem('0.1.0', 'v0.1.0\n')).toContain('released before');
  });
});

describe('what npm audit says', () => {
  it.each([
    ['nothing known', '{"metadata":{"vulnerabilities":{"total":0}},"vulnerabilities":{}}', 'clean'],
    [
      'a slight one',
      '{"metadata":{"vulnerabilities":{"total":1}},"vulnerabilities":{"a":{"name":"a","severity":"low","range":"<2"}}}',
      'findings',
    ],
    ['no answer', '{"message":"request failed, reason: connect ECONNREFUSED","error":{"summary":""}}', 'unknown'],
    ['a page of a proxy', '<html>', 'unknown'],
    ['nothing', '', 'unknown'],
  ])('%s', (_what, out, outcome) => {
    expect(judged({ out, err: '', code: outcome === 'clean' ? 0 : 1 }).outcome).toBe(outcome);
  });
});

describe('the bill of materials', () => {
  const lock: Lock = {
    name: 'lastgood',
    packages: {
      '': { version: '1.0.0' },
      'node_modules/yaml': { version: '2.0.0' },
      'node_modules/@a/b': { version: '1.0.0' },
      'node_modules/c/node_modules/yaml': { version: '1.0.0' },
      'node_modules/vitest': { version: '4.0.0', dev: true },
      'node_modules/pg-cloudflare': { version: '1.0.0', optional: true },
    },
  };
  const component = (name: string, version: string, group?: string) => ({
    'bom-ref': `${group ?? ''}${name}@${version}`,
    name,
    version,
    group,
  });
  const all: Bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    metadata: { component: { 'bom-ref': 'root', name: 'folder' } },
    components: [
      component('yaml', '2.0.0'),
      component('yaml', '1.0.0'),
      component('b', '1.0.0', '@a'),
      component('vitest', '4.0.0'),
    ],
    dependencies: [
      { ref: 'root', dependsOn: ['yaml@2.0.0', 'vitest@4.0.0'] },
      { ref: 'vitest@4.0.0', dependsOn: ['yaml@2.0.0'] },
    ],
  };

  it('has what is installed to run it, also where development needs it too, and nothing else', () => {
    const made = shipped(all, lock);
    expect(made.components.map((one) => one['bom-ref'])).toEqual(['yaml@2.0.0', 'yaml@1.0.0', '@ab@1.0.0']);
    expect(made.dependencies).toEqual([{ ref: 'root', dependsOn: ['yaml@2.0.0'] }]);
    expect(made.metadata.component.name).toBe('lastgood');
    expect(missingFrom(made, lock)).toEqual([]);
  });

  it('does not pass where one is missing', () => {
    expect(missingFrom({ components: [component('yaml', '2.0.0')] }, lock)).toEqual(['@a/b@1.0.0', 'yaml@1.0.0']);
  });
});

describe('the tarball', () => {
  it('holds no tests, data, keys or anything nobody thought of', () => {
    const fine = [
      'package.json',
      'README.md',
      'bin/lastgood.js',
      'src/app.ts',
      'src/workspace/page/page.css',
      'policies/a.yaml',
      'docs/policy.md',
    ];
    expect(strangers(fine)).toEqual([]);
    const foreign = [
      'test/a.test.ts',
      'src/a.test.ts',
      'src/.env',
      '.ci/run',
      'data/lastgood.db',
      'src/x.pem',
      'notes.txt',
      'node_modules/a/index.js',
      'docs/pictures/a.webp',
    ];
    expect(strangers(foreign)).toHaveLength(foreign.length);
  });

  it('holds nothing that looks like a secret, and a placeholder is none', () => {
    // Put together here, or this file would be found itself.
    for (const secret of [
      `xoxb-${'1'.repeat(12)}-${'a'.repeat(24)}`,
      `-----BEGIN ${'RSA '}PRIVATE KEY-----`,
      `ghp_${'a'.repeat(36)}`,
    ])
      expect(secretIn(`token: ${secret}\n`)).not.toBeNull();
    expect(secretIn('must begin with xoxb-, such as xoxb-…; -----BEGIN CERTIFICATE-----')).toBeNull();
  });
});

/** The whole of it, with npm asking somebody here for weaknesses. */
async function rehearsed(
  answer: ((url: string, response: ServerResponse) => void) | null,
  args: readonly string[] = ['--dry-run'],
) {
  const out = await mkdtemp(join(tmpdir(), 'lastgood-release-'));
  ending.push(() => rm(out, { recursive: true, force: true }));
  let registry = 'http://127.0.0.1:9/';
  if (answer) {
    const server = await serve((request, response) => {
      request.resume();
      request.once('end', () => answer(request.url ?? '', response));
    });
    ending.push(() => server.stop());
    registry = `${server.url}/`;
  }
  const env = {
    ...process.env,
    npm_config_registry: registry,
    npm_config_fetch_retries: '0',
    npm_config_cache: join(out, 'cache'),
  };
  const made = join(out, 'release');
  const said = await new Promise<{ code: number; text: string }>((resolve) => {
    const command = [join(root, 'scripts/release.ts'), ...args, '--out', made];
    execFile(process.execPath, command, { cwd: root, env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    );
  });
  const files = await readdir(made).catch(() => []);
  return { ...said, made, files };
}

/** A registry that knows of a weakness in one package, whatever its version. */
function weak(name: string, version: string) {
  const advisory = {
    id: 1,
    url: 'https://advisories.example/1',
    title: 'Bad',
    severity: 'low',
    vulnerable_versions: '*',
  };
  const known = { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version } } };
  return (url: string, response: ServerResponse) => {
    const body = url.includes('advisories') ? { [name]: [advisory] } : known;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

describe('npm run release', () => {
  it('makes everything in a rehearsal, offline, and says what a release would still need', async () => {
    const { code, text, made, files } = await rehearsed(null);
    expect(text).toContain('npm audit: the endpoint could not be asked');
    expect(text).toContain('Would stop a release: Whether dependencies have known weaknesses could not be asked.');
    expect(code, text).toBe(0);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const [bom, lock, tarball] = [
      `lastgood-${version}.cdx.json`,
      `lastgood-${version}.package-lock.json`,
      `lastgood-${version}.tgz`,
    ];
    expect(files.sort()).toEqual(['SHA256SUMS', bom, lock, tarball].sort());
    for (const line of (await readFile(join(made, 'SHA256SUMS'), 'utf8')).trim().split('\n')) {
      const [hash, file = ''] = line.split('  ');
      expect(
        createHash('sha256')
          .update(await readFile(join(made, file)))
          .digest('hex'),
        file,
      ).toBe(hash);
    }
    const { components } = JSON.parse(await readFile(join(made, bom), 'utf8')) as Bill;
    const names = components.map(({ group, name }) => `${group ? `${group}/` : ''}${name}`);
    expect(names).toEqual(expect.arrayContaining(['@slack/bolt', 'yaml', 'pg', 'pg-protocol', 'split2']));
    expect(names).not.toEqual(expect.arrayContaining(['vitest']));
    expect(text).not.toMatch(/^ +\d+ {2}(test|\.ci)\//m);
  });

  it('makes nothing where a dependency has a known weakness, rehearsal or not', async () => {
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const { code, text, files } = await rehearsed(weak('axios', dependencies.axios));
    expect(text).toMatch(/known weaknesses\n {2}axios/);
    expect([code, files]).toEqual([1, []]);
  });

  it('makes nothing in earnest where it could not be asked for them', async () => {
    const { code, text, files } = await rehearsed(null, []);
    expect(text).toContain('This is not ready to be released:');
    expect([code, files]).toEqual([1, []]);
  });
});
