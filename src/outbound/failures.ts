import { type FailureClass, PortError } from '../ports/failure.ts';
import { privateAddressCode } from './addresses.ts';

/** How far a request came. */
export interface Progress {
  /** The connection stood (and its TLS): from here on the other side may have the request. */
  sent: boolean;
  /** It went out on a connection kept from before. */
  reused: boolean;
  /** The answer's status, as soon as its head was there. */
  status: number | null;
}

interface Failure {
  readonly what: string;
  readonly error: unknown;
  readonly progress: Progress;
  readonly request: { readonly intent: 'read' | 'write'; readonly timeoutMs: number; readonly maxBytes?: number };
  readonly timedOut: boolean;
  readonly cancelled: boolean;
}

/**
 * An exchange without an answer, as a PortError. What failed before the connection stood did not happen: `retryable`, and
 * `permanent` only where nothing could be tried at all. A write that was sent is `ambiguous`, whatever its end.
 * The original error is not handed on as cause: it carries the request's headers.
 */
export function transportFailure(failure: Failure): PortError {
  const { what, error, progress, request } = failure;
  const { code, message } = described(error);
  const lost: FailureClass = progress.sent && request.intent === 'write' ? 'ambiguous' : 'retryable';
  if (code === 'ERR_INVALID_URL' || code === 'ERR_UNESCAPED_CHARACTERS') {
    return new PortError('permanent', `${what} was not sent: the address has a character that is not allowed.`);
  }
  if (code === privateAddressCode) return new PortError('permanent', `${what} was not sent: ${message}.`);
  const certificate = certificateProblem(code, message);
  // TLS 1.3 refuses a client certificate only after the handshake; the request itself was not taken then.
  if (certificate && (!progress.sent || /ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)))
    return new PortError('retryable', `${what}: ${certificate} (${code}).`);
  if (failure.cancelled) return new PortError(lost, `${what} was given up: it was no longer wanted.${mayHave(lost)}`);
  if (failure.timedOut) {
    const where = progress.sent ? '' : ' while connecting';
    return new PortError(lost, `${what} timed out after ${seconds(request.timeoutMs)}${where}.${mayHave(lost)}`);
  }
  if (/maxContentLength/.test(message)) {
    const kind = request.intent === 'write' ? 'ambiguous' : 'permanent';
    return new PortError(
      kind,
      `${what}: the answer is longer than ${request.maxBytes ?? 'the allowed'} bytes.${mayHave(kind)}`,
    );
  }
  const how =
    connectProblems.get(code) ??
    (progress.sent ? 'the connection was lost before the answer was complete' : 'no connection');
  return new PortError(lost, `${what}: ${how}${code ? ` (${code})` : ''}.${mayHave(lost)}`);
}

/** Retry-After as seconds or as an HTTP date; undefined where it is neither. Never longer than an hour. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 3_600_000);
}

const connectProblems: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused: is it running, and is this the right port?'],
  ['ENOTFOUND', 'the host name is not known'],
  ['EAI_AGAIN', 'the host name could not be looked up just now'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'there is no route to the network'],
]);

function certificateProblem(code: string, message: string): string | null {
  if (/^(DEPTH_ZERO_)?SELF_SIGNED|^UNABLE_TO_|^CERT_(?!HAS_EXPIRED)/.test(code)) {
    return "the server's certificate is not trusted: give its CA (tls.ca)";
  }
  if (code === 'CERT_HAS_EXPIRED') return "the server's certificate has expired";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return "the server's certificate is for another host name";
  if (code.startsWith('ERR_OSSL_PEM')) return 'a certificate or key given for TLS is not PEM';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL') || /\bSSL\b/.test(message)) {
    return 'TLS failed: does this port speak TLS, and is the client certificate right?';
  }
  return null;
}

function described(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error.message };
}

const consequence = ' It may have taken effect.';

function mayHave(failure: FailureClass): string {
  return failure === 'ambiguous' ? consequence : '';
}

/** What happened alone, to be told in another message: what may have taken effect was that call, not the one that is told of it. */
export function withoutConsequence(message: string): string {
  return message.replace(consequence, '').replace(/\.$/, '');
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
