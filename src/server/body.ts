import type { IncomingMessage } from 'node:http';

/** Alertmanager sends 332 KB for 500 alerts; a refusal would come back for ever, so the limit leaves room for thousands. */
export const bodyLimitBytes = 4 * 1024 * 1024;
/** How much of a body that is refused anyway is read and thrown away, so that the sender gets to read the answer. */
const discardLimitBytes = 4 * bodyLimitBytes;

export type BodyOutcome = { readonly body: Buffer } | { readonly tooLarge: true };

/** Reads a whole body, keeping at most `limitBytes`. Rejects where the sender goes away; the server's requestTimeout bounds slow ones. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<BodyOutcome> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let tooLarge = Number(request.headers['content-length'] ?? 0) > limitBytes;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      tooLarge ||= size > limitBytes;
      if (tooLarge) chunks = [];
      else chunks.push(chunk);
      if (size > discardLimitBytes) resolve({ tooLarge: true });
    });
    request.on('end', () => resolve(tooLarge ? { tooLarge: true } : { body: Buffer.concat(chunks) }));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the sender went away in the middle of the body')));
  });
}

/** Lets a refused body run out, as far as is reasonable: what closes early makes the sender see a broken connection, not the reason. */
export async function discardBody(request: IncomingMessage): Promise<void> {
  await readBody(request, 0);
}
