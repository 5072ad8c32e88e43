import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { Page } from './pages.ts';

/** The thread of pages.ts: a server a page; each answers with what was handed over last, and with 503 where that is long ago. */

const OLD_AFTER_MS = 3_000;
const port = parentPort;
const count = Number(workerData);

function listen(answer: () => Page): Promise<Server> {
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(body);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

async function serve(): Promise<void> {
  let handedOver: { readonly pages: readonly Page[]; readonly atMs: number } = { pages: [], atMs: 0 };
  port?.on('message', (pages: readonly Page[]) => {
    handedOver = { pages, atMs: performance.now() };
  });
  const answerOf = (index: number) => () => {
    const page = handedOver.pages[index];
    const isOld = performance.now() - handedOver.atMs > OLD_AFTER_MS;
    return page && !isOld ? page : { status: 503, body: 'Nothing was counted lately.\n' };
  };
  const servers = await Promise.all(Array.from({ length: count }, (_, index) => listen(answerOf(index))));
  port?.postMessage(servers.map((server) => (server.address() as AddressInfo).port));
}

await serve();
