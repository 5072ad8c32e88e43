import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether an Authorization header holds one of the tokens. Hashes are compared, all of them, so that neither a token's length nor
 * how much of it was right can be told from the time it takes.
 */
export function bearerCheck(tokens: readonly string[]): (authorization: string | undefined) => boolean {
  const known = tokens.map(hash);
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
