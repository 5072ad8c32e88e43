import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { refusal } from '../../workspace/guard.ts';
import { bodyOf, type LoopbackServer, listenOnLoopback, sendJson, sendText } from '../loopback.ts';
import { every } from '../ticking.ts';
import type { WorldSnapshot } from './types.ts';

/** What the page shows and does. */
export interface WorldView {
  /** Everything the page shows; asked for each second while somebody looks. */
  readonly snapshot: () => Promise<WorldSnapshot>;
  /** What the visitor pressed; answers what came of it. */
  readonly act: (action: string) => Promise<string>;
}

export interface World extends LoopbackServer {
  /** Before it there is nothing to see: 503. */
  show(view: WorldView): void;
  /** Something happened: whoever looks is told now. */
  changed(): void;
}

const root = new URL('./page/', import.meta.url);
const require = createRequire(import.meta.url);
/** Libraries of the page, from wherever they are installed. */
const vendor = ['uPlot.esm.js', 'uPlot.iife.min.js', 'uPlot.min.css'];
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};
const contentPolicy = [
  "default-src 'self'",
  // The workspace's page on this machine shows it in its panel.
  'frame-ancestors http://127.0.0.1:* http://localhost:*',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const EVERY_MS = 1_000;
/** News that come together are told together. */
const TOGETHER_MS = 100;

/** The page in the workspace's panel: what the world behind Lastgood looks like, told as it changes. */
export async function startWorld(): Promise<World> {
  let view: WorldView | null = null;
  const streams = new Set<ServerResponse>();
  const tell = async () => {
    if (streams.size === 0 || view === null) return;
    const text = `data: ${JSON.stringify(await view.snapshot())}\n\n`;
    for (const stream of streams) stream.write(text);
  };
  const ticking = every(EVERY_MS, tell, () => undefined);
  let soon: NodeJS.Timeout | null = null;
  const server = await listenOnLoopback(0, (request, response) => answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (request.method === 'GET' && (await servePage(path, response))) return;
    const refused = refusal(request.method ?? 'GET', request.headers);
    if (refused !== null) return sendText(response, 403, `${refused}\n`);
    if (view === null) return sendText(response, 503, 'Everything is still starting.\n');
    if (request.method === 'GET' && path === '/state') return sendJson(response, 200, await view.snapshot());
    if (request.method === 'GET' && path === '/events') return listen(view, request, response);
    if (request.method === 'POST' && path === '/act') return act(view, request, response);
    return sendText(response, 404, 'There is nothing here.\n');
  }

  async function listen(shown: WorldView, request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: 1000\ndata: ${JSON.stringify(await shown.snapshot())}\n\n`);
    streams.add(response);
    request.once('close', () => streams.delete(response));
  }

  async function act(shown: WorldView, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let action: unknown;
    try {
      ({ action } = JSON.parse(await bodyOf(request)) as { action?: unknown });
    } catch {
      return sendJson(response, 400, { text: 'The request is not JSON.' });
    }
    if (typeof action !== 'string') return sendJson(response, 400, { text: 'Say which action.' });
    return sendJson(response, 200, { text: await shown.act(action) });
  }

  return {
    url: server.url,
    show(shown) {
      view = shown;
    },
    changed() {
      soon ??= setTimeout(() => {
        soon = null;
        // A snapshot that fails now is made anew within the second.
        tell().catch(() => undefined);
      }, TOGETHER_MS);
    },
    async stop() {
      if (soon) clearTimeout(soon);
      await ticking.stop();
      for (const stream of streams) stream.end();
      await server.stop();
    },
  };
}

async function servePage(path: string, response: ServerResponse): Promise<boolean> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const content = await contentOf(name);
  if (content === null) return false;
  response.writeHead(200, {
    'content-type': types[name.split('.').at(-1) ?? ''] ?? 'text/plain',
    'content-security-policy': contentPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(content);
  return true;
}

/** Null where there is no such file. */
async function contentOf(name: string): Promise<Buffer | null> {
  if (/^[a-z-]+\.(html|css|js|svg)$/.test(name)) return readFile(new URL(name, root)).catch(() => null);
  const library = name.startsWith('vendor/') ? name.slice('vendor/'.length) : '';
  return vendor.includes(library) ? readFile(require.resolve(`uplot/dist/${library}`)) : null;
}
