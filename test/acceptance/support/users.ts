import { Agent, request } from 'node:http';

/** How one user's request ended. */
export interface Ending {
  /** Unix ms. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** Null: it was never answered. */
  readonly status: number | null;
  /** Who answered; null: no model did. */
  readonly version: string | null;
  /** Why it was not answered; null: it was. */
  readonly problem: string | null;
  /** On a connection of its own. */
  readonly isNew: boolean;
  /** Asked once more, because a kept connection had been closed meanwhile. */
  readonly isRepeated: boolean;
}

export interface Users {
  readonly endings: readonly Ending[];
  /** Not sent, because too many were under way. */
  readonly skipped: number;
  /** Resolves when every request under way has ended. */
  stop(): Promise<void>;
}

const MOST_UNDER_WAY = 200;
const TICK_MS = 10;
const GIVE_UP_MS = 20_000;

/**
 * People who ask for scores at a steady rate, every second request on a connection of its own and the others on kept ones, and
 * note how each ended. A kept connection the server closed before it was used again is not an error of the server: like every
 * browser and client library they then ask once more, on a new one.
 */
export function startUsers(url: string, ratePerSecond: number): Users {
  const kept = new Agent({ keepAlive: true, maxSockets: 16 });
  const endings: Ending[] = [];
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  let skipped = 0;
  let owed = 0;
  let beforeMs = performance.now();

  function send(): void {
    if (underWay.size >= MOST_UNDER_WAY) {
      skipped += 1;
      return;
    }
    const isNew = sent % 2 === 0;
    sent += 1;
    const sentAtMs = Date.now();
    const asking = ask(url, isNew ? null : kept).then((ending) => {
      underWay.delete(asking);
      endings.push({ ...ending, isNew, sentAtMs, endedAtMs: Date.now() });
    });
    underWay.add(asking);
  }

  const timer = setInterval(() => {
    const nowMs = performance.now();
    // What a pause of this process left out is not made up for.
    owed += (Math.min(nowMs - beforeMs, 10 * TICK_MS) * ratePerSecond) / 1000;
    beforeMs = nowMs;
    for (; owed >= 1; owed -= 1) send();
  }, TICK_MS);

  return {
    endings,
    get skipped() {
      return skipped;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      kept.destroy();
    },
  };
}

function ask(
  url: string,
  agent: Agent | null,
  isRepeated = false,
): Promise<Pick<Ending, 'status' | 'version' | 'problem' | 'isRepeated'>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const headers = { 'content-type': 'application/json' };
    const asking = request(url, { method: 'POST', headers, agent: agent ?? false, timeout: GIVE_UP_MS });
    const lost = (problem: string) => {
      if (asking.reusedSocket && !isRepeated && chunks.length === 0) resolve(ask(url, null, true));
      else resolve({ status: null, version: null, problem, isRepeated });
    };
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${GIVE_UP_MS / 1000} s`)));
    asking.on('error', (error) => lost(error.message));
    asking.on('response', (response) => {
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => lost(error.message));
      response.on('end', () => {
        const version = versionIn(Buffer.concat(chunks).toString());
        resolve({ status: response.statusCode ?? 0, version, problem: null, isRepeated });
      });
    });
    asking.end('{"amount":12.5,"fraud":false}');
  });
}

function versionIn(body: string): string | null {
  try {
    return (JSON.parse(body) as { version?: string }).version ?? null;
  } catch {
    // HAProxy's own pages are HTML.
    return null;
  }
}
