import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/domain/policy.ts';
import { formatProblems, type LoadedPolicy, loadPolicies, parsePolicy } from '../../src/policies/index.ts';
import { base, directoryWith, policyText, secrets, targets } from './support.ts';

const options = { targets, secrets };
const service = (name: string, more = '') => `service: ${name}\nmode: enforce\n${more}`;
const template = base.replace(/^service: .*\nmode: .*\n/, '');
const extending = 'extends: templates/t.yaml\n';

async function load(files: Readonly<Record<string, string>>) {
  const directory = await directoryWith(files);
  const result = await loadPolicies({ ...options, directory });
  const problems = formatProblems(result.problems).replaceAll(`${directory}/`, '').split('\n');
  return { ...result, directory, lines: result.problems.length > 0 ? problems : [] };
}

async function policiesOf(files: Readonly<Record<string, string>>): Promise<Record<string, Policy>> {
  const { policies, lines } = await load(files);
  expect(lines).toEqual([]);
  return Object.fromEntries(policies.map(({ policy }) => [policy.service, policy]));
}

async function problemsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await load(files)).lines;
}

describe('a policy with a template', () => {
  it('has what both say; the service wins, mappings are merged, lists are replaced', async () => {
    const respond = 'respond: { grace: 2m, deadline: 20m }\n';
    const { a, b } = await policiesOf({
      'a.yaml': service('a', `${extending}respond: { deadline: 30m }\napprovers: { users: [U9], quorum: 1 }\n`),
      'b.yaml': service('b', extending),
      'templates/t.yaml': template + respond,
    });
    expect(a?.respond).toMatchObject({ graceMs: 120_000, deadlineMs: 1_800_000 });
    expect(b?.respond).toMatchObject({ graceMs: 120_000, deadlineMs: 1_200_000 });
    expect(a?.approvers).toEqual({ users: ['U9'], quorum: 1 });
    expect(b?.approvers).toEqual({ users: ['U1', 'U2', 'U3'], quorum: 2 });
  });

  it('lays several over each other in order, and those that templates extend below them', async () => {
    const { a } = await policiesOf({
      'a.yaml': service('a', 'extends: [templates/t.yaml, templates/deep/u.yml]\n'),
      'templates/t.yaml': `${template}description: t\nwatch: 1h\nrespond: { grace: 1m, hold: 1m, stability: 1m }\n`,
      'templates/deep/u.yml': 'extends: ../v.yaml\nwatch: 2h\nrespond: { grace: 2m }\n',
      'templates/v.yaml': 'description: v\nwatch: 3h\nrespond: { grace: 3m, hold: 3m }\n',
    });
    expect([a?.watchMs, a?.description]).toEqual([7_200_000, 'v']);
    expect(a?.respond).toMatchObject({ graceMs: 120_000, holdMs: 180_000, stabilityMs: 60_000 });
  });

  it('may go five deep', async () => {
    const chain = (depth: number) =>
      Object.fromEntries(
        Array.from({ length: depth }, (_, n) => [
          `templates/t${n + 1}.yaml`,
          n + 1 === depth ? template : `extends: t${n + 2}.yaml\n`,
        ]),
      );
    const own = { 'a.yaml': service('a', 'extends: templates/t1.yaml\n') };
    expect(Object.keys(await policiesOf({ ...own, ...chain(5) }))).toEqual(['a']);
    expect(await problemsOf({ ...own, ...chain(6) })).toEqual([
      'templates/t5.yaml:1:10  extends: templates may extend each other 5 deep at most',
    ]);
  });

  it('does not grow without end where templates extend each other over and over', async () => {
    const twice = (next: string) => `extends: [${next}, ${next}, ${next}]\n`;
    const lines = await problemsOf({
      'a.yaml': service('a', twice('templates/t1.yaml')),
      'templates/t1.yaml': twice('t2.yaml'),
      'templates/t2.yaml': twice('t3.yaml'),
      'templates/t3.yaml': twice('t4.yaml'),
      'templates/t4.yaml': template,
    });
    expect(lines[0]).toMatch(/extends\[\d\]: a policy may be made of 50 templates at most$/);
  });
});

describe('a problem is said where it stands', () => {
  const broken = template.replace('exposure: 100', 'exposure: 90');
  it('in the template, once for all that extend it', async () => {
    expect(
      await problemsOf({
        'a.yaml': service('a', extending),
        'b.yaml': service('b', extending),
        'templates/t.yaml': `${broken}respond: { graze: 1m }\n`,
      }),
    ).toEqual([
      'templates/t.yaml:4:17  steps[0].exposure: the last step must be 100, is 90',
      'templates/t.yaml:13:12  respond.graze: is not known: did you mean grace?',
    ]);
  });

  it('in the service’s file where that wins, or where nobody says what must be said', async () => {
    expect(
      await problemsOf({
        'a.yaml': service('a', `${extending}steps: [{ exposure: 80 }]\n`),
        'templates/t.yaml': broken.replace(/^channel: .*\n/, ''),
      }),
    ).toEqual([
      'a.yaml:1:1  channel: is missing: the Slack channel for the cards, such as "#ml-rollouts"',
      'a.yaml:4:21  steps[0].exposure: the last step must be 100, is 80',
    ]);
  });

  it('in whichever file has the key, deep in a mapping that both have', async () => {
    expect(
      await problemsOf({
        'a.yaml': service('a', `${extending}respond: { deadline: 10m }\n`),
        'templates/t.yaml': `${template}respond: { grace: 10 }\nescalate: { after: 12m }\n`,
      }),
    ).toEqual([
      'templates/t.yaml:13:19  respond.grace: must be a duration such as 30s, 2m, 1h30m or 7d, 10 lacks its unit',
      'templates/t.yaml:14:20  escalate.after: must be before respond.deadline (10m), is 12m',
    ]);
  });

  it.each<[string, string, Record<string, string>, string]>([
    [
      'a template that is not there',
      'templates/x.yaml',
      {},
      'the template %/templates/x.yaml cannot be read: it does not exist',
    ],
    ['a way out', '../x.yaml', {}, 'leads out of the directory of the policies'],
    ['a way out and in', 'templates/../../x.yaml', {}, 'leads out of the directory of the policies'],
    ['an absolute path', '/etc/x.yaml', {}, 'must be relative to this file, such as templates/fraud-scorer.yaml'],
    ['another kind of file', 'templates/key.pem', {}, 'must be the file of a template, which ends in .yaml'],
    ['itself', 'a.yaml', {}, 'goes in a circle: a.yaml → a.yaml'],
    [
      'a policy',
      'b.yaml',
      { 'b.yaml': service('b', 'extends: templates/t.yaml\n') },
      'b.yaml is read as a policy itself: a template lies in a folder of its own, such as templates/b.yaml',
    ],
  ])('%s', async (_, name, files, expected) => {
    const { lines } = await load({
      'a.yaml': service('a', `extends: ${name}\n`),
      'templates/t.yaml': template,
      ...files,
    });
    expect(lines).toEqual([`a.yaml:3:10  extends: ${expected.replace('%/', '')}`]);
  });

  it.each([
    [
      'extends: 3\n',
      'a.yaml:3:10  extends: must be the file of a template such as templates/fraud-scorer.yaml, or a list of them',
    ],
    ['extends: []\n', 'a.yaml:3:10  extends: must name a template'],
    ['extends:\n', 'a.yaml:3:9  extends: has no value'],
  ])('%j', async (text, expected) => {
    expect(await problemsOf({ 'a.yaml': service('a', text) })).toEqual([expected]);
  });

  it('a circle of templates', async () => {
    expect(
      await problemsOf({
        'a.yaml': service('a', extending),
        'templates/t.yaml': 'extends: [u.yaml]\n',
        'templates/u.yaml': 'extends: t.yaml\n',
      }),
    ).toEqual([
      'templates/u.yaml:1:10  extends: goes in a circle: templates/t.yaml → templates/u.yaml → templates/t.yaml',
    ]);
  });

  it('a template that is none', async () => {
    const own = { 'a.yaml': service('a', extending) };
    const ofTemplate = (text: string) => problemsOf({ ...own, 'templates/t.yaml': text });
    expect(await ofTemplate('')).toEqual([
      'templates/t.yaml  is empty: a template has the keys and values of a policy',
    ]);
    expect(await ofTemplate('- 1\n')).toEqual([expect.stringContaining('is not a template')]);
    expect(await ofTemplate('a: 1\na: 2\n')).toContain('templates/t.yaml:2:1  the key a is given twice');
    expect(await ofTemplate('a: [\n')).toEqual([expect.stringMatching(/^templates\/t.yaml:2:1 {2}this is not YAML/)]);
    expect(await ofTemplate(`${template}service: t\n`)).toEqual([
      'templates/t.yaml:13:1  service: does not belong into a template: each service has a file of its own',
    ]);
  });

  it('a link that leads out, wherever it leads', async () => {
    const outside = await directoryWith({ 'secret.yaml': template });
    const directory = await directoryWith({ 'a.yaml': service('a', extending) });
    await mkdir(join(directory, 'templates'));
    await symlink(join(outside, 'secret.yaml'), join(directory, 'templates', 't.yaml'));
    const { problems } = await loadPolicies({ ...options, directory });
    expect(problems.map(({ message }) => message)).toEqual([
      'is a link that leads out of the directory of the policies',
    ]);
  });
});

describe('links', () => {
  it('of a mounted ConfigMap and of git-sync are followed', async () => {
    const source = await directoryWith({ 'a.yaml': service('a', extending), 'templates/t.yaml': template });
    const mounted = await directoryWith({});
    await symlink(source, join(mounted, '..data'));
    await symlink(join('..data', 'a.yaml'), join(mounted, 'a.yaml'));
    await symlink(join('..data', 'templates'), join(mounted, 'templates'));
    const synced = join(await directoryWith({}), 'current');
    await symlink(source, synced);
    for (const directory of [mounted, synced]) {
      const { policies, problems } = await loadPolicies({ ...options, directory });
      expect(formatProblems(problems)).toBe('');
      expect(policies.map(({ policy }) => policy.service)).toEqual(['a']);
    }
  });
});

describe('its revision and what is archived', () => {
  const files = { 'a.yaml': service('a', extending), 'templates/t.yaml': template };
  const loaded = async (over: Readonly<Record<string, string>> = {}): Promise<LoadedPolicy> => {
    const { policies, lines } = await load({ ...files, ...over });
    expect(lines).toEqual([]);
    const [policy] = policies;
    if (!policy) throw new Error('there is no policy');
    return policy;
  };

  it('change with the file and with the template, also where the policy says the same', async () => {
    const revisionWith = async (over: Readonly<Record<string, string>>) => (await loaded(over)).policy.revision;
    const revisions = [
      await revisionWith({}),
      await revisionWith({ 'templates/t.yaml': `${template}watch: 2h\n` }),
      await revisionWith({ 'templates/t.yaml': `${template}# a word\n` }),
      await revisionWith({ 'a.yaml': `${files['a.yaml']}# a word\n` }),
    ];
    expect(new Set(revisions).size).toBe(4);
    expect(await revisionWith({})).toBe(revisions[0]);
  });

  it('is one text, secrets only named, that makes the same policy when the template has changed or gone', async () => {
    const text = `${template.replace('model: fraud', `model: "\${LASTGOOD_SECRET_ROUTER}"`)}
escalate: { after: 5m, routingKey: "\${LASTGOOD_SECRET_PAGERDUTY}" }
description: "yes: 010 # no"
`;
    const { policies, directory } = await load({ ...files, 'templates/t.yaml': text });
    const [before] = policies;
    expect(before?.policy.target.config).toEqual({ model: 'router-secret-value' });
    expect(before?.yaml).not.toContain('secret-value');
    expect(before?.templates).toEqual([join(directory, 'templates/t.yaml')]);
    await rm(join(directory, 'templates'), { recursive: true });
    const { policy: again, problems } = await parsePolicy(before?.yaml ?? '', join(directory, 'a.yaml'), options);
    expect(problems).toEqual([]);
    expect(again?.policy).toEqual(before?.policy);
    expect(again?.yaml).toBe(before?.yaml);
  });

  it('of a policy without templates is its file as written', async () => {
    expect((await loaded({ 'a.yaml': policyText() })).yaml).toBe(policyText());
  });

  it('is the same policy again whatever its texts are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((text) => text.replaceAll(/\p{C}/gu, '')),
        async (text) => {
          const given = { ...files, 'templates/t.yaml': `${template}description: ${JSON.stringify(`d ${text}`)}\n` };
          const directory = await directoryWith({});
          await mkdir(join(directory, 'templates'));
          for (const [name, content] of Object.entries(given)) await writeFile(join(directory, name), content);
          const { policies } = await loadPolicies({ ...options, directory });
          const again = await parsePolicy(policies[0]?.yaml ?? '', 'a.yaml', options);
          expect(again.policy?.policy.description).toBe(`d ${text}`.trim());
          expect(again.policy?.policy).toEqual(policies[0]?.policy);
        },
      ),
      { numRuns: 60, seed: 20_261_121 },
    );
  });
});

describe('what services require of each other', () => {
  const requiring = (name: string, requires: string) =>
    base.replace('service: fraud-scorer', `service: ${name}`).concat(`requires: ${requires}\n`);

  it('must exist, and go in no circle; the others stay', async () => {
    const { lines, policies } = await load({
      'a.yaml': requiring('a', 'b'),
      'b.yaml': requiring('b', '{ service: c }'),
      'c.yaml': requiring('c', 'a'),
      'd.yaml': requiring('d', 'd'),
      'e.yaml': requiring('e', 'nobody'),
      'f.yaml': requiring('f', 'a'),
      'g.yaml': base.replace('service: fraud-scorer', 'service: g'),
    });
    expect(lines).toEqual([
      'a.yaml:15:11  requires: goes in a circle: a → b → c → a',
      'b.yaml:15:11  requires: goes in a circle: b → c → a → b',
      'c.yaml:15:11  requires: goes in a circle: c → a → b → c',
      'd.yaml:15:11  requires: a service cannot require itself',
      'e.yaml:15:11  requires: there is no policy for nobody',
    ]);
    expect(policies.map(({ policy }) => policy.service)).toEqual(['f', 'g']);
  });

  it('exists also where its own policy has a problem', async () => {
    const lines = await problemsOf({
      'a.yaml': requiring('a', 'b'),
      'b.yaml': base.replace('service: fraud-scorer', 'service: b').replace('exposure: 100', 'exposure: 90'),
    });
    expect(lines).toEqual(['b.yaml:6:17  steps[0].exposure: the last step must be 100, is 90']);
  });
});
