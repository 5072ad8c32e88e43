import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Fields } from './fields.ts';
import type { State } from './state.ts';
import type { Delivery, SentRequest } from './types.ts';

/** Slack's v0 signature over `v0:timestamp:body`. */
export function sign(secret: string, timestamp: string, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
}

/** Where Bolt listens when only an origin is given. */
function addressOf(appUrl: string): URL {
  const url = new URL(appUrl);
  if (url.pathname === '/') url.pathname = '/slack/events';
  return url;
}

/** Sends signed requests to the app, with Slack's time limit for the answer. */
export class Outgoing {
  private readonly state: State;
  private appUrl: URL | null;

  constructor(state: State) {
    this.state = state;
    this.appUrl = typeof state.options.appUrl === 'string' ? addressOf(state.options.appUrl) : null;
  }

  connect(appUrl: string | null): void {
    this.appUrl = appUrl === null ? null : addressOf(appUrl);
  }

  /** An interaction: one form field `payload`. */
  interaction(kind: SentRequest['kind'], payload: Fields): Promise<Delivery> {
    return this.send(kind, payload, new URLSearchParams({ payload: JSON.stringify(payload) }).toString());
  }

  /** A slash command: flat form fields. */
  command(fields: Record<string, string>): Promise<Delivery> {
    return this.send('command', fields, new URLSearchParams(fields).toString());
  }

  /** An event, as JSON; sent once more, as Slack does, when it was not acknowledged. */
  async event(payload: Fields): Promise<Delivery> {
    const body = JSON.stringify(payload);
    const first = await this.send('event', payload, body);
    if (first.ok || first.error === 'app_not_connected') return first;
    return this.send('event', payload, body, {
      'x-slack-retry-num': '1',
      'x-slack-retry-reason': first.error === 'operation_timeout' ? 'http_timeout' : 'http_error',
    });
  }

  private async send(
    kind: SentRequest['kind'],
    payload: Fields,
    body: string,
    extra: Record<string, string> = {},
  ): Promise<Delivery> {
    if (this.appUrl === null) return { ok: false, status: null, error: 'app_not_connected', body: '' };
    const timestamp = String(Math.floor((this.state.options.signatureNow?.() ?? Date.now()) / 1000));
    const headers = {
      'user-agent': 'Slackbot 1.0 (local workspace)',
      // Exactly this, without a charset: Bolt compares it as a whole.
      'content-type': kind === 'event' ? 'application/json' : 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': sign(this.state.options.signingSecret, timestamp, body),
      ...extra,
    };
    const sent: SentRequest = { kind, at: this.state.now(), headers, body, payload, status: null };
    this.state.deliveries.push(sent);
    const delivery = await post(this.appUrl, headers, body, this.state.options.ackTimeoutMs ?? 3000);
    sent.status = delivery.status;
    return delivery;
  }
}

function post(url: URL, headers: Record<string, string>, body: string, timeoutMs: number): Promise<Delivery> {
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const timer = setTimeout(() => {
      resolve({ ok: false, status: null, error: 'operation_timeout', body: '' });
      sending.destroy();
    }, timeoutMs);
    const failed = (): void => {
      clearTimeout(timer);
      resolve({ ok: false, status: null, error: 'dispatch_failed', body: '' });
    };
    const sending = request(url, { method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => {
        clearTimeout(timer);
        const status = response.statusCode ?? null;
        const ok = status !== null && status >= 200 && status < 300;
        resolve({
          ok,
          status,
          ...(ok ? {} : { error: 'dispatch_failed' as const }),
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    sending.on('error', failed);
    sending.end(body);
  });
}
