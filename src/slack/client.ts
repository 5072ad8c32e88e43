import { stringify } from 'node:querystring';
import {
  type WebAPICallResult,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import type { Answer, Transport } from './transport.ts';

/** A 429 that does not say when to come again. */
export const PAUSE_SECONDS = 30;
/** Messages: they take JSON, half as long as a form that has JSON in it. What only reads does not, in Slack's own words. */
const IN_JSON = /^chat\./;

export interface PlainClientOptions {
  readonly token: string;
  readonly transport: Transport;
  /** Ends every call in flight. */
  readonly lifetime: AbortSignal;
  /** After this a call has failed. */
  readonly timeoutMs: number;
  readonly options: WebClientOptions;
}

/**
 * Slack's client with its methods, answers and errors, whose calls go out as they are: the client's own way puts each body and each
 * answer into words twice more for debug lines that nobody asked for, through a queue and a retry that are not wanted here. That took
 * longer than all else about a call.
 */
export class PlainClient extends WebClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: PlainClientOptions;

  constructor(options: PlainClientOptions) {
    super(options.token, options.options);
    this.#base = this.slackApiUrl;
    this.#headers = { Authorization: `Bearer ${options.token}`, Accept: 'application/json', 'User-Agent': 'lastgood' };
    this.#options = options;
  }

  override async apiCall(method: string, args: Record<string, unknown> = {}): Promise<WebAPICallResult> {
    // A method's name is never an address of its own: the token goes to Slack only.
    const url = new URL(`${this.#base}${method}`);
    const [type, body] = IN_JSON.test(method)
      ? ['application/json; charset=utf-8', JSON.stringify(args)]
      : ['application/x-www-form-urlencoded', formOf(args)];
    const answer = await this.#send(url, { ...this.#headers, 'Content-Type': type }, body);
    if (answer.status === 429) throw new WebAPIRateLimitedError(retryAfterOf(answer));
    const text = answer.body.toString();
    if (answer.status !== 200) throw new WebAPIHTTPError(answer.status, answer.statusText, {}, text);
    const result = resultOf(text);
    if (!result.ok) throw new WebAPIPlatformError({ ...result, error: String(result.error) });
    return result;
  }

  async #send(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> {
    const { transport, lifetime: signal, timeoutMs: limitMs } = this.#options;
    try {
      return await transport.post(url, { headers, body, signal, limitMs });
    } catch (error) {
      throw new WebAPIRequestError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** As Slack wants forms: what is no text, number or truth value is JSON in them; what is not there is left out. */
function formOf(args: Readonly<Record<string, unknown>>): string {
  const fields: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    fields[name] = isPlain ? value : JSON.stringify(value);
  }
  return stringify(fields);
}

type Result = WebAPICallResult & Readonly<Record<string, unknown>>;

/** What is not JSON, or no object, comes as the error it is: somebody else answered. */
function resultOf(text: string): Result {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Result;
  } catch {
    // Told below.
  }
  return { ok: false, error: text };
}

function retryAfterOf({ rawHeaders }: Answer): number {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'retry-after');
  const seconds = Number.parseInt(rawHeaders[at + 1] ?? '', 10);
  return at === -1 || Number.isNaN(seconds) ? PAUSE_SECONDS : seconds;
}
