import { connect } from 'node:net';
import { type FailureClass, PortError } from '../ports/failure.ts';

/** More than any answer about one backend. */
const MOST_BYTES = 8 * 1024 * 1024;

/** One call to the Runtime API. */
export interface RuntimeCall {
  /** `host:port`, or the path of a Unix socket. */
  readonly node: string;
  readonly command: string;
  /** A write that loses its reply is ambiguous. */
  readonly intent: 'read' | 'write';
  /** Ends the whole conversation it is part of. */
  readonly limit: AbortSignal;
  /** What `limit` was made with, for the message. */
  readonly limitMs: number;
  /** The caller's: nobody waits any more. */
  readonly wanted: AbortSignal;
}

/**
 * Asks one command over a connection of its own; the answer is whole when the other side closes it. Throws PortError: retryable
 * where it was not sent, permanent where this socket cannot be used at all.
 */
export function askRuntime(call: RuntimeCall): Promise<string> {
  const { node, command, limit, wanted } = call;
  return new Promise((resolve, reject) => {
    const progress = { sent: false, complete: false };
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect(addressOf(node));
    const settle = (finish: () => void) => {
      limit.removeEventListener('abort', given);
      wanted.removeEventListener('abort', given);
      socket.destroy();
      finish();
    };
    const fail = (error: unknown) => settle(() => reject(failure(call, progress.sent, error)));
    const given = () => fail(null);
    if (limit.aborted || wanted.aborted) return given();
    limit.addEventListener('abort', given);
    wanted.addEventListener('abort', given);
    socket.on('error', fail);
    socket.on('connect', () => {
      progress.sent = true;
      socket.write(`${command}\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) fail(new Error(`the answer is longer than ${MOST_BYTES} bytes`));
    });
    socket.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      // Even success is an empty line.
      if (text.endsWith('\n')) settle(() => resolve(text));
      else fail(new Error('the connection was closed before the answer was complete'));
    });
  });
}

function addressOf(node: string): { path: string } | { host: string; port: number } {
  if (node.startsWith('/')) return { path: node };
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(node.slice(colon + 1)) };
}

function failure(call: RuntimeCall, sent: boolean, error: unknown): PortError {
  const lost: FailureClass = sent && call.intent === 'write' ? 'ambiguous' : 'retryable';
  const what = `HAProxy at ${call.node}: "${call.command}"`;
  const may = lost === 'ambiguous' ? ' It may have been carried out.' : '';
  if (call.wanted.aborted) return new PortError(lost, `${what} was given up: it was no longer wanted.${may}`);
  if (call.limit.aborted) {
    const where = sent ? 'was not answered' : 'could not be sent: there was no connection';
    return new PortError(lost, `${what} ${where} within ${call.limitMs / 1000} s.${may}`);
  }
  const { code, message } = described(error);
  if (code === 'EACCES' || code === 'EPERM')
    return new PortError(
      'permanent',
      `${what} was not sent: Lastgood's user may not open the socket (${code}). Give it user, group and mode in "stats socket".`,
    );
  const hint = notThere.get(code);
  if (!sent && hint !== undefined) return new PortError('retryable', `${what} was not sent: ${hint} (${code}).`);
  return new PortError(lost, `${what} ${sent ? 'lost its answer' : 'was not sent'}: ${message}.${may}`);
}

const notThere: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there. Is HAProxy running?'],
  ['ENOENT', 'there is no such socket. Is HAProxy running, and is its directory visible from here?'],
  ['ENOTFOUND', 'the host is not known'],
  ['EAI_AGAIN', 'the name server did not answer'],
]);

function described(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  return { code: 'code' in error ? String(error.code) : '', message: error.message };
}
