import http from 'node:http';
import type { Random } from './random.ts';

/** People paying: asks for scores at a steady rate. */
export interface Traffic {
  start(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
  counts(): TrafficCounts;
  /** From now on. Throws an Error for rates over 2000/s. */
  setRate(ratePerSecond: number): void;
}

export interface TrafficCounts {
  readonly ok: number;
  /** Answered with an error, or not at all. */
  readonly failed: number;
  /** Not sent, because too many were under way. */
  readonly skipped: number;
}

const tickMs = 20;
const mostMadeUpMs = 25;
const mostUnderWay = 500;
const mostPerSecond = 2_000;
const giveUpMs = 30_000;
const shareOfFraud = 0.1;

/** @param options.url where to POST; only this machine. Throws an Error for any other, and for rates over 2000/s. */
export function createTraffic(options: { url: string; ratePerSecond: number; random: Random }): Traffic {
  const { url, random } = options;
  let { ratePerSecond } = options;
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)) {
    throw new Error(`Traffic is made for this machine only, not for ${url}.`);
  }
  demandRate(ratePerSecond);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const counts = { ok: 0, failed: 0, skipped: 0 };
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let ending = new AbortController();

  function send(): void {
    if (underWay.size >= mostUnderWay) {
      counts.skipped += 1;
      return;
    }
    const { signal } = ending;
    const body = JSON.stringify({ amount: Math.round(random() * 50_000) / 100, fraud: random() < shareOfFraud });
    const sending = post(url, agent, body, signal).then((ok) => {
      underWay.delete(sending);
      // Given up at the end: neither well nor failed.
      if (signal.aborted) return;
      if (ok) counts.ok += 1;
      else counts.failed += 1;
    });
    underWay.add(sending);
  }

  return {
    start() {
      if (timer) return;
      ending = new AbortController();
      let before = performance.now();
      let owed = 0;
      timer = setInterval(() => {
        const now = performance.now();
        // What was missed in a pause of the process is not made up for, and a machine that cannot keep up is asked for less.
        owed += (Math.min(now - before, mostMadeUpMs) * ratePerSecond) / 1000;
        before = now;
        for (; owed >= 1; owed -= 1) send();
      }, tickMs);
    },
    async stop() {
      if (timer) clearInterval(timer);
      timer = null;
      ending.abort();
      await Promise.all(underWay);
      agent.destroy();
    },
    counts: () => ({ ...counts }),
    setRate(wanted) {
      demandRate(wanted);
      ratePerSecond = wanted;
    },
  };
}

function demandRate(ratePerSecond: number): void {
  if (ratePerSecond > 0 && ratePerSecond <= mostPerSecond) return;
  throw new Error(`The rate must be between 0 and ${mostPerSecond} requests a second, not ${ratePerSecond}.`);
}

/** True: 2xx. Never rejects. */
function post(url: string, agent: http.Agent, body: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    let answer: http.IncomingMessage | null = null;
    const request = http.request(url, { method: 'POST', agent, headers, signal, timeout: giveUpMs }, (response) => {
      answer = response;
      response.resume();
    });
    request.once('timeout', () => request.destroy());
    // Said before the close, which is the one that counts.
    request.on('error', () => undefined);
    request.once('close', () => resolve(answer?.complete === true && (answer.statusCode ?? 500) < 300));
    request.end(body);
  });
}
