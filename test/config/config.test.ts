import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, type Environment, loadClientConfig, loadConfig, secretsOf } from '../../src/config.ts';

const good = {
  SLACK_BOT_TOKEN: 'xoxb-1-2-abc',
  SLACK_SIGNING_SECRET: 'signing-secret',
  ALERTMANAGER_WEBHOOK_TOKEN: 'a-token-long-enough',
};

const directory = mkdtempSync(join(tmpdir(), 'lastgood-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('needs three values and has a default or a plain absence for the rest', () => {
    expect(loadConfig(good)).toEqual({
      host: '0.0.0.0',
      port: 3000,
      publicUrl: null,
      dataDir: './data',
      databaseUrl: null,
      policyDir: './policies',
      logLevel: 'info',
      slack: { botToken: 'xoxb-1-2-abc', signingSecret: 'signing-secret', apiUrl: 'https://slack.com/api/' },
      alertmanager: { webhookTokens: ['a-token-long-enough'], url: null },
      prometheusUrl: null,
      operationsChannel: null,
      defaultChannel: null,
      pagerduty: { routingKey: null, eventsHost: null },
      policySecrets: {},
      journalRetentionDays: null,
      privateAddresses: 'allow',
    });
  });

  it('gives commands a token that can be sent, never a hash of one', () => {
    const hash = `sha256:${'a'.repeat(64)}`;
    expect(loadConfig({ ...good, ALERTMANAGER_WEBHOOK_TOKEN: hash }).alertmanager.webhookTokens).toEqual([hash]);
    const both = { ALERTMANAGER_WEBHOOK_TOKEN: `${hash},${good.ALERTMANAGER_WEBHOOK_TOKEN}` };
    expect(loadClientConfig(both).webhookTokens).toEqual([good.ALERTMANAGER_WEBHOOK_TOKEN]);
    expect(() => loadClientConfig({ ALERTMANAGER_WEBHOOK_TOKEN: hash })).toThrow('holds hashes only');
  });

  it('takes a retention in days, and none that would leave no journal', () => {
    expect(loadConfig({ ...good, JOURNAL_RETENTION_DAYS: '400' }).journalRetentionDays).toBe(400);
    for (const value of ['7', '0', '-1', '1.5', 'for ever']) {
      expect(problemsOf({ ...good, JOURNAL_RETENTION_DAYS: value })).toEqual([
        'JOURNAL_RETENTION_DAYS must be a whole number of days, at least 30; leave it out to keep the journal for ever',
      ]);
    }
  });

  it('takes for private addresses a word, or networks', () => {
    const of = (value: string) => loadConfig({ ...good, OUTGOING_PRIVATE_ADDRESSES: value }).privateAddresses;
    expect(of('refuse')).toBe('refuse');
    expect(of('10.1.0.0/16, 127.0.0.1,fd00::/8')).toEqual(['10.1.0.0/16', '127.0.0.1', 'fd00::/8']);
    for (const value of ['no', '10.1.0.0/33', '10.1.0.0/16/2', 'prometheus.internal', '10.1.0.0/16,,']) {
      expect(problemsOf({ ...good, OUTGOING_PRIVATE_ADDRESSES: value })[0]).toMatch(
        /^OUTGOING_PRIVATE_ADDRESSES must be allow, refuse,/,
      );
    }
  });

  it("takes a PostgreSQL's address, also from a file, and keeps its password to itself", () => {
    const url = 'postgres://lastgood:open%2Fsesame@db.internal:5432/lastgood?sslmode=verify-full';
    const config = loadConfig({ ...good, DATABASE_URL: url });
    expect(config.databaseUrl).toBe(url);
    expect(secretsOf(config)).toEqual(expect.arrayContaining([url, 'open%2Fsesame', 'open/sesame']));
    expect(loadConfig({ ...good, DATABASE_URL_FILE: file('db', `${url}\n`) }).databaseUrl).toBe(url);
    const [problem] = problemsOf({ ...good, DATABASE_URL: 'lastgood:hunter2@db/lastgood' });
    expect(problem).toMatch(/^DATABASE_URL must be a URL of PostgreSQL: postgres:/);
    expect(problem).not.toContain('hunter2');
  });

  it.each(['#ml-alerts', 'C024BE91L'])('takes %s for the default channel', (channel) => {
    expect(loadConfig({ ...good, DEFAULT_CHANNEL: channel }).defaultChannel).toBe(channel);
  });

  it.each(['ml-alerts', '#', '@ann', '#a b'])('does not take %s for a channel', (channel) => {
    expect(problemsOf({ ...good, DEFAULT_CHANNEL: channel })).toEqual([
      'DEFAULT_CHANNEL must be a Slack channel: #name or its id, such as C024BE91L',
    ]);
  });

  it('lists every problem at once, each with the variable and what to do', () => {
    const problems = problemsOf({
      SLACK_BOT_TOKEN: 'xoxp-a-user-token',
      ALERTMANAGER_WEBHOOK_TOKEN: 'short',
      PROMETHEUS_URL: 'prometheus:9090',
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      PAGERDUTY_ROUTING_KEY: 'abc',
    });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'SLACK_BOT_TOKEN',
      'SLACK_SIGNING_SECRET',
      'ALERTMANAGER_WEBHOOK_TOKEN',
      'PROMETHEUS_URL',
      'PAGERDUTY_ROUTING_KEY',
      'PORT',
      'LOG_LEVEL',
    ]);
    expect(problems[0]).toContain('must begin with xoxb-');
    expect(problems[1]).toContain('is missing: set it to the signing secret');
    expect(problems[2]).toContain('openssl rand -hex 32');
  });

  it('never repeats a value, which may be a secret in the wrong place', () => {
    const text = problemsOf({
      SLACK_BOT_TOKEN: 'hunter2-hunter2',
      SLACK_SIGNING_SECRET: 'hunter2',
      ALERTMANAGER_WEBHOOK_TOKEN: 'a-token-long-enough,hunter2',
      PROMETHEUS_URL: 'http://me:hunter2@prometheus:9090',
      PAGERDUTY_ROUTING_KEY: 'hunter2',
      SLACK_API_URL: 'hunter2',
      LOG_LEVEL: 'hunter2',
    }).join('\n');
    expect(text.split('\n')).toHaveLength(7);
    expect(text).not.toContain('hunter2');
  });

  it('counts an empty value as not set', () => {
    expect(loadConfig({ ...good, OPERATIONS_CHANNEL: '#lastgood-ops' }).operationsChannel).toBe('#lastgood-ops');
    expect(loadConfig({ ...good, PROMETHEUS_URL: '', PORT: '' })).toMatchObject({ prometheusUrl: null, port: 3000 });
    expect(problemsOf({ ...good, SLACK_SIGNING_SECRET: '' })).toEqual([expect.stringContaining('is missing')]);
  });

  it('reads a secret from NAME_FILE without its last line break, and only that', () => {
    const config = loadConfig({
      SLACK_BOT_TOKEN_FILE: file('bot', 'xoxb-from-file\n'),
      SLACK_SIGNING_SECRET_FILE: file('signing', ' with spaces \r\n'),
      ALERTMANAGER_WEBHOOK_TOKEN_FILE: file('tokens', 'token-number-one-1,token-number-two-2\n'),
      LASTGOOD_SECRET_ROUTER_FILE: file('router', 'router-secret\n\n'),
    });
    expect(config.slack).toMatchObject({ botToken: 'xoxb-from-file', signingSecret: ' with spaces ' });
    expect(config.alertmanager.webhookTokens).toEqual(['token-number-one-1', 'token-number-two-2']);
    expect(config.policySecrets).toEqual({ LASTGOOD_SECRET_ROUTER: 'router-secret\n' });
  });

  it('refuses a secret given twice, a file that cannot be read and an empty one, without calling them missing too', () => {
    const problems = problemsOf({
      ...good,
      SLACK_BOT_TOKEN_FILE: file('bot-2', 'xoxb-x'),
      SLACK_SIGNING_SECRET: undefined,
      SLACK_SIGNING_SECRET_FILE: join(directory, 'nowhere'),
      ALERTMANAGER_WEBHOOK_TOKEN: undefined,
      ALERTMANAGER_WEBHOOK_TOKEN_FILE: file('empty', '\n'),
    });
    expect(problems).toEqual([
      'SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: keep one of them',
      expect.stringMatching(/^SLACK_SIGNING_SECRET_FILE points to .*nowhere, which cannot be read \(ENOENT\)/),
      expect.stringMatching(/^ALERTMANAGER_WEBHOOK_TOKEN_FILE points to .*empty, which is empty/),
    ]);
  });

  it('collects what policies may refer to, and nothing else', () => {
    const config = loadConfig({ ...good, LASTGOOD_SECRET_A: 'one', LASTGOOD_OTHER: 'two', HOME: '/root' });
    expect(config.policySecrets).toEqual({ LASTGOOD_SECRET_A: 'one' });
  });

  it('knows every secret it holds, for the log to blot out', () => {
    const config = loadConfig({
      ...good,
      PAGERDUTY_ROUTING_KEY: 'R'.repeat(32),
      LASTGOOD_SECRET_A: 'one',
      ALERTMANAGER_WEBHOOK_TOKEN: 'token-number-one-1, token-number-two-2',
    });
    expect(secretsOf(config)).toEqual([
      'xoxb-1-2-abc',
      'signing-secret',
      'token-number-one-1',
      'token-number-two-2',
      'R'.repeat(32),
      'one',
    ]);
  });

  it('makes the Slack address end where the client goes on writing', () => {
    expect(loadConfig({ ...good, SLACK_API_URL: 'http://127.0.0.1:4000/api' }).slack.apiUrl).toBe(
      'http://127.0.0.1:4000/api/',
    );
  });
});
