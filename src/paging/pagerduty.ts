import https from 'node:https';
import net from 'node:net';
import { event } from '@pagerduty/pdjs';
import { type Circuit, createBreaker } from '../outbound/breaker.ts';
import { excerpt } from '../outbound/excerpt.ts';
import { PortError } from '../ports/failure.ts';
import type { Page, Pager } from '../ports/pager.ts';
import { type EventBody, eventOf } from './pagerduty-event.ts';

export interface PagerDutyOptions {
  /** Used for policies that name none. */
  readonly routingKey: string | null;
  /** `host` or `host:port`; null: events.pagerduty.com. `http://host:port` is taken for loopback hosts only, for stand-ins. */
  readonly eventsHost: string | null;
  /** For one event, everything together (10 s). */
  readonly timeoutMs?: number;
  /** PEM of a CA of one's own. */
  readonly ca?: string;
  /** Unix ms, for how long a PagerDuty that does not answer is left alone; real time where none is given. */
  readonly now?: () => number;
}

interface Server {
  readonly host: string;
  readonly plain: boolean;
}

const defaultTimeoutMs = 10_000;
const answerBytes = 64 * 1024;
/** A PagerDuty that does not answer is tried again at least this often. */
const longestWaitMs = 30_000;

/**
 * PagerDuty's Events API v2. Events carry a dedup key, so that repeating one is harmless: no failure is ambiguous.
 * Throws a plain Error where `eventsHost` cannot be one.
 */
export function createPagerDuty(options: PagerDutyOptions): Pager & { circuit(): Circuit } {
  const server = serverOf(options.eventsHost ?? 'events.pagerduty.com');
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const breaker = createBreaker({ host: `PagerDuty (${server.host})`, now: options.now ?? Date.now, longestWaitMs });
  return {
    circuit: () => breaker.circuit(),
    async send(page, signal) {
      const routingKey = page.routingKey ?? options.routingKey;
      if (routingKey === null || routingKey === '') {
        throw new PortError(
          'permanent',
          `PagerDuty was not told of ${page.service}: there is no routing key. Set PAGERDUTY_ROUTING_KEY, or escalate.routingKey in the policy of ${page.service}.`,
        );
      }
      const answer = await breaker.run(
        () => attempt(page, routingKey, signal),
        (end) => {
          if ('value' in end) {
            const { status } = end.value;
            return status < 500 ? { answered: true } : { unreachable: `answered ${status}` };
          }
          if (signal.aborted || !(end.error instanceof PortError)) return { unknown: true };
          return end.error.failure === 'permanent'
            ? { answered: true }
            : { unreachable: end.error.message.replace(/\.$/, '') };
        },
      );
      if (answer.status !== 202) throw refused(page, answer, routingKey);
    },
  };

  async function attempt(page: Page, routingKey: string, signal: AbortSignal): Promise<Answer> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const agent = agentOf(server, options.ca);
    try {
      return await enqueue(server, eventOf(page, routingKey), agent, AbortSignal.any([signal, timeout]));
    } catch (error) {
      throw lost(page, server, error, timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : null);
    } finally {
      agent.destroy();
    }
  }
}

interface Answer {
  readonly status: number;
  readonly data: unknown;
}

class RateLimited extends Error {}

/**
 * One request through pdjs. Left to itself pdjs waits 20 s after a 429 and tries again, three times, deaf to any signal: it asks
 * for an agent once a request, so being asked a second time means that the answer was 429, and ends it there; when to try
 * again is the job's to say. Its `requestTimeout` cancels nothing and keeps the process alive: off.
 */
async function enqueue(server: Server, data: EventBody, agent: https.Agent, signal: AbortSignal): Promise<Answer> {
  let asked = 0;
  const options = {
    server: server.host,
    data,
    signal,
    requestTimeout: 0,
    retryTimeout: 1,
    redirect: 'error' as const,
    size: answerBytes,
    agent() {
      asked += 1;
      if (asked > 1) throw new RateLimited();
      return agent;
    },
  };
  try {
    const response = await event(options);
    return { status: response.status, data: response.data };
  } catch (error) {
    if (error instanceof RateLimited) return { status: 429, data: null };
    throw error;
  }
}

function refused(page: Page, answer: Answer, routingKey: string): PortError {
  const said = excerpt(wordsOf(answer.data), [routingKey]);
  const message = `PagerDuty answered ${answer.status} to the ${page.action} for ${page.service}${said ? `: ${said}` : ''}`;
  if (answer.status === 429) return new PortError('retryable', `${message}: too many events, tried again later.`);
  if (answer.status >= 500) return new PortError('retryable', message);
  const todo = 'Check the routing key (an Events API v2 integration key) and PAGERDUTY_EVENTS_HOST.';
  return new PortError('permanent', `${message}${/[.!]$/.test(said) ? '' : '.'} ${todo}`);
}

function lost(page: Page, server: Server, error: unknown, timedOut: string | null): PortError {
  const type = property(error, 'type');
  const what = `PagerDuty (${server.host}) could not be told of the ${page.action} for ${page.service}`;
  if (type === 'no-redirect') {
    return new PortError('permanent', `${what}: it redirects. PAGERDUTY_EVENTS_HOST must be the host itself.`);
  }
  if (timedOut) return new PortError('retryable', `${what}: ${timedOut}.`);
  if (type === 'aborted') return new PortError('retryable', `${what}: given up, it was no longer wanted.`);
  if (type === 'invalid-json' || type === 'max-size') {
    return new PortError('retryable', `${what}: the answer is not PagerDuty's. Is PAGERDUTY_EVENTS_HOST right?`);
  }
  const code = property(error, 'code');
  return new PortError('retryable', `${what}: no connection${code ? ` (${code})` : ''}.`);
}

/** `message` and `errors` of PagerDuty's answer. */
function wordsOf(data: unknown): string {
  const errors =
    typeof data === 'object' && data !== null && 'errors' in data && Array.isArray(data.errors) ? data.errors : [];
  const words = errors.filter((word): word is string => typeof word === 'string');
  return [property(data, 'message'), ...words].filter((word) => word !== '').join('; ');
}

function property(of: unknown, name: string): string {
  if (typeof of !== 'object' || of === null || !(name in of)) return '';
  const value: unknown = Reflect.get(of, name);
  return typeof value === 'string' ? value : '';
}

/** pdjs only knows https://. A stand-in on this machine is reached by a connection that leaves TLS out. */
function agentOf(server: Server, ca: string | undefined): https.Agent {
  const agent = new https.Agent({ keepAlive: false, ca });
  if (server.plain) {
    const [host, port] = splitHost(server.host);
    agent.createConnection = () => net.connect({ host, port });
  }
  return agent;
}

function serverOf(text: string): Server {
  const plain = text.startsWith('http://');
  const host = plain ? text.slice('http://'.length).replace(/\/$/, '') : text;
  if (!/^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/i.test(host)) {
    throw new Error(`PagerDuty's host must be "host" or "host:port", not ${JSON.stringify(text)}.`);
  }
  if (plain && !['127.0.0.1', 'localhost', '::1'].includes(splitHost(host)[0])) {
    throw new Error(
      `PagerDuty is only spoken to over TLS: leave out http:// (it is for stand-ins on this machine). Given: ${text}`,
    );
  }
  return { host, plain };
}

function splitHost(host: string): [string, number] {
  const url = new URL(`http://${host}`);
  return [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 80)];
}
