import { createHmac, timingSafeEqual } from 'node:crypto';

/** Slack's own window: an older signature may be a replay. */
const WINDOW_SECONDS = 300;
/**
 * How far ahead of our clock a stamp may be. None of Slack's is from the future: what looks so is our clock being behind, and
 * with NTP that is a second at the most. A minute lets in a machine whose clock drifts, and nobody who signs for later.
 */
const SKEW_SECONDS = 60;
const VERSION = 'v0';
/** Only what Slack signed gets in here, so this is never reached in practice; it bounds memory all the same. */
const REMEMBERED = 100_000;

export type SignatureVerdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * Checks that a request is Slack's, is recent, and is new. Ours rather than Bolt's, because Bolt's accepts timestamps from
 * the future and the same request twice, and knows no other clock than the machine's.
 */
export class SignatureCheck {
  /** Signature → until when (Unix seconds) it could be replayed. In order of arrival. */
  private readonly seen = new Map<string, number>();
  private readonly secret: string;
  private readonly nowMs: () => number;

  constructor(secret: string, nowMs: () => number) {
    this.secret = secret;
    this.nowMs = nowMs;
  }

  verify(headers: { signature: unknown; timestamp: unknown }, body: Buffer): SignatureVerdict {
    const { signature, timestamp } = headers;
    if (typeof signature !== 'string' || typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) {
      return { ok: false, why: 'it is not signed' };
    }
    const nowSeconds = Math.floor(this.nowMs() / 1000);
    const atSeconds = Number(timestamp);
    if (atSeconds < nowSeconds - WINDOW_SECONDS) return { ok: false, why: 'its signature is too old' };
    if (atSeconds > nowSeconds + SKEW_SECONDS) {
      return { ok: false, why: "its signature is from the future (this machine's clock may be behind)" };
    }
    const hmac = createHmac('sha256', this.secret).update(`${VERSION}:${timestamp}:`).update(body).digest('hex');
    if (!same(`${VERSION}=${hmac}`, signature)) return { ok: false, why: 'its signature is wrong' };
    return this.remember(signature, atSeconds + WINDOW_SECONDS, nowSeconds);
  }

  private remember(signature: string, untilSeconds: number, nowSeconds: number): SignatureVerdict {
    if ((this.seen.get(signature) ?? -1) >= nowSeconds) return { ok: false, why: 'it was received before' };
    for (const [old, until] of this.seen) {
      if (until >= nowSeconds && this.seen.size < REMEMBERED) break;
      this.seen.delete(old);
    }
    this.seen.delete(signature);
    this.seen.set(signature, untilSeconds);
    return { ok: true };
  }
}

/** In constant time, for any lengths. */
function same(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}
