import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extensionOf, imageTypes } from './api/files.ts';
import type { State } from './state.ts';

const root = new URL('./page/', import.meta.url);
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Only plain names: nothing of a path can lead out of the folder. */
const assetName = /^[a-z0-9-]+\.(css|js|svg)$/;

function policy(panelUrl: string | undefined): string {
  const frame = panelUrl !== undefined && URL.canParse(panelUrl) ? new URL(panelUrl).origin : "'none'";
  return [
    "default-src 'self'",
    "img-src 'self' https: data:",
    `frame-src ${frame}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Serves the page and its files; false when the path is none of them. */
export async function servePage(path: string, state: State, response: ServerResponse): Promise<boolean> {
  const name = path.slice(1);
  const page = path === '/' || path.startsWith('/archives/');
  if (!page && !assetName.test(name)) return false;
  const file = page ? 'index.html' : name;
  const content = await readFile(new URL(file, root)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (content === null) return false;
  response.writeHead(200, {
    'content-type': types[extensionOf(file)] ?? 'application/octet-stream',
    'content-security-policy': policy(state.options.panel?.url),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.end(content);
  return true;
}

/** Serves an uploaded file: images to look at, anything else to download. */
export function serveFile(path: string, state: State, response: ServerResponse): boolean {
  const file = state.files.get(path.split('/')[2] ?? '');
  if (file?.bytes === undefined || file.bytes === null || !state.fileReady(file.id)) return false;
  const image = imageTypes[extensionOf(file.name)];
  response.writeHead(200, {
    'content-type': image ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    ...(image === undefined ? { 'content-disposition': 'attachment' } : {}),
  });
  response.end(file.bytes);
  return true;
}
