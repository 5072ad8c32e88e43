import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { environmentSchema, secretVariables } from '../../src/config/variables.ts';
import { loadConfig, secretsOf } from '../../src/config.ts';
import { formatProblems, parsePolicy } from '../../src/policies/index.ts';
import { policySchema } from '../../src/policies/schema.ts';
import { policyText } from '../../src/slack/commands/policy.ts';
import { haproxyConfig } from '../../src/targets/haproxy-config.ts';
import { httpConfig } from '../../src/targets/http-config.ts';
import { targetSchemas } from '../../src/targets/index.ts';

/**
 * What may hold a secret: each variable and each place of a policy, in a table. One that is new is in none, and fails here until
 * somebody has said which it is, and has given it a canary in test/acceptance/canaries.test.ts if it holds one.
 */

const PLAIN_VARIABLES = [
  'PROMETHEUS_URL',
  'ALERTMANAGER_URL',
  'DEFAULT_CHANNEL',
  'PAGERDUTY_EVENTS_HOST',
  'OPERATIONS_CHANNEL',
  'POLICY_DIR',
  'DATA_DIR',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'SLACK_API_URL',
  'JOURNAL_RETENTION_DAYS',
  'OUTGOING_PRIVATE_ADDRESSES',
  'LOG_LEVEL',
];
const environment = {
  SLACK_BOT_TOKEN: 'xoxb-canary-bot-77',
  SLACK_SIGNING_SECRET: 'canary-signing-77',
  ALERTMANAGER_WEBHOOK_TOKEN: 'canary-webhook-old-77,canary-webhook-new-77',
  PAGERDUTY_ROUTING_KEY: 'canarypager'.padEnd(32, '7'),
  DATABASE_URL: 'postgres://lastgood:canary%2Ddatabase%2D77@127.0.0.1:9/lastgood?sslmode=disable',
};

describe('variables', () => {
  it('are all known as secret or plain', () => {
    expect(Object.keys(environmentSchema.shape).sort()).toEqual([...secretVariables, ...PLAIN_VARIABLES].sort());
  });

  it('that are secret are kept out of every line, each in its parts', () => {
    expect(Object.keys(environment).sort()).toEqual([...secretVariables].sort());
    const known = secretsOf(loadConfig({ ...environment, LASTGOOD_SECRET_X: 'canary-of-a-policy-77' }));
    const parts = [...Object.values(environment).flatMap((value) => value.split(',')), 'canary-database-77'];
    for (const part of [...parts, 'canary-of-a-policy-77']) expect(known).toContain(part);
  });

  it.each(['PROMETHEUS_URL', 'ALERTMANAGER_URL', 'PUBLIC_URL', 'SLACK_API_URL'])(
    '%s is plain: a password in it is refused, and not repeated',
    (name) => {
      let said = '';
      try {
        loadConfig({ ...environment, [name]: 'https://user:canary-in-a-url@host.example/' });
      } catch (error) {
        said = String(error);
      }
      expect(said).toContain(name);
      expect(said).not.toContain('canary-in-a-url');
    },
  );

  it('of a wrong form are refused without being repeated', () => {
    const wrong = Object.fromEntries(secretVariables.map((name) => [name, `€ canary of ${name}`]));
    let said = '';
    try {
      loadConfig(wrong);
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain('SLACK_BOT_TOKEN');
    expect(said).not.toContain('canary of');
  });

  it('of a database that does not answer are not said', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lastgood-secrets-'));
    const logged: string[] = [];
    try {
      await writeFile(join(directory, 'fraud-scorer.yaml'), policyWith('x', 'x'));
      const config = loadConfig({
        ...environment,
        POLICY_DIR: directory,
        DATA_DIR: join(directory, 'data'),
        LASTGOOD_SECRET_CANARY: 'x',
      });
      const refused = await createApp(config, { logDestination: { write: (line) => void logged.push(line) } }).catch(
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(Error);
      const said = `${(refused as Error).stack} ${JSON.stringify(refused)} ${logged.join('')}`;
      for (const secret of ['canary-database-77', 'canary%2Ddatabase%2D77']) expect(said).not.toContain(secret);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Sections of a policy that may name a secret; all others refuse to. */
const SECRET_SECTIONS = ['target', 'prometheus', 'alertmanager', 'escalate'];
const PLACES: readonly (readonly [string, string])[] = [
  ['target.observe.url, behind the ?', 'target: { kind: http, observe: { url: "http://r.example/s?key=SECRET" } }'],
  ['target.observe.headers', 'target: { kind: http, observe: { headers: { X-Key: "SECRET" } } }'],
  ['target.shift.headers', 'target: { kind: http, shift: { headers: { X-Key: "SECRET" } } }'],
  ['target.shift.body', 'target: { kind: http, shift: { body: { password: "SECRET" } } }'],
  ['prometheus.headers', 'prometheus: { url: "http://p.example", headers: { X-Key: "SECRET" } }'],
  ['prometheus.bearer', 'prometheus: { url: "http://p.example", bearer: "SECRET" }'],
  ['prometheus.basic', 'prometheus: { url: "http://p.example", basic: { username: "SECRET", password: "SECRET" } }'],
  ['prometheus.tls', 'prometheus: { url: "https://p.example", tls: { key: "SECRET", cert: "SECRET", ca: "SECRET" } }'],
  ['alertmanager.bearer', 'alertmanager: { url: "http://a.example", bearer: "SECRET" }'],
  ['escalate.routingKey', 'escalate: { after: 5m, repeat: 15m, routingKey: "SECRET", severity: critical }'],
];

function policyWith(section: string, secret: string): string {
  const parts: Record<string, string> = {
    target: `target:
  kind: http
  observe: { url: "http://r.example/s", stable: /a, candidate: /b, exposure: /c, ready: "/v/{{version}}" }
  shift: { url: "http://r.example/s", body: { percent: "{{candidate.percent}}" } }`,
    escalate: '',
    prometheus: 'prometheus: { url: "http://p.example" }',
    alertmanager: '',
  };
  const [name = ''] = section.split(':');
  if (name in parts && name !== 'target') parts[name] = section.replaceAll('SECRET', secret);
  if (name === 'target') {
    const inShift = section.includes('shift');
    const given = /(?:observe|shift): \{ (.*?) \} \}$/.exec(section)?.[1] ?? '';
    const field = given.replaceAll('SECRET', secret);
    parts.target = (parts.target ?? '').replace(inShift ? /shift: \{.*\}/ : /observe: \{(.*)\}/, (line) => {
      const without = field.startsWith('url') ? line.replace(/url: "[^"]*", /, '') : line;
      if (field.startsWith('body')) return `shift: { url: "http://r.example/s", ${field} }`;
      return without.replace('{ ', `{ ${field}, `);
    });
  }
  return `service: fraud-scorer
mode: enforce
channel: "#ml-rollouts"
${Object.values(parts).join('\n')}
steps: [{ exposure: 10, soak: 1m, maxSoak: 5m }, { exposure: 100 }]
metrics: [{ name: errors, title: Errors, kind: proportion, bad: 'b{version="{{version}}"}', total: 'a{version="{{version}}"}', tolerance: { relative: 25% }, minimum: 100 }]
alerts: [{ match: ['service="fraud-scorer"'] }]
approvers: { users: ['*'], quorum: 1 }
`;
}

describe('places of a policy', () => {
  const file = fileURLToPath(new URL('../../policies/secrets-test.yaml', import.meta.url));
  const secret = 'canary-in-a-policy-3141';
  const parse = (yaml: string) =>
    parsePolicy(yaml, file, { targets: targetSchemas, secrets: { LASTGOOD_SECRET_CANARY: secret } });

  it('are all known', () => {
    const shape = policySchema.shape as Record<string, unknown>;
    for (const section of SECRET_SECTIONS) expect(Object.keys(shape)).toContain(section);
    const endpoint = policySchema.shape.prometheus.unwrap().shape;
    expect(Object.keys(endpoint).sort()).toEqual(['basic', 'bearer', 'headers', 'tls', 'url']);
    expect(Object.keys(targetSchemas).sort()).toEqual(['haproxy', 'http']);
    expect(Object.keys(httpConfig.shape).sort()).toEqual(['kind', 'observe', 'shift', 'timeout', 'tls']);
    expect(Object.keys(httpConfig.shape.shift.shape).sort()).toEqual(['body', 'headers', 'method', 'url']);
    // None of HAProxy's: its socket is guarded by the file's permissions.
    expect(Object.keys(haproxyConfig.shape).filter((name) => /pass|token|secret|auth|header/i.test(name))).toEqual([]);
  });

  it.each(PLACES)('%s: a secret is not said, neither in a problem nor in /rollout policy', async (_place, section) => {
    const { policy, problems } = await parse(policyWith(section, `$\{LASTGOOD_SECRET_CANARY}`));
    const said = `${formatProblems(problems)} ${policy ? policyText(policy.policy) : ''}`;
    expect(said).not.toContain(secret);
    // PEM that is none is the one that may be refused.
    if (!section.includes('tls')) expect(problems.filter(({ message }) => message.includes('secret'))).toEqual([]);
    if (!section.includes('tls')) expect(policy, said).not.toBeNull();
  });

  it.each(Object.keys(policySchema.shape).filter((name) => !SECRET_SECTIONS.includes(name) && name !== 'extends'))(
    '%s refuses to name one',
    async (name) => {
      const yaml = policyWith('', '').replace(new RegExp(`^${name}:.*$`, 'm'), '');
      const { problems } = await parse(`${yaml}\n${name}: "\${LASTGOOD_SECRET_CANARY}"\n`);
      expect(formatProblems(problems)).toContain('would be shown to people here');
      expect(formatProblems(problems)).not.toContain(secret);
    },
  );
});
