import type { IncomingMessage, ServerResponse } from 'node:http';
import { ErrorCode, type HTTPReceiver } from '@slack/bolt';
import type { Telemetry } from '../ports/telemetry.ts';
import type { SignatureCheck } from './signature.ts';

/** Slack's payloads hold whole messages; a megabyte is several times the largest. */
const BODY_LIMIT_BYTES = 1_048_576;
const SSL_CHECK = /(?:^|&)ssl_check=1(?:&|$)/;

/** Takes one request of Slack's, from our own HTTP server: checks that it is Slack's, then leaves it to Bolt. */
export function createHandler(parts: {
  receiver: HTTPReceiver;
  signatures: SignatureCheck;
  telemetry: Telemetry;
  stopping: () => boolean;
  /** As much is under way as may be. */
  overloaded: () => boolean;
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { receiver, signatures, telemetry, stopping, overloaded } = parts;
  return async (req, res) => {
    const ended = new Promise<void>((resolve) => {
      res.once('close', resolve);
    });
    try {
      if (stopping()) return refuse(res, 503, 'Lastgood is stopping');
      const body = await readBody(req);
      if (body === null) return refuse(res, 413, 'The body is too large');
      const signature = req.headers['x-slack-signature'];
      // Slack checks certificates with an unsigned request; nothing of it is looked at.
      if (signature === undefined && SSL_CHECK.test(body.subarray(0, 4096).toString())) return refuse(res, 200, '');
      const verdict = signatures.verify({ signature, timestamp: req.headers['x-slack-request-timestamp'] }, body);
      if (!verdict.ok) {
        telemetry.problem('slack', new Error(`A request to ${pathOf(req)} was refused: ${verdict.why}.`));
        return refuse(res, 401, `Refused: ${verdict.why}`);
      }
      // Only what is Slack's counts, or anybody could keep people's presses out. Slack tells who pressed that it did not work.
      if (overloaded()) return refuse(res, 503, 'Lastgood has more to do than it can: try again');
      // Bolt knows the type only without parameters; a proxy may have added a charset.
      const type = req.headers['content-type']?.split(';')[0]?.trim();
      if (!holdsAnObject(body.toString(), type)) return refuse(res, 400, 'The body is not what Slack sends');
      req.headers['content-type'] = type;
      Object.assign(req, { rawBody: body });
      receiver.requestListener(req, res);
      await ended;
    } catch (error) {
      // Bolt throws where path or method are not Slack's.
      telemetry.problem('slack', error);
      if (!res.headersSent) refuse(res, isUnrouted(error) ? 404 : 500, '');
    }
  };
}

function refuse(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    connection: status === 413 ? 'close' : 'keep-alive',
  });
  res.end(text);
}

/** Null: larger than the limit. */
async function readBody(req: IncomingMessage): Promise<Buffer | null> {
  const given = (req as { rawBody?: unknown }).rawBody;
  if (Buffer.isBuffer(given)) return given.length > BODY_LIMIT_BYTES ? null : given;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Bolt reads properties of whatever the body holds, and outside of every try: `null` would end the process. */
function holdsAnObject(body: string, type: string | undefined): boolean {
  const form = type === 'application/x-www-form-urlencoded';
  const json = form ? new URLSearchParams(body).get('payload') : body;
  if (json === null) return true;
  try {
    const parsed: unknown = JSON.parse(json);
    return typeof parsed === 'object' && parsed !== null;
  } catch {
    // Not JSON at all.
    return false;
  }
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?')[0]?.slice(0, 200) ?? '/';
}

function isUnrouted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ErrorCode.HTTPReceiverDeferredRequestError;
}
