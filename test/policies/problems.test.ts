import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/policies/index.ts';
import { base, linesOf, messagesOf, policyText, secrets, targets } from './support.ts';

describe('what is wrong with a policy is said with its place', () => {
  it('lists everything at once, in the order of the file', async () => {
    const text = `service: Fraud Scorer
mode: enforced
chanel: "#ml-rollouts"
target: { kind: htpp }
steps:
  - { exposure: 10, soak: 10 }
  - { exposure: 5, soak: 10m, maxSoak: 5m }
  - { exposure: 90, soakk: 1m }
metrics: []
alerts:
  - match: ['severity=~"a|"']
approvers: { users: [alice], quorum: 2 }
`;
    expect(await linesOf(text)).toEqual([
      '1:1 channel: is missing: the Slack channel for the cards, such as "#ml-rollouts"',
      '1:10 service: must be lower-case letters, digits and "-", such as fraud-scorer, is "Fraud Scorer"',
      '2:7 mode: must be enforce or observe, is "enforced": did you mean enforce?',
      '3:1 chanel: is not known: did you mean channel?',
      '4:17 target.kind: there is no target of kind "htpp": did you mean http?',
      '6:27 steps[0].soak: must be a duration such as 30s, 2m, 1h30m or 7d, 10 lacks its unit',
      '7:17 steps[1].exposure: must be more than the step before (10), is 5',
      '7:40 steps[1].maxSoak: must be at least soak (10m), is 5m',
      '8:17 steps[2].exposure: the last step must be 100, is 90',
      '8:21 steps[2].soakk: is not known: did you mean soak?',
      '9:10 metrics: must have at least one metric: without one nothing can be compared',
      '11:12 alerts[0].match: at least one matcher must demand a label, or alerts of every service would match: add one such as service="…"',
      '12:22 approvers.users[0]: must be a Slack user id such as U024BE7LH, or "*" for everybody, is "alice"',
      '12:38 approvers.quorum: must not be more than the number of users (1), is 2',
    ]);
  });

  it('points at the mapping that lacks a key', async () => {
    const text = base.replace('    total: \'all{version="{{version}}"}\'\n', '');
    expect(await linesOf(text)).toEqual(['8:5 metrics[0].total: is missing']);
  });

  it('names the section a misplaced key belongs into', async () => {
    expect(await messagesOf(policyText('deadline: 5m\n'))).toEqual([
      'deadline: is not known here: it belongs into respond',
    ]);
  });

  it.each([
    ['kind: proportion, bad: x, total: y, by: bin', 'metrics[0].by: is not known here: it belongs to the kind drift'],
    [
      'kind: proportion, bad: x, total: y, limit: 2',
      'metrics[0].limit: is not known here: it belongs to the kind drift or limit',
    ],
    [
      'kind: latency, buckets: x, good: y',
      'metrics[0].good: is not known here: it belongs to the kind proportion or objective',
    ],
    ['kind: proportion, bad: x, totl: y', 'metrics[0].totl: is not known: did you mean total?'],
  ])('names the kind of metric a misplaced key belongs to: %s', async (metric, message) => {
    expect(await messagesOf(policyText(`metrics: [{ name: m, ${metric} }]\n`))).toContain(message);
  });

  it('says everything of an empty mapping', async () => {
    const messages = await messagesOf('{}\n');
    expect(messages.map((message) => message.split(':')[0])).toEqual([
      'service',
      'mode',
      'channel',
      'target',
      'steps',
      'metrics',
      'alerts',
      'approvers',
    ]);
    expect(messages[1]).toMatch(/must be said: enforce .* or observe/);
  });
});

describe('YAML itself', () => {
  it.each([
    ['a doubled key', `${base}mode: observe\n`, '15:1 the key mode is given twice'],
    [
      'a doubled key inside',
      base.replace('{ exposure: 100 }', '{ exposure: 100, exposure: 50 }'),
      '6:22 the key exposure is given twice',
    ],
    ['a tab', base.replace('  - { exposure', '\t- { exposure'), '6:1 YAML is indented with spaces, this is a tab'],
    ['two documents', `${base}---\n${base}`, /^15:1 one file holds one policy/],
    [
      'an unquoted asterisk',
      base.replace('[U1, U2, U3], quorum: 2', '[*]'),
      /^14:22 a "\*" begins a reference in YAML: put it in quotes/,
    ],
    [
      'an unquoted placeholder',
      base.replace('model: fraud', 'model: {{version}}'),
      /^4:\d+ a key must be a plain word; a value that begins with "{{" must be in quotes/,
    ],
    [
      'an unquoted secret in braces',
      base.replace('model: fraud', `model: \${LASTGOOD_SECRET_ROUTER}`),
      /^4:\d+ this is not YAML: .*Put a value with .* in quotes/,
    ],
    [
      'a channel that is a comment',
      base.replace('"#ml-rollouts"', '#ml-rollouts'),
      '3:10 channel: has no value: a "#" begins a comment, put it in quotes: "#ml-rollouts"',
    ],
    ['a tag', base.replace('mode: enforce', 'mode: !env MODE'), /^2:7 this YAML cannot be used in a policy/],
    ['a list', '- 1\n', 'is not a policy: a policy is a list of keys and values, the first of them usually service'],
    ['nothing', '# only a comment\n', /is empty/],
  ])('%s', async (_, text, expected) => {
    const lines = (await linesOf(text)).map((line) => line.replace(/^0:0 /, ''));
    expect(lines[0]).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  it('still says the rest where a key is doubled', async () => {
    const lines = await linesOf(`${base.replace('exposure: 100', 'exposure: 99')}mode: observe\n`);
    expect(lines).toEqual([
      '6:17 steps[0].exposure: the last step must be 100, is 99',
      '15:1 the key mode is given twice',
    ]);
  });

  it('does not blow up aliases', async () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}, *a${n}]`);
    const lines = await linesOf(`a0: &a0 x\n${levels.join('\n')}\n`);
    expect(lines).toEqual([expect.stringMatching(/^1:1 its aliases .* cannot be followed/)]);
  });

  it.each([
    ['description: &a [*a]', /^1:1 one of its aliases .* stands within what it refers to/],
    ['description: &a { b: { c: *a } }', /^1:1 one of its aliases/],
    [`description: ${'['.repeat(5000)}`, /^1:1 it is nested more than 60 deep/],
    [`description: ${'- '.repeat(5000)}x`, /./],
    [
      `description:\n${Array.from({ length: 100 }, (_, n) => `${' '.repeat(n + 1)}a:`).join('\n')}`,
      /^1:1 it is nested/,
    ],
  ])('says what would never end, or end the process that reads it: %.20s…', async (line, said) => {
    const lines = await linesOf(`${base}${line}\n`);
    expect(lines[0]).toMatch(said);
  });

  it('finds the place behind an alias', async () => {
    const text = policyText('steps:\n  - &first { exposure: 10, soak: 5 }\n  - *first\n  - { exposure: 100 }\n');
    const lines = await linesOf(text);
    expect(lines.filter((line) => line.includes('lacks its unit'))).toHaveLength(2);
    expect(
      lines.some((line) => line.includes('steps[1].exposure: must be more than the step before (10), is 10')),
    ).toBe(true);
  });
});

describe('what several keys must agree on', () => {
  const step = (text: string) => policyText(`steps:\n${text}`);
  const metric = (text: string) => policyText(`metrics:\n${text}`);
  it.each([
    [
      'first step at 0',
      step('  - { exposure: 0, soak: 1m }\n  - { exposure: 100 }\n'),
      'steps[0].exposure: must be more than 0: a rollout begins at 0 by itself (only a step with a gate of kind shadow stands there)',
    ],
    [
      'no soak before the last step',
      step('  - { exposure: 10 }\n  - { exposure: 100 }\n'),
      'steps[0].soak: is missing: how long it stays at this step (only the last one needs none)',
    ],
    [
      'exposure beyond 100',
      step('  - { exposure: 110 }\n'),
      'steps[0].exposure: must be a percentage from 0 to 100, such as 10, is 110',
    ],
    [
      'a soak of nothing',
      step('  - { exposure: 10, soak: 0s }\n  - { exposure: 100 }\n'),
      'steps[0].soak: must be at least 1ms, is 0s',
    ],
    [
      'phases that rise',
      policyText('rollback: { phases: [{ exposure: 10, soak: 1m }, { exposure: 50, soak: 1m }, { exposure: 0 }] }\n'),
      'rollback.phases[1].exposure: must be less than the phase before (10), is 50',
    ],
    [
      'phases that do not end at 0',
      policyText('rollback: { phases: [{ exposure: 10, soak: 1m }] }\n'),
      'rollback.phases[0].exposure: the last phase must be 0, is 10',
    ],
    [
      'verify shorter than its soak',
      policyText('rollback: { verify: { maxSoak: 1m } }\n'),
      'rollback.verify.maxSoak: must be at least soak (2m), is 1m',
    ],
    [
      'a switch with two steps',
      policyText('steps: [{ exposure: 10, soak: 1m }, { exposure: 100 }]\n', base),
      'steps: a target of kind alias switches all traffic at once: give the one step { exposure: 100 }',
    ],
    [
      'a switch with two phases',
      policyText('rollback: { phases: [{ exposure: 10, soak: 1m }, { exposure: 0 }] }\n', base),
      'rollback.phases: a target of kind alias switches all traffic at once: give the one phase { exposure: 0 }',
    ],
    [
      'a critical deadline that is later',
      policyText('respond: { deadline: 10m, criticalDeadline: 15m }\n'),
      'respond.criticalDeadline: must not be longer than respond.deadline (10m), is 15m',
    ],
    [
      'a page after the default deadline',
      policyText('escalate: { after: 15m }\n'),
      'escalate.after: must be before respond.deadline (15m by default), is 15m',
    ],
    [
      'a page after the critical deadline',
      policyText('respond: { criticalDeadline: 4m }\nescalate: { after: 5m }\n'),
      'escalate.after: must be before respond.criticalDeadline (4m), is 5m',
    ],
    [
      'a metric named twice',
      metric(`  - &m { name: a, kind: gauge, direction: lower-is-better, value: 'x{v="{{version}}"}' }\n  - *m\n`),
      'metrics[1].name: the name a is taken by metrics[0]',
    ],
    [
      'bad and good',
      metric(
        `  - { name: a, kind: proportion, bad: 'x{v="{{arm}}"}', good: 'x{v="{{arm}}"}', total: 'x{v="{{arm}}"}' }\n`,
      ),
      'metrics[0].good: give either bad or good, not both',
    ],
    [
      'neither bad nor good',
      metric(`  - { name: a, kind: proportion, total: 'x{v="{{arm}}"}' }\n`),
      'metrics[0]: a proportion needs bad or good: the counter of events that went wrong, or right',
    ],
    [
      'a gauge without direction',
      metric(`  - { name: a, kind: gauge, value: 'x{v="{{arm}}"}' }\n`),
      'metrics[0].direction: must be said for a gauge: lower-is-better or higher-is-better',
    ],
    [
      'an arm held against the whole service',
      metric(`  - { name: a, kind: rate, events: 'x{v="{{arm}}"}', per: 'y{v="1"}' }\n`),
      'metrics[0].per: must contain {{version}} or {{arm}} as events does, or the two would not be about the same requests',
    ],
    [
      'the same numbers for both',
      metric(`  - { name: a, kind: rate, events: 'x{version="v42"}' }\n`),
      'metrics[0].events: version="v42" reads one version whichever is compared: write version="{{version}}", or leave the label out where before and after are to be compared',
    ],
    [
      'a placeholder nobody knows',
      metric(`  - { name: a, kind: rate, events: 'x{v="{{versoin}}"}' }\n`),
      'metrics[0].events: {{versoin}} is not known: use {{version}}, {{arm}} ("stable" or "candidate") or {{service}}',
    ],
    [
      'rate() around a counter',
      metric(`  - { name: a, kind: rate, events: 'rate(x{v="{{arm}}"}[5m])' }\n`),
      /^metrics\[0\].events: must be a plain selector of raw counters .*: leave out functions, sum and \[5m\]/,
    ],
    [
      'a label value without quotes',
      metric(`  - { name: a, kind: rate, events: 'x{v={{arm}}}' }\n`),
      /label values in quotes/,
    ],
    [
      'an open brace',
      metric(`  - { name: a, kind: gauge, direction: lower-is-better, value: 'sum(x{v="{{arm}}"}' }\n`),
      'metrics[0].value: has a "(" that is not closed',
    ],
    [
      'bounds that fall',
      metric(`  - { name: a, kind: latency, buckets: 'x{v="{{arm}}"}', bounds: [1, 0.5] }\n`),
      'metrics[0].bounds[1]: must be more than the bound before',
    ],
    [
      '25 for 25 %',
      metric(`  - { name: a, kind: rate, events: 'x{v="{{arm}}"}', tolerance: { relative: 25 } }\n`),
      'metrics[0].tolerance.relative: 25 means 2500 %: write 25%',
    ],
    [
      'a critical share above 1',
      metric(`  - { name: a, kind: proportion, bad: 'x{v="{{arm}}"}', total: 'x{v="{{arm}}"}', critical: 20 }\n`),
      'metrics[0].critical: 20 means 2000 %: write 20%',
    ],
    [
      'a metric of no kind',
      metric(`  - { name: a, kind: histogram }\n`),
      'metrics[0].kind: must be proportion, labelled, rate, latency, gauge, drift, limit, objective or split, is "histogram"',
    ],
    [
      'a matcher that cannot be read',
      policyText(`alerts: [{ match: 'severity critical' }]\n`),
      'alerts[0].match: after the label severity one of =, !=, =~ or !~ was expected (at character 10 of "severity critical")',
    ],
    [
      'an expression only JavaScript knows',
      policyText(`alerts: [{ match: ['a="b"', 'c=~"(?=x)y"'] }]\n`),
      /alerts\[0\].match\[1\]: the expression for c cannot be used: look-around/,
    ],
    [
      'no matcher',
      policyText('alerts: [{ match: [] }]\n'),
      'alerts[0].match: must have at least one matcher such as severity="critical"',
    ],
    [
      'only what everything matches',
      policyText(`alerts: [{ match: ['a!="b"', 'c=~".*"'] }]\n`),
      /alerts\[0\].match: at least one matcher must demand a label/,
    ],
    [
      'a user named twice',
      policyText('approvers: { users: [U1, U1], quorum: 2 }\n'),
      'approvers.users[1]: U1 is named twice',
    ],
    [
      'everybody and somebody',
      policyText('approvers: { users: ["*", U1] }\n'),
      'approvers.users[0]: "*" lets everybody in: leave the others out',
    ],
    [
      'a channel without its sign',
      policyText('channel: ml-rollouts\n'),
      /channel: must be a Slack channel, .*: write "#ml-rollouts"/,
    ],
    [
      'an address of another kind',
      policyText('runbook: ftp://x/y\n'),
      'runbook: must be an address that begins with http:// or https://',
    ],
    [
      'a password in an address',
      policyText('prometheus: { url: "https://u:hunter22@prom" }\n'),
      /^prometheus.url: must not contain a user or password/,
    ],
    [
      'a password in a target',
      base.replace('model: fraud', 'model: "https://u:hunter22@x"'),
      /^target.model: must not contain a user or password/,
    ],
    [
      'two ways in',
      policyText('prometheus: { url: "http://p", bearer: a, headers: { authorization: b } }\n'),
      /^prometheus.bearer: give one of/,
    ],
    [
      'a certificate without its key',
      policyText('prometheus: { url: "http://p", tls: { cert: nothing.pem } }\n'),
      /prometheus.tls.cert: needs key as well/,
    ],
    [
      'certificates that are not there',
      policyText('prometheus: { url: "http://p", tls: { ca: nothing.pem } }\n'),
      'prometheus.tls.ca: the file nothing.pem cannot be read: it does not exist',
    ],
    [
      'an unknown key of the target',
      base.replace('model: fraud', 'model: fraud, modle: x'),
      'target.modle: is not known: did you mean model?',
    ],
    ['a missing key of the target', base.replace(', model: fraud', ''), 'target.model: is missing'],
  ])('%s', async (_, text, expected) => {
    expect(await messagesOf(text)).toContainEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });
});

describe('secrets', () => {
  const withRouter = (reference: string) => base.replace('model: fraud', `model: "${reference}"`);
  it.each([
    [
      'another variable',
      withRouter(`\${HOME}`),
      /target.model: \$\{HOME\} cannot be used here: only variables that begin with LASTGOOD_SECRET_/,
    ],
    [
      'one that is not set',
      withRouter(`\${LASTGOOD_SECRET_NONE}`),
      `target.model: \${LASTGOOD_SECRET_NONE} is not set: give Lastgood the environment variable LASTGOOD_SECRET_NONE`,
    ],
    ['one that every object has', withRouter(`\${LASTGOOD_SECRET_constructor}`), /is not set/],
    ['one that is not closed', withRouter(`\${LASTGOOD_SECRET_ROUTER`), /not closed/],
    [
      'one where people see it',
      policyText(`description: "x \${LASTGOOD_SECRET_ROUTER}"\n`),
      /description: the secret \$\{LASTGOOD_SECRET_ROUTER\} would be shown/,
    ],
    [
      'one in an address',
      policyText(`prometheus: { url: "http://p/\${LASTGOOD_SECRET_ROUTER}" }\n`),
      /prometheus.url: the secret .* would be logged/,
    ],
    [
      'one in the path of a target’s address, which stands in every message about it',
      policyText().replace('http://r/split', `http://r/\${LASTGOOD_SECRET_ROUTER}/split`),
      /target\.\w+\.url: the secret .* would be shown as part of the address/,
    ],
  ])('%s', async (_, text, expected) => {
    const messages = await messagesOf(text);
    expect(messages).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('never says a secret, whatever a target says about it', async () => {
    const text = base.replace('{ kind: alias, model: fraud }', `{ kind: careless, token: "\${LASTGOOD_SECRET_PROM}" }`);
    expect(await messagesOf(text)).toEqual([`target.token: cannot be used with what \${LASTGOOD_SECRET_PROM} holds`]);
  });

  it('says nothing of a header with a line feed but that', async () => {
    const text = policyText(`prometheus: { url: "http://p", bearer: "\${LASTGOOD_SECRET_PROM}" }\n`);
    const { problems } = await parsePolicy(text, 'p.yaml', {
      targets,
      secrets: { LASTGOOD_SECRET_PROM: 'top-secret-value\n' },
    });
    expect(problems.map((problem) => problem.message)).toEqual([
      'must not contain line feeds or other control characters',
    ]);
  });
});

describe('whatever the text is', () => {
  it('problems come back, never an exception, and no secret with them', async () => {
    const rich = `${base}gates:
  g: { kind: ab, objective: better, metrics: [errors, recall] }
`.replace(
      'alerts:',
      `  - { name: recall, kind: labelled, measure: recall, truePositives: 'a{v="{{arm}}"}', falseNegatives: 'b{v="{{arm}}"}', baseline: { truePositives: 1, falseNegatives: 2 } }
  - { name: psi, kind: drift, score: s, limit: 0.2 }
  - { name: o, kind: objective, good: x, total: y, objective: 99.9%, traffic: 1/s }
  - { name: split, kind: split, requests: 'c{v="{{arm}}"}', slack: 5% }
alerts:`,
    );
    expect(await messagesOf(rich)).toEqual([]);
    const pieces = rich.split(/(?<=[\s:{}[\],"'])/);
    const odd = fc.constantFrom(
      '{',
      '}',
      '[',
      '*',
      '&a',
      '<<: ',
      '__proto__: ',
      'null',
      '1e999',
      '.nan',
      '\t',
      '\n',
      '- ',
      '"',
      `\${LASTGOOD_SECRET_ROUTER}`,
      '🦊',
      '\ud800',
      '\0',
    );
    const mutation = fc.record({ at: fc.nat(pieces.length - 1), remove: fc.nat(4), insert: odd });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
        const text = mutations
          .reduce((list, { at, remove, insert }) => list.toSpliced(at, remove, insert), pieces)
          .join('');
        const { policy, problems } = await parsePolicy(text, 'p.yaml', { targets, secrets });
        expect(policy !== null).toBe(problems.length === 0);
        for (const { line, column, message } of problems) {
          expect(line).toBeGreaterThanOrEqual(0);
          expect(column).toBeGreaterThanOrEqual(0);
          expect(message).not.toMatch(/router-secret-value|Invalid input|undefined|\[object [A-Z]/);
        }
      }),
      { numRuns: 400 },
    );
  });
});
