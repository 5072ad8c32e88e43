import http from 'node:http';
import type { LoopbackServer } from '../loopback.ts';
import type { Random } from './random.ts';
import { type LabAnswer, type LabRequest, noSuchAddress, serveLab } from './serve.ts';
import { parseSplit, type Split } from './split.ts';

/** The router in front of the models: takes traffic at `POST /score`, is steered at `GET` and `PUT /split`. */
export interface Splitter extends LoopbackServer {
  /** As it stands; reading it does not ask the models. */
  split(): Split;
  /** How many requests each version was given. */
  routed(): Readonly<Record<string, number>>;
}

export interface SplitterOptions {
  /** Every version traffic can be sent to. */
  readonly models: readonly { readonly version: string; readonly url: string }[];
  /** Has all traffic at first. */
  readonly stable: string;
  /** Has none at first; null: there is none yet. */
  readonly candidate: string | null;
  readonly random: Random;
  /** Where given, /split asks for it as a bearer token. */
  readonly token?: string;
}

const modelTimeoutMs = 30_000;
/** Shorter than whoever steers the router waits for it. */
const healthTimeoutMs = 1_500;

/**
 * `GET /split`: `{ stable: { version, percent }, candidate: { version, percent }, versions: { v42: { ready, detail } }, revision }`.
 * `PUT /split` takes the same without `versions`; 400 what is not whole, 409 a revision that is not the present one.
 */
export async function createSplitter(options: SplitterOptions): Promise<Splitter> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const models = new Map(options.models.map(({ version, url }) => [version, url]));
  const routed: Record<string, number> = {};
  let split: Split = {
    stable: { version: options.stable, percent: 100 },
    candidate: { version: options.candidate, percent: 0 },
    revision: 1,
  };

  async function read(): Promise<LabAnswer> {
    const versions = await Promise.all(
      [...models].map(async ([version, url]) => [version, await health(url, agent)] as const),
    );
    return { status: 200, body: { ...split, versions: Object.fromEntries(versions) } };
  }

  function write(body: unknown): LabAnswer {
    const { wanted, problem } = parseSplit(body, [...models.keys()]);
    if (!wanted) return { status: 400, body: { error: problem } };
    if (wanted.revision !== undefined && wanted.revision !== split.revision) {
      return { status: 409, body: { error: `the revision is ${split.revision}`, revision: split.revision } };
    }
    const { stable, candidate } = wanted;
    const same = JSON.stringify([stable, candidate]) === JSON.stringify([split.stable, split.candidate]);
    if (!same) split = { stable, candidate, revision: split.revision + 1 };
    return { status: 200, body: split };
  }

  async function route(body: unknown): Promise<LabAnswer> {
    const { stable, candidate } = split;
    const version = options.random() * 100 < candidate.percent ? candidate.version : stable.version;
    const url = version === null ? undefined : models.get(version);
    if (version === null || url === undefined) return { status: 503, body: { error: 'no version has this traffic' } };
    routed[version] = (routed[version] ?? 0) + 1;
    try {
      const answer = await ask(`${url}/score`, agent, modelTimeoutMs, JSON.stringify(body ?? null));
      return { status: answer.status, body: answer.text };
    } catch {
      return { status: 502, body: { error: `${version} did not answer` } };
    }
  }

  const server = await serveLab((request) => {
    if (request.path === '/split' && !permitted(request, options.token))
      return { status: 401, body: { error: 'who are you?' } };
    switch (`${request.method} ${request.path}`) {
      case 'GET /split':
        return read();
      case 'PUT /split':
        return write(request.body);
      case 'POST /score':
        return route(request.body);
      default:
        return noSuchAddress(request);
    }
  });
  return {
    url: server.url,
    split: () => split,
    routed: () => ({ ...routed }),
    async stop() {
      await server.stop();
      agent.destroy();
    },
  };
}

function permitted(request: LabRequest, token: string | undefined): boolean {
  return token === undefined || request.headers.authorization === `Bearer ${token}`;
}

async function health(url: string, agent: http.Agent): Promise<{ ready: boolean; detail: string }> {
  try {
    const { status, text } = await ask(`${url}/health`, agent, healthTimeoutMs);
    const { detail } = JSON.parse(text) as { detail: string };
    return { ready: status === 200, detail };
  } catch {
    return { ready: false, detail: 'no answer' };
  }
}

function ask(
  url: string,
  agent: http.Agent,
  timeoutMs: number,
  body?: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = http.request(url, { method, agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 502, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
