import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptPolicies, loadPolicies } from '../../src/policies/index.ts';
import { targetSchemas } from '../../src/targets/index.ts';

let root: string;
let directory: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lastgood-kept-'));
  directory = join(root, 'policies');
  file = join(root, 'policies.kept');
  mkdirSync(join(directory, 'templates'), { recursive: true });
  writeFileSync(join(directory, 'templates', 'all.yaml'), template());
  for (const service of ['cat', 'dog']) writeFileSync(join(directory, `${service}.yaml`), policy(service));
});
afterEach(() => rmSync(root, { recursive: true }));

const secrets = { LASTGOOD_SECRET_ROUTER: 'router-secret-value', LASTGOOD_SECRET_PROM: 'prom-secret-value' };

function template(soak = '10m', prometheus = `bearer: "\${LASTGOOD_SECRET_PROM}"`): string {
  return `mode: enforce
channel: "#models"
target:
  kind: http
  observe:
    url: http://127.0.0.1:9000/split
    headers: { Authorization: "Bearer \${LASTGOOD_SECRET_ROUTER}" }
    stable: /stable
    candidate: /candidate
    exposure: /percent
    ready: /ready
  shift: { method: PUT, url: "http://127.0.0.1:9000/split", body: { percent: "{{candidate.percent}}" } }
steps: [{ exposure: 10, soak: ${soak} }, { exposure: 100 }]
metrics:
  - { name: errors, kind: proportion, bad: 'bad_total{version="{{version}}"}', total: 'all_total{version="{{version}}"}' }
approvers: { users: ["*"] }
prometheus: { url: "http://127.0.0.1:9090", ${prometheus} }
`;
}

function policy(service: string, more = ''): string {
  return `extends: templates/all.yaml\nservice: ${service}\nalerts: [{ match: ['service="${service}"'] }]\n${more}`;
}

async function read(options: { secrets?: Record<string, string>; code?: string; saves?: boolean } = {}) {
  const given = options.secrets ?? secrets;
  const kept = await KeptPolicies.open(file, given, options.code ?? 'one');
  const result = await loadPolicies({ directory, targets: targetSchemas, secrets: given, kept });
  if (options.saves !== false) await kept.save();
  return result;
}
const anew = (given: Record<string, string> = secrets) =>
  loadPolicies({ directory, targets: targetSchemas, secrets: given });
/** Those whose files were not read anew have no text. */
const wereKept = ({ policies }: Awaited<ReturnType<typeof read>>) => policies.map(({ yaml }) => yaml === null);
const plain = ({ policies, warnings, problems, files }: Awaited<ReturnType<typeof read>>) => ({
  policies: policies.map(({ yaml: _, ...loaded }) => loaded),
  warnings,
  problems,
  files,
});

describe('what policies came to', () => {
  it('is the same when it comes from what was kept, warnings and secrets included', async () => {
    writeFileSync(join(directory, 'templates', 'all.yaml'), template('1s'));
    const first = await read();
    const again = await read();
    expect([wereKept(first), wereKept(again)]).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(plain(again)).toEqual(plain(await anew()));
    expect(again.warnings.length).toBeGreaterThan(0);
    expect(JSON.stringify(again.policies)).toContain('router-secret-value');
  });

  it('holds what services share once', async () => {
    await read();
    const [cat, dog] = (await read()).policies;
    expect(cat?.policy.metrics).toBe(dog?.policy.metrics);
    expect(cat?.policy.service).not.toBe(dog?.policy.service);
  });

  it('is the very same policy at each look, with its commit, until it has another', async () => {
    await read();
    const kept = await KeptPolicies.open(file, secrets, 'one');
    const look = async (commit: string | null) => {
      const commits = async (_: string, groups: readonly unknown[]) => groups.map(() => commit);
      return (await loadPolicies({ directory, targets: targetSchemas, secrets, kept, commits })).policies;
    };
    const [first, again, other] = [await look('abc1234'), await look('abc1234'), await look('def5678+')];
    expect(first.map(({ policy }) => policy.commit)).toEqual(['abc1234', 'abc1234']);
    for (const [index, { policy }] of first.entries()) {
      expect(again[index]?.policy).toBe(policy);
      expect(other[index]?.policy).toEqual({ ...policy, commit: 'def5678+' });
    }
    // Nobody can say it by the next start: it is asked for anew.
    writeFileSync(join(directory, 'eel.yaml'), policy('eel'));
    await look('abc1234');
    await kept.save();
    expect(plain(await read())).toEqual(plain(await anew()));
  });

  it('can be written down again after it was read from there, secrets only named', async () => {
    writeFileSync(join(directory, 'templates', 'all.yaml'), template('1s'));
    await read();
    writeFileSync(join(directory, 'dog.yaml'), policy('dog', 'description: "barks for $${LASTGOOD_SECRET_PROM}"\n'));
    expect(wereKept(await read())).toEqual([true, false]);
    expect(readFileSync(file).toString('latin1')).not.toMatch(/router-secret|prom-secret/);
    const again = await read();
    expect(wereKept(again)).toEqual([true, true]);
    expect(plain(again)).toEqual(plain(await anew()));
    const [cat, dog] = again.policies;
    expect(cat?.policy.target).toBe(dog?.policy.target);
    expect(cat?.warnings).toBe(dog?.warnings);
    expect(cat?.templates).toBe(dog?.templates);
  });

  it('is read anew where the file, a template, a secret or the code is another', async () => {
    await read();
    writeFileSync(join(directory, 'dog.yaml'), policy('dog', 'description: Barks\n'));
    const edited = await read();
    expect(wereKept(edited)).toEqual([true, false]);
    expect(edited.policies[1]?.policy.description).toBe('Barks');

    writeFileSync(join(directory, 'templates', 'all.yaml'), template('20m'));
    const templated = await read();
    expect(wereKept(templated)).toEqual([false, false]);
    expect(templated.policies.map(({ policy }) => policy.steps[0]?.soakMs)).toEqual([1_200_000, 1_200_000]);

    const other = { ...secrets, LASTGOOD_SECRET_PROM: 'another-secret' };
    const turned = await read({ secrets: other });
    expect(wereKept(turned)).toEqual([false, false]);
    expect(plain(turned)).toEqual(plain(await anew(other)));

    expect(wereKept(await read({ secrets: other, code: 'two' }))).toEqual([false, false]);
    expect(wereKept(await read({ secrets: other, code: 'two' }))).toEqual([true, true]);
  });

  it('is written down without a secret, for nobody else to read', async () => {
    writeFileSync(`${file}.new`, 'from a crash');
    chmodSync(`${file}.new`, 0o644);
    await read();
    const text = readFileSync(file).toString('latin1');
    expect(text).toContain('LASTGOOD_SECRET_ROUTER');
    expect(text).not.toMatch(/router-secret|prom-secret/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not written down where a secret went into something else, or a certificate would be', async () => {
    const basic = `basic: { username: ann, password: "\${LASTGOOD_SECRET_PROM}" }`;
    // This one can be kept: the file is there.
    writeFileSync(join(directory, 'ape.yaml'), `${template()}service: ape\nalerts: []\n`);
    writeFileSync(join(directory, 'templates', 'all.yaml'), template('10m', basic));
    await read();
    expect(wereKept(await read())).toEqual([true, false, false]);
    expect(readFileSync(file).toString('latin1')).not.toContain(
      Buffer.from('ann:prom-secret-value').toString('base64'),
    );

    writeFileSync(join(directory, 'key.pem'), '-----BEGIN PRIVATE KEY-----\nsecret bytes\n');
    writeFileSync(join(directory, 'templates', 'all.yaml'), template('10m', 'tls: { cert: key.pem, key: key.pem }'));
    await read();
    expect(wereKept(await read())).toEqual([true, false, false]);
    expect(readFileSync(file).toString('latin1')).not.toContain('secret bytes');
  });

  it('shows no secret where a policy writes its name as plain text', async () => {
    const plainly = policy('cat', 'description: "costs $${LASTGOOD_SECRET_PROM}"\n');
    writeFileSync(join(directory, 'cat.yaml'), plainly);
    await read();
    const again = await read();
    expect(again.policies[0]?.policy.description).toBe(`costs \${LASTGOOD_SECRET_PROM}`);
  });

  it('does not count where its file is damaged, cut off, empty or gone', async () => {
    await read();
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged[whole.length - 20] = (damaged[whole.length - 20] ?? 0) ^ 1;
    for (const bytes of [damaged, whole.subarray(0, -1), whole.subarray(0, 30), Buffer.alloc(0)]) {
      writeFileSync(file, bytes);
      const result = await read({ saves: false });
      expect(wereKept(result)).toEqual([false, false]);
      expect(result.problems).toEqual([]);
    }
    rmSync(file);
    expect(wereKept(await read())).toEqual([false, false]);
    expect(wereKept(await read())).toEqual([true, true]);
  });

  it('says what is wrong among files with its line, though they are right by themselves', async () => {
    writeFileSync(join(directory, 'dog.yaml'), policy('dog', 'requires: cat\n'));
    await read();
    rmSync(join(directory, 'cat.yaml'));
    const { problems } = await read();
    expect(problems).toEqual((await anew()).problems);
    expect(problems).toEqual([expect.objectContaining({ line: 4, message: 'there is no policy for cat' })]);

    writeFileSync(join(directory, 'cat.yaml'), policy('cat'));
    await read();
    writeFileSync(join(directory, 'eel.yaml'), policy('cat'));
    expect((await read()).problems).toEqual((await anew()).problems);
  });

  it('finds no fault with a broken file beside it', async () => {
    await read();
    writeFileSync(join(directory, 'dog.yaml'), policy('dog', 'mood: good\n'));
    const result = await read();
    expect(wereKept(result)).toEqual([true]);
    expect(result.problems).toEqual((await anew()).problems);
  });
});
