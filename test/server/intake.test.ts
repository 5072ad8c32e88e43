import { afterEach, describe, expect, it } from 'vitest';
import type { AlertReceipt } from '../../src/application/api.ts';
import { createIntake, type IntakeLimits } from '../../src/server/intake.ts';
import { createLogger } from '../../src/server/logger.ts';
import { createHttpServer, type HttpServer } from '../../src/server/server.ts';
import { createTelemetry } from '../../src/server/telemetry.ts';

const token = 'a-token-of-thirty-two-characters';
const receipt: AlertReceipt = { matched: 0, unmatched: 0, duplicates: 0 };

const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

/** A server whose store answers when it is let. */
async function serve(intake: IntakeLimits, answerWithinMs = 60_000) {
  const waiting: ((value: AlertReceipt) => void)[] = [];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    random: { id: () => 'id' },
    application: {
      receiveAlerts: () =>
        new Promise<AlertReceipt>((resolve) => {
          waiting.push(resolve);
        }),
    },
    alertTokens: [token],
    parseAlerts: () => ({ alerts: [] }),
    slack: () => undefined,
    readiness: async () => ({}),
    doctor: async () => ({}),
    telemetry: createTelemetry(createLogger({ level: 'silent', secrets: [] })),
    answerWithinMs,
    intake,
    limits: { drainMs: 100 },
  });
  running.push(server);
  const { url } = await server.listen();
  const post = (body = '[]', auth = token) =>
    fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${auth}` },
    });
  return { url, waiting, post, begun: (count: number) => expect.poll(() => waiting.length).toBe(count) };
}

describe('alerts under way', () => {
  it('are as many as fit; more are refused with 503 and Retry-After at once, and taken in when there is room again', async () => {
    const { waiting, post, begun, url } = await serve({ deliveries: 3, bytes: 1_000 });
    const first = [post(), post(), post()];
    await begun(3);
    for (let i = 0; i < 5; i += 1) {
      const refused = await post();
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await refused.json()).toEqual({ error: expect.stringContaining('send these again') });
    }
    // Who looks after us is still answered, and who may not send is told that.
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await post('[]', 'the-wrong-token-of-somebody-else')).status).toBe(401);
    waiting[0]?.(receipt);
    await Promise.any(first);
    const next = post();
    await begun(4);
    for (const answer of waiting) answer(receipt);
    expect((await Promise.all([...first, next])).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('hold only so much memory together, and one of any size always fits', async () => {
    const { waiting, post, begun } = await serve({ deliveries: 100, bytes: 100 });
    const large = post(`[${' '.repeat(500)}]`);
    await begun(1);
    expect((await post()).status).toBe(503);
    waiting[0]?.(receipt);
    expect((await large).status).toBe(200);
    const small = [post(), post()];
    await begun(3);
    for (const answer of waiting) answer(receipt);
    expect((await Promise.all(small)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('count until their work has ended, also where the sender was told to come again before', async () => {
    const { waiting, post, begun } = await serve({ deliveries: 1, bytes: 1_000 }, 20);
    expect((await post()).status).toBe(503);
    await begun(1);
    const refused = await post();
    expect([refused.status, waiting.length]).toEqual([503, 1]);
    waiting[0]?.(receipt);
    const again = post();
    await begun(2);
    waiting[1]?.(receipt);
    await again;
  });

  it('leave their place also where they are refused', async () => {
    const { waiting, post, begun } = await serve({ deliveries: 1, bytes: 10_000_000 });
    for (let i = 0; i < 3; i += 1) {
      expect((await post('{ not JSON')).status).toBe(400);
      expect((await post(`[${' '.repeat(5_000_000)}]`)).status).toBe(413);
    }
    const taken = post();
    await begun(1);
    waiting[0]?.(receipt);
    expect((await taken).status).toBe(200);
  });
});

it('a place is left once, however often it is said', () => {
  const intake = createIntake({ deliveries: 2, bytes: 10 });
  const leave = intake.enter(5);
  expect(intake.enter(5)).not.toBeNull();
  expect(intake.enter(0)).toBeNull();
  leave?.();
  leave?.();
  expect(intake.enter(6)).toBeNull();
  expect(intake.enter(5)).not.toBeNull();
  expect(intake.enter(0)).toBeNull();
});
