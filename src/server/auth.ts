import { createHash, timingSafeEqual } from 'node:crypto';

/** How a token is configured without saying it: `sha256:` and its SHA-256, hexadecimal. */
const hashed = /^sha256:([0-9a-f]{64})$/;

/**
 * Whether an Authorization header holds one of the tokens, given as they are or by their hash. Hashes are compared, all of them, so that neither a token's length nor
 * how much of it was right can be told from the time it takes.
 */
export function bearerCheck(tokens: readonly string[]): (authorization: string | undefined) => boolean {
  const known = tokens.map((token) => Buffer.from(hashed.exec(token)?.[1] ?? hash(token).toString('hex'), 'hex'));
  return (authorization) => {
    const presented = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (presented === undefined) return false;
    const digest = hash(presented);
    let found = false;
    for (const token of known) found = timingSafeEqual(token, digest) || found;
    return found;
  };
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
