import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { WebClientOptions } from '@slack/web-api';

/** What the client says of a call. */
type Init = NonNullable<Parameters<NonNullable<WebClientOptions['fetch']>>[1]>;
export type Fetch = (url: string | URL, init?: Init) => Promise<Response>;

/** The way to Slack. */
export interface Transport {
  readonly fetch: Fetch;
  /** Ends the connections that are kept. */
  close(): void;
}

/** Kept so long for the next call: balancers drop idle connections without saying, and a post into one of those is ambiguous. */
const IDLE_MS = 4_000;
/** Where Slack has presses and commands answered, besides its API. Those addresses come with requests: no others are gone to. */
const HOOKS = ['https://hooks.slack.com', 'https://hooks.slack-gov.com'];
/** A page of two hundred messages, each as large as Slack lets one be, is about half of it. */
const ANSWER_BYTES = 32 * 1024 * 1024;
/** Statuses that have no body, as a Response insists. */
const BODILESS = new Set([204, 205, 304]);

/**
 * What Slack's client asks of `fetch`, on Node's own HTTP: a call begins a millisecond earlier than with the built-in one. Redirects are
 * answers like others; nothing is compressed; no answer is read without end. Rejects with the system's error, or with the signal's reason.
 */
export function createTransport(apiUrl: string): Transport {
  const known = new Set([new URL(apiUrl).origin, ...HOOKS]);
  const kept = { keepAlive: true, timeout: IDLE_MS };
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  return {
    async fetch(url, init = {}) {
      const address = new URL(url);
      const { origin } = address;
      if (!known.has(origin)) throw new Error(`${origin} is not Slack's: nothing was sent there`);
      return ask(agents, address, init);
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function ask(agents: { http: HttpAgent; https: HttpsAgent }, url: URL, init: Init): Promise<Response> {
  const { signal, body } = init;
  // The client sends forms; files, which it would send otherwise, are never sent.
  if (typeof body !== 'string') return fetch(url, { ...init, redirect: 'error' });
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const stop = () => asking.destroy();
    const fail = (error: Error) => {
      signal?.removeEventListener('abort', stop);
      reject(signal?.aborted ? signal.reason : error);
    };
    const secure = url.protocol === 'https:';
    const headers = { ...init.headers, 'Content-Length': Buffer.byteLength(body) };
    const options = { method: init.method ?? 'GET', headers, agent: secure ? agents.https : agents.http };
    const asking = (secure ? requestHttps : requestHttp)(url, options, (answer) => {
      read(answer).then((response) => {
        signal?.removeEventListener('abort', stop);
        resolve(response);
      }, fail);
    });
    signal?.addEventListener('abort', stop, { once: true });
    asking.on('error', fail);
    asking.end(body);
  });
}

async function read(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) throw new Error(`the answer is longer than ${ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2)
    headers.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '');
  const status = answer.statusCode ?? 0;
  return new Response(BODILESS.has(status) ? null : Buffer.concat(chunks), {
    status,
    statusText: answer.statusMessage ?? '',
    headers,
  });
}
