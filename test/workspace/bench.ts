import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Fields } from '../../src/workspace/fields.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../../src/workspace/index.ts';
import { workspaceOptions } from './support.ts';

export function launchChromium(executablePath: string): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  return chromium.launch({ executablePath, args: [...args, '--disable-component-update', '--disable-sync'] });
}

/** What Slack sends: events as JSON, interactions in a form's field, commands as a form. */
function payloadOf(type: string | undefined, body: string): Fields {
  if (type === 'application/json') return JSON.parse(body) as Fields;
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  return payload === null ? Object.fromEntries(form) : (JSON.parse(payload) as Fields);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The other page: it says which theme it was asked for, and which it was told since. */
const world = `<!doctype html><p id="asked"></p><p id="told"></p><script>
document.getElementById('asked').textContent = new URLSearchParams(location.search).get('theme');
addEventListener('message', ({ data }) => { document.getElementById('told').textContent = data.type + ' ' + data.value; });
</script>`;

export interface Bench extends AsyncDisposable {
  readonly workspace: Workspace;
  /** The app's answer to what it is sent; set by each test. */
  answer: (payload: Fields) => Promise<string> | string;
  /** What pages complained of: script errors, and what the content policy refused. */
  readonly complaints: string[];
  /** A page of its own: storage is not shared with others. */
  page(more?: BrowserContextOptions): Promise<Page>;
}

/** A workspace with a tiny app without Bolt, the other page, and pages of a browser. */
export async function startBench(browser: Browser, more: Partial<WorkspaceOptions> = {}): Promise<Bench> {
  const bench = { answer: (() => '') as Bench['answer'] };
  const app = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html');
      return response.end(world);
    }
    const body = await bodyOf(request);
    return response.end(await bench.answer(payloadOf(request.headers['content-type'], body)));
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  const panel = { title: 'World', url: `${origin}/world` };
  const workspace = createWorkspace(workspaceOptions({ appUrl: origin, panel, ...more }));
  await workspace.start();
  const complaints: string[] = [];
  const pages: Page[] = [];
  return Object.assign(bench, {
    workspace,
    complaints,
    async page(options: BrowserContextOptions = {}) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
      pages.push(page);
      page.setDefaultTimeout(15_000);
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // A stream that is cut off when the workspace stops is no fault of the page.
        const cutOff = message.text().includes('ERR_INCOMPLETE_CHUNKED_ENCODING');
        if (message.type() === 'error' && !cutOff) complaints.push(message.text());
      });
      return page;
    },
    async [Symbol.asyncDispose]() {
      for (const page of pages) await page.context().close();
      app.closeAllConnections();
      await new Promise((resolve) => app.close(resolve));
      await workspace.stop();
    },
  });
}
