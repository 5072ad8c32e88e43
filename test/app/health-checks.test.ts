import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Check, Finding } from '../../src/app/health.ts';
import { type CheckParts, createChecks } from '../../src/app/health-checks.ts';
import { watchedChat, watchedPager } from '../../src/app/outcomes.ts';
import type { Endpoint, Policy } from '../../src/domain/policy.ts';
import { createHttp } from '../../src/outbound/http.ts';
import type { Chat, ChatMessage } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Page } from '../../src/ports/pager.ts';
import { policy } from '../runtime/support.ts';

const signal = new AbortController().signal;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function endpoint(url: string, headers: Record<string, string> = {}): Endpoint {
  return { url, headers, tls: { ca: null, cert: null, key: null, insecure: false } };
}

async function alertmanager(answers: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(answers[request.url ?? ''] ?? 404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function checks(over: Partial<CheckParts>, policies: readonly Policy[] = [policy()]): readonly Check[] {
  const http = createHttp();
  closing.push(() => http.close());
  const quiet = { of: () => ({ ok: true, detail: 'not tried yet' }) };
  return createChecks({
    store: { jobs: { pending: async () => 3 } as CheckParts['store']['jobs'] },
    lookAtFile: () => null,
    book: { all: () => policies, problem: () => null },
    policyDir: './policies',
    slack: { readiness: () => ({ ok: true, detail: 'connected' }), ping: async () => undefined },
    http,
    prometheusOf: () => null,
    alertmanagerOf: () => null,
    checkPrometheus: async () => ({ ready: true }),
    lookAtTarget: async () => null,
    chat: quiet,
    pager: quiet,
    pages: () => false,
    clockAheadMs: null,
    operationsChannel: null,
    ...over,
  })();
}

/** One name of one check. */
interface One {
  readonly name: string;
  readonly everyMs: number | null;
  look(signal: AbortSignal): Promise<Finding | null>;
}

const named = (all: readonly Check[], part: string): readonly One[] =>
  all
    .filter((check) => check.part === part)
    .flatMap((check) =>
      check.names.map((name) => ({
        name,
        everyMs: ('everyMs' in check && check.everyMs) || null,
        look: async (signal) => ('recall' in check ? check.recall(name) : check.look(name, signal)),
      })),
    );
const only = (all: readonly Check[], part: string): One => {
  const [check, more] = named(all, part);
  if (!check || more) throw new Error(`there is not one check of ${part}`);
  return check;
};

describe('what is looked at', () => {
  it('is each address once, and two ways to ask one are told apart; no name holds a password', () => {
    const services = ['a', 'b', 'c', 'd'].map((service) => policy({ service }));
    const of: Record<string, Endpoint> = {
      a: endpoint('https://user:hunter2-secret@prom/tenant/?token=query-secret'),
      b: endpoint('https://user:hunter2-secret@prom/tenant/?token=query-secret'),
      c: endpoint('https://prom/tenant', { 'X-Scope-OrgID': 'two' }),
    };
    const all = checks({ prometheusOf: ({ service }) => of[service] ?? null }, services);
    expect(named(all, 'prometheus').map(({ name }) => name)).toEqual([
      'https://prom/tenant (as a asks it)',
      'https://prom/tenant (as c asks it)',
    ]);
    expect(named(all, 'target').map(({ name, everyMs }) => [name, everyMs])).toEqual(
      services.map(({ service }) => [service, 60_000]),
    );
    expect(named(all, 'pagerduty')).toEqual([]);
    expect(JSON.stringify(all)).not.toContain('secret');
  });

  it('is the channel of every policy and of the operators, once each', () => {
    const all = checks({ operationsChannel: '#ops' }, [policy(), policy({ service: 'b' })]);
    expect(named(all, 'channel').map(({ name }) => name)).toEqual(['#ml-rollouts', '#ops']);
  });
});

describe('Alertmanager', () => {
  it.each([
    ['its API answers', { '/api/v2/status': 200 }, { ok: true, detail: 'answers' }, ['/api/v2/status']],
    ['only its readiness is let through', { '/-/ready': 200 }, { ok: true }, ['/api/v2/status', '/-/ready']],
  ])('is well where %s', async (_what, answers, finding, asked) => {
    const server = await alertmanager(answers as Record<string, number>);
    const check = only(checks({ alertmanagerOf: () => endpoint(`${server.url}/`) }), 'alertmanager');
    expect(await check.look(signal)).toMatchObject(finding);
    expect(server.asked).toEqual(asked);
  });

  it.each([401, 500, 503])('is not where it answers %i, or nothing at all', async (status) => {
    const server = await alertmanager({ '/api/v2/status': status });
    const check = only(checks({ alertmanagerOf: () => endpoint(server.url) }), 'alertmanager');
    await expect(check.look(signal)).rejects.toThrow(`${server.url}/api/v2/status answered ${status}`);
    const nobody = only(checks({ alertmanagerOf: () => endpoint('http://127.0.0.1:9') }), 'alertmanager');
    await expect(nobody.look(signal)).rejects.toThrow('connection refused');
  });
});

describe('Slack', () => {
  it('is asked whether it knows us, unless it is being asked who we are already', async () => {
    let pings = 0;
    const ping = async () => {
      pings += 1;
      throw new PortError('retryable', 'Slack could not be reached');
    };
    const asking = { readiness: () => ({ ok: false, detail: 'Slack was not asked yet' }), ping };
    expect(await only(checks({ slack: asking }), 'slack').look(signal)).toMatchObject({ ok: false });
    expect(pings).toBe(0);
    const known = { readiness: () => ({ ok: true, detail: 'connected' }), ping };
    await expect(only(checks({ slack: known }), 'slack').look(signal)).rejects.toThrow('could not be reached');
  });
});

describe('what cannot be tried without doing something', () => {
  const message: ChatMessage = { id: 'x', channel: '#ml-rollouts', thread: null, content: { kind: 'note', text: 'x' } };
  const page: Page = {
    action: 'trigger',
    dedupKey: 'd',
    summary: 's',
    service: 'fraud-scorer',
    severity: 'critical',
    routingKey: null,
    links: [],
    details: {},
  };

  it('a channel is in trouble when it refuses, whatever passes is not, and what it takes ends it', async () => {
    let trouble: PortError | null = null;
    const post = async () => {
      if (trouble) throw trouble;
      return { channel: 'C1', ts: '1' };
    };
    const chat = watchedChat({ post, update: async () => undefined, find: async () => null } satisfies Chat);
    expect(chat.outcomes.of('#ml-rollouts')).toEqual({ ok: true, detail: 'nothing was posted yet' });
    trouble = new PortError('ambiguous', 'the connection was lost');
    for (let i = 0; i < 3; i += 1) await expect(chat.post(message, signal)).rejects.toBe(trouble);
    expect(chat.outcomes.of('#ml-rollouts').ok).toBe(true);
    trouble = new PortError('permanent', 'Lastgood is not in the channel');
    await expect(chat.post(message, signal)).rejects.toBe(trouble);
    expect(chat.outcomes.of('#ml-rollouts')).toMatchObject({ ok: false, detail: 'Lastgood is not in the channel' });
    expect(chat.outcomes.of('#elsewhere').ok).toBe(true);
    // Another card of the channel may still be drawn; the question is not there for that.
    await chat.update({ channel: 'C1', ts: '0' }, message, signal);
    expect(chat.outcomes.of('#ml-rollouts')).toMatchObject({ ok: false, detail: 'Lastgood is not in the channel' });
    trouble = null;
    await chat.post(message, signal);
    expect(chat.outcomes.of('#ml-rollouts')).toEqual({ ok: true, detail: 'the last post was taken' });
  });

  it('the pager is in trouble after two failures in a row or one refusal, not while it is left alone', async () => {
    let trouble: PortError | null = new PortError('retryable', 'no connection');
    const pager = watchedPager({
      send: async () => {
        if (trouble) throw trouble;
      },
    });
    const failing = () => expect(pager.send(page, signal)).rejects.toBe(trouble);
    expect(pager.outcomes.of('')).toEqual({ ok: true, detail: 'not tried yet' });
    await failing();
    expect(pager.outcomes.of('')).toEqual({ ok: true, detail: 'failed once: no connection' });
    trouble = new PortError('retryable', 'asked again later', { retryAfterMs: 1_000 });
    await failing();
    expect(pager.outcomes.of('').ok).toBe(true);
    trouble = new PortError('retryable', 'no connection');
    await failing();
    expect(pager.outcomes.of('')).toMatchObject({ ok: false, detail: 'no connection', sure: true });
    trouble = null;
    await pager.send(page, signal);
    expect(pager.outcomes.of('')).toEqual({ ok: true, detail: 'the last page was taken' });
    trouble = new PortError('permanent', 'check the routing key');
    await failing();
    expect(pager.outcomes.of('').ok).toBe(false);
  });
});

describe("this machine's clock", () => {
  const look = (ms: number) => named(checks({ clockAheadMs: () => ms }), 'clock')[0]?.look(signal);

  it("may differ a little from the database's, and is trouble beyond", async () => {
    expect(await look(-4_900)).toEqual({ ok: true, detail: '4.9 s behind' });
    expect(await look(30_000)).toEqual({ ok: false, detail: '30.0 s ahead' });
    expect(await look(-30_000)).toEqual({ ok: false, detail: '30.0 s behind' });
  });

  it('is nothing to look at where there is no other to go by', () => {
    expect(named(checks({}), 'clock')).toEqual([]);
  });
});
