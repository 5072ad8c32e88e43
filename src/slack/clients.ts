import type { Logger } from '@slack/bolt';
import { LogLevel, type WebClient, type WebClientOptions } from '@slack/web-api';
import type { Telemetry } from '../ports/telemetry.ts';
import { PAUSE_SECONDS, PlainClient } from './client.ts';
import { createTransport, type Fetch } from './transport.ts';

/** A trigger lives 3 s: what takes longer has failed for the person who pressed. */
const INTERACTIVE_TIMEOUT_MS = 2500;
const POSTING_TIMEOUT_MS = 10_000;

/**
 * Two clients, because a rate limit stalls everything else on the one it hits: one for what a person waits for, one for
 * messages. Neither retries by itself: a post that is repeated blindly stands there twice.
 */
export interface Clients {
  readonly interactive: WebClient;
  readonly posting: WebClient;
  /** For the clients that Bolt makes itself. */
  readonly options: WebClientOptions;
  /** Ends every call in flight. */
  close(): void;
}

export function createClients(settings: { botToken: string; apiUrl: string; telemetry: Telemetry }): Clients {
  const lifetime = new AbortController();
  const transport = createTransport(settings.apiUrl);
  const base: WebClientOptions = {
    slackApiUrl: settings.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    // A method name is never an address of its own: the token goes to Slack only.
    allowAbsoluteUrls: false,
    logger: silent(),
    fetch: (url, init) => politely(transport.fetch, lifetime.signal, url, init),
  };
  const client = (timeoutMs: number) =>
    new PlainClient({ token: settings.botToken, transport, lifetime: lifetime.signal, timeoutMs, options: base });
  return {
    interactive: client(INTERACTIVE_TIMEOUT_MS),
    posting: client(POSTING_TIMEOUT_MS),
    options: { ...base, timeout: INTERACTIVE_TIMEOUT_MS },
    close() {
      lifetime.abort(new Error('Lastgood is stopping'));
      transport.close();
    },
  };
}

async function politely(fetch: Fetch, lifetime: AbortSignal, ...[url, init]: Parameters<Fetch>): Promise<Response> {
  const ends = [lifetime, init?.signal ?? AbortSignal.timeout(INTERACTIVE_TIMEOUT_MS)];
  const response = await fetch(url, { ...init, signal: AbortSignal.any(ends) });
  if (response.status !== 429 || response.headers.has('retry-after')) return response;
  const headers = new Headers(response.headers);
  headers.set('retry-after', String(PAUSE_SECONDS));
  return new Response(null, { status: 429, headers });
}

/** Failures are classed and told where the call was made; the client's own lines would only double them. */
function silent(): Logger {
  const nothing = () => undefined;
  return {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    setLevel: nothing,
    getLevel: () => LogLevel.ERROR,
    setName: nothing,
  };
}

/** Bolt's warnings and errors, in our own log. */
export function boltLogger(telemetry: Telemetry): Logger {
  const problem = (...words: unknown[]) =>
    telemetry.problem('slack', new Error(words.map((w) => (w instanceof Error ? w.message : String(w))).join(' ')));
  return { ...silent(), error: problem };
}
