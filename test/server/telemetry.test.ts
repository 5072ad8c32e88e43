import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Rollout, ServiceState } from '../../src/domain/state.ts';
import { createLogger, redactor } from '../../src/server/logger.ts';
import { createTelemetry, type ServerTelemetry } from '../../src/server/telemetry.ts';

function telemetryWith(secrets: string[] = []) {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', secrets, destination: { write: (line) => void lines.push(line) } });
  return { telemetry: createTelemetry(log), log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') };
}

describe('the log', () => {
  const secret = 'xoxb-1-"quoted\\"-and/slashed';

  it('never holds a configured secret: in messages, fields, error messages, causes and stacks', () => {
    const { log, telemetry, lines } = telemetryWith([secret]);
    log.info({ deep: { deeper: [{ text: `before ${secret} after` }] } }, `said ${secret}`);
    log.error({ error: new Error(`outer ${secret}`, { cause: new Error(`inner ${secret}`) }) });
    telemetry.problem('slack', new Error(`GET https://x/?token=${encodeURIComponent(secret)}`));
    const all = lines.join('');
    expect(all).not.toContain('quoted');
    expect(all.match(/«redacted»/g)?.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('never holds what stands under a secret’s name, known to us or not', () => {
    const { log, lines } = telemetryWith();
    log.info({ headers: { authorization: 'Bearer of-a-policy' }, slack: { botToken: 'xoxb-9' }, token: 't-1' }, 'x');
    expect(lines.join('')).not.toMatch(/of-a-policy|xoxb-9|t-1/);
  });

  it('never holds it in an error either, whichever way that is logged, nor in a list', () => {
    const { log, lines } = telemetryWith();
    const inner = Object.assign(new Error('inner'), { secret: 's-1' });
    const error = Object.assign(new Error('outer', { cause: inner }), { config: { password: 'p-1' }, cookie: 'c-1' });
    log.error({ error });
    log.error({ err: error });
    log.error(error);
    const list = [{ routingKey: 'r-1', shown: 1 }];
    log.info({ list, error: 'no object' });
    expect(lines.join('')).not.toMatch(/[spcr]-1/);
    expect(lines.every((line) => line.includes('outer') || line.includes('"list":[{"routingKey"'))).toBe(true);
    // What is logged is left as it is.
    expect([error.cookie, error.config.password, inner.secret, list[0]?.routingKey]).toEqual([
      'c-1',
      'p-1',
      's-1',
      'r-1',
    ]);
  });

  it('blots out the longer of two secrets whole', () => {
    expect(redactor(['abcd', 'abcd-efgh'])('x abcd-efgh y abcd z')).toBe('x «redacted» y «redacted» z');
  });

  it('leaves words alone that are too short to be a secret', () => {
    expect(redactor(['on'])('automation is on')).toBe('automation is on');
  });
});

async function scraped(telemetry: ServerTelemetry): Promise<string> {
  let text = '';
  for await (const piece of (await telemetry.scrape()).pieces) text += piece;
  return text;
}

describe('telemetry', () => {
  it('counts alerts by what came of them', async () => {
    const { telemetry } = telemetryWith();
    telemetry.alertsReceived({ matched: 3, unmatched: 2, duplicates: 1 });
    const text = await scraped(telemetry);
    expect(text).toContain('lastgood_alerts_received_total{result="matched"} 3');
    expect(text).toContain('lastgood_alerts_received_total{result="unmatched"} 2');
    expect(text).toContain('lastgood_alerts_received_total{result="duplicate"} 1');
  });

  it('keeps ids out of labels: problems are counted by the first word of where', async () => {
    const { telemetry } = telemetryWith();
    telemetry.problem('worker fraud-scorer-s12', new Error('a'));
    telemetry.problem('worker churn-s3', 'b');
    const text = await scraped(telemetry);
    expect(text).toContain('lastgood_problems_total{where="worker"} 2');
  });

  it('writes each journal entry as a line with who, what and why', () => {
    const { telemetry, last } = telemetryWith();
    const entry: JournalEntry = {
      atMs: 1,
      actor: { kind: 'policy', id: 'fraud-scorer@abc', name: 'policy' },
      what: 'rollback-decided',
      rolloutId: 'fraud-scorer-r1',
      degradationId: 'fraud-scorer-d1',
      from: { version: 'v42', exposurePercent: 50 },
      to: { version: 'v41', exposurePercent: 0 },
      reason: 'nobody answered',
      text: 'Rolling back to v41.',
      numbers: [],
      policyRevision: 'abc',
    };
    telemetry.journalled('fraud-scorer', entry);
    expect(last()).toMatchObject({
      level: 'info',
      msg: 'Rolling back to v41.',
      actor: 'policy:fraud-scorer@abc',
      what: 'rollback-decided',
      reason: 'nobody answered',
    });
  });

  it('says once at the end of a rollout how it went and how long it took, and nothing of one under way', async () => {
    const { telemetry, last, lines } = telemetryWith();
    const rollout = {
      id: 'fraud-scorer-r1',
      stable: { id: 'v41' },
      candidate: { id: 'v42' },
      startedAtMs: 1_000,
      phase: { name: 'rolled_back', atMs: 601_000, reason: 'nobody answered' },
    } as unknown as Rollout;
    const state = {
      rollout,
      degradation: {
        id: 'fraud-scorer-d2',
        rolloutId: 'fraud-scorer-r1',
        openedAtMs: 300_000,
        decision: { by: { kind: 'policy', id: 'fraud-scorer@abc', name: '' }, action: 'rollback', atMs: 500_000 },
      },
    } as unknown as ServiceState;
    telemetry.rolloutEnded('fraud-scorer', state);
    expect(last()).toMatchObject({
      level: 'info',
      result: 'rolled_back',
      reason: 'nobody answered',
      durationMs: 600_000,
      rollbackMs: 101_000,
      questionMs: 200_000,
      decidedBy: 'policy:fraud-scorer@abc',
    });
    const underWay = { ...rollout, phase: { name: 'watching', sinceMs: 1, untilMs: 2 } } as Rollout;
    telemetry.rolloutEnded('fraud-scorer', { ...state, rollout: underWay });
    expect(lines).toHaveLength(1);
    const text = await scraped(telemetry);
    expect(text).toContain('lastgood_rollouts_ended_total{service="fraud-scorer",result="rolled_back"} 1');
  });

  it('reads the gauges at each scrape, forgets what is gone, and answers although they cannot be read', async () => {
    const { telemetry } = telemetryWith();
    const reading = {
      service: 'fraud-scorer',
      phase: 'deciding' as const,
      exposurePercent: 50,
      degradationOpen: true,
      frozen: false,
      automationOff: false,
    };
    let services = [reading];
    let broken = false;
    telemetry.watch(async () => {
      if (broken) throw new Error('locked');
      return { services, jobsPending: 4 };
    });
    const first = await scraped(telemetry);
    expect(first).toContain('lastgood_rollout_phase{service="fraud-scorer",phase="deciding"} 1');
    expect(first).toContain('lastgood_exposure_percent{service="fraud-scorer"} 50');
    expect(first).toContain('lastgood_degradation_open{service="fraud-scorer"} 1');
    expect(first).toContain('lastgood_jobs_pending 4');
    expect(first).toContain('lastgood_scrape_ok 1');
    services = [];
    expect(await scraped(telemetry)).not.toContain('lastgood_exposure_percent{');
    broken = true;
    const last = await scraped(telemetry);
    expect(last).toContain('lastgood_scrape_ok 0');
    expect(last).toContain('lastgood_problems_total{where="scrape"} 1');
  });

  it('shows the health without asking anybody, also while the store does not answer, and forgets what is gone', async () => {
    const { telemetry, lines } = telemetryWith();
    const part = {
      part: 'target',
      name: 'fraud-scorer',
      ok: false,
      sinceMs: 0,
      detail: 'refused',
      failures: 2,
    } as const;
    let parts: (typeof part)[] = [part];
    telemetry.watch(() => Promise.reject(new Error('locked')));
    telemetry.watchHealth(() => ({ parts, policies: { ok: false, loadedAtMs: 1_500 } }));
    const text = await scraped(telemetry);
    expect(text).toContain('lastgood_dependency_up{part="target",name="fraud-scorer"} 0');
    expect(text).toContain('lastgood_policies_ok 0');
    expect(text).toContain('lastgood_policies_loaded_timestamp_seconds 1.5');
    expect(text).toContain('lastgood_scrape_ok 0');
    parts = [];
    expect(await scraped(telemetry)).not.toContain('lastgood_dependency_up{');
    telemetry.healthChanged({ ...part, text: 'The target of fraud-scorer does not answer' });
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({
      level: 'warn',
      part: 'target',
      msg: 'The target of fraud-scorer does not answer',
    });
  });
});

describe('a telemetry that fails', () => {
  const decision = { service: 'fraud-scorer', event: 'alerts', outcome: 'accepted', durationMs: 1 } as const;

  it('throws at nobody, and tells each kind of call once', async () => {
    const { telemetry, lines } = telemetryWith();
    for (let i = 0; i < 3; i += 1) telemetry.decided({ ...decision, durationMs: 'soon' as unknown as number });
    const told = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
    expect(told).toMatchObject([{ where: 'telemetry', msg: expect.stringContaining('decided could not be counted') }]);
    expect(await scraped(telemetry)).toContain('lastgood_problems_total{where="telemetry"} 1');
    telemetry.decided(decision);
    expect(await scraped(telemetry)).toContain('lastgood_decision_duration_seconds_count 1');
  });

  it('goes on counting where the log takes no line, and says so once until it takes one again', async () => {
    let isFull = true;
    const lines: string[] = [];
    const lost: string[] = [];
    const write = (line: string) => {
      if (isFull) throw new Error('no space left');
      lines.push(line);
    };
    const onLost = (error: Error) => {
      lost.push(error.message);
      telemetry.problem('log', error);
    };
    const log = createLogger({ level: 'debug', secrets: [], destination: { write }, onLost });
    const telemetry = createTelemetry(log);
    for (let i = 0; i < 3; i += 1) telemetry.decided(decision);
    telemetry.problem('slack', new Error('away'));
    log.info('said directly');
    expect(lost).toEqual(['no space left']);
    isFull = false;
    telemetry.decided(decision);
    isFull = true;
    telemetry.decided(decision);
    expect(lost).toHaveLength(2);
    expect(lines).toHaveLength(1);
    const text = await scraped(telemetry);
    expect(text).toContain('outcome="accepted"} 5');
    expect(text).toContain('lastgood_problems_total{where="log"} 2');
    expect(text).toContain('lastgood_problems_total{where="slack"} 1');
  });
});
