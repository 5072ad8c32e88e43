import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Weights {
  readonly stable: { readonly version: string; readonly percent: number };
  readonly candidate: { readonly version: string; readonly percent: number };
}

/** A router's admin API as the `http` target sees one: weights to read and to set, and which versions are ready. */
export interface Router {
  readonly url: string;
  weights: Weights;
  /** Every change that came in force, with its moment. */
  readonly changes: { readonly atMs: number; readonly weights: Weights }[];
  readonly notReady: Set<string>;
  /** The next PUTs fare like this: refused with 503, applied without an answer, or answered 200 and not applied. */
  readonly faults: ('503' | 'lost-reply' | 'lies')[];
  /** The candidate's share at a moment. */
  shareOf(version: string, atMs: number): number;
  stop(): Promise<void>;
}

/** The `target` of a policy that moves this router, as a user writes it. */
export function routerTarget(url: string): string {
  return `target:
  kind: http
  observe:
    url: ${url}/split
    stable: /stable/version
    candidate: /candidate/version
    exposure: /candidate/percent
    ready: /versions/{{version}}/ready
    readyDetail: /versions/{{version}}/detail
  shift:
    method: PUT
    url: ${url}/split
    body:
      stable: { version: "{{stable.version}}", percent: "{{stable.percent}}" }
      candidate: { version: "{{candidate.version}}", percent: "{{candidate.percent}}" }`;
}

/** Strict: a body that is not whole and sums to something else than 100 is refused and changes nothing. */
export async function startRouter(now: () => number, first = 'v41'): Promise<Router> {
  const initial: Weights = { stable: { version: first, percent: 100 }, candidate: { version: 'none', percent: 0 } };
  const router = {
    weights: initial,
    changes: [{ atMs: 0, weights: initial }],
    notReady: new Set<string>(),
    faults: [] as Router['faults'],
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const send = (status: number, body: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      if (request.url !== '/split') return send(404, { error: 'no such thing' });
      if (request.method === 'GET') return send(200, read());
      if (request.method !== 'PUT') return send(405, { error: 'GET or PUT' });
      const fault = router.faults.shift();
      if (fault === '503') return send(503, { error: 'busy' });
      const wanted = parse(Buffer.concat(chunks).toString());
      if (!wanted) return send(400, { error: 'percents of two versions that sum to 100' });
      if (fault !== 'lies') {
        router.weights = wanted;
        router.changes.push({ atMs: now(), weights: wanted });
      }
      if (fault === 'lost-reply') return request.socket.destroy();
      return send(200, read());
    });
  });
  const read = () => {
    const { stable, candidate } = router.weights;
    const versions = [...new Set([stable.version, candidate.version, 'v40', 'v41', 'v42', 'v43'])];
    const state = (id: string) => ({
      ready: !router.notReady.has(id),
      detail: router.notReady.has(id) ? '0 of 3 instances' : '3 of 3 instances',
    });
    return { stable, candidate, versions: Object.fromEntries(versions.map((id) => [id, state(id)])) };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(router, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shareOf(version: string, atMs: number) {
      const at = router.changes.findLast((change) => change.atMs <= atMs)?.weights ?? initial;
      return ([at.stable, at.candidate].find((arm) => arm.version === version)?.percent ?? 0) / 100;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function parse(text: string): Weights | null {
  const body = JSON.parse(text) as Partial<Weights>;
  const arms = [body.stable, body.candidate];
  const whole = arms.every(
    (arm) => typeof arm?.version === 'string' && typeof arm.percent === 'number' && arm.percent >= 0,
  );
  return whole && (body.stable?.percent ?? 0) + (body.candidate?.percent ?? 0) === 100 ? (body as Weights) : null;
}
