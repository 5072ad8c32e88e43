import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Anchor } from '../ports/audit.ts';
import type { Random } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { readBody } from './body.ts';

/** Anchors are short: this is hundreds of thousands of them. */
const bodyLimitBytes = 32 * 1024 * 1024;
/** What a Unix socket's path may have on Linux, the ending zero not counted; macOS has 103. */
const longestPath = 103;

/** Where the commands that look after the database find the instance that has it open. */
export function upkeepSocket(dataDir: string): string {
  return join(dataDir, 'run', 'lastgood.sock');
}

export interface UpkeepDoor {
  /** Says why where it cannot: the instance runs all the same, and those commands need it stopped. */
  open(): Promise<{ readonly problem: string | null }>;
  close(): Promise<void>;
}

/**
 * Lets the commands in that need the database while this process owns it. It is a Unix socket in a directory that only this user
 * may enter: who gets there could read the database file itself. Nothing of it is reachable over the network.
 */
export function createUpkeepDoor(parts: {
  dataDir: string;
  store: Pick<Store, 'audit' | 'backup'>;
  random: Random;
}): UpkeepDoor {
  const path = upkeepSocket(parts.dataDir);
  const server = createServer((request, response) => {
    answer(request, response, parts).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
    });
  });
  return {
    async open() {
      if (Buffer.byteLength(path) > longestPath) return { problem: `the path ${path} is too long for a socket` };
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        // Left behind by a process that was killed; the database's lock says that it is gone.
        await rm(path, { force: true });
        await listen(server, path);
        return { problem: null };
      } catch (error) {
        return { problem: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { dataDir, store, random }: Parameters<typeof createUpkeepDoor>[0],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://instance');
  const service = url.searchParams.get('service');
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /audit/verify': {
      const read = await readBody(request, bodyLimitBytes);
      if ('tooLarge' in read) throw new Error('Too many anchors at once.');
      const anchors = JSON.parse(read.body.toString('utf8')) as readonly Anchor[];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(await store.audit.verify({ service, anchors })));
      return;
    }
    case 'GET /journal':
      response.setHeader('content-type', 'application/x-ndjson');
      await pipeline(linesOf(store, service), response);
      return;
    case 'GET /backup': {
      const file = join(dataDir, `backup-${random.id()}.db`);
      try {
        await store.backup(file);
        response.setHeader('content-type', 'application/vnd.sqlite3');
        await pipeline(createReadStream(file), response);
      } finally {
        await rm(file, { force: true });
      }
      return;
    }
    default:
      response.writeHead(404).end();
  }
}

/** The journal as JSON lines. */
export async function* linesOf(store: Pick<Store, 'audit'>, service: string | null): AsyncGenerator<string> {
  for await (const entry of store.audit.entries({ service })) yield `${JSON.stringify(entry)}\n`;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
