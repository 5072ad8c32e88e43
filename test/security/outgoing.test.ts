import { lookup as systemLookup } from 'node:dns';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHttp } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { createTransport } from '../../src/slack/transport.ts';
import { type Loopback, serve } from '../outbound/loopback.ts';

vi.mock('node:dns', async (original) => {
  const real = await original<typeof import('node:dns')>();
  return { ...real, lookup: vi.fn(real.lookup) };
});

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.mocked(systemLookup).mockReset();
  for (const end of ending.splice(0).reverse()) await end();
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  const server = await serve(answer);
  ending.push(() => server.stop());
  return server;
}

/** Two servers: where Slack is, and somebody who must never be asked. */
async function slackAndOther(answer: (response: ServerResponse, other: Loopback) => void) {
  let strays = 0;
  const other = await listen((_request, response) => {
    strays += 1;
    response.end('{"ok":true}');
  });
  const slack = await listen((_request, response) => answer(response, other));
  const transport = createTransport(`${slack.url}/api/`);
  ending.push(async () => transport.close());
  return { slack, other, fetch: transport.fetch, strays: () => strays };
}

describe('the way out to Slack', () => {
  it.each([307, 302])('follows no redirect (%i), whoever is asked', async (status) => {
    const { fetch, slack, strays } = await slackAndOther((response, other) =>
      response.writeHead(status, { location: `${other.url}/x` }).end(),
    );
    for (const path of ['/api/chat.postMessage', '/commands/T1/2/3'])
      expect((await fetch(`${slack.url}${path}`, { method: 'POST', body: 'x=1' })).status).toBe(status);
    // What is no text goes another way, which would follow.
    await expect(fetch(`${slack.url}/api/x`, { method: 'POST', body: new FormData() })).rejects.toThrow();
    expect(strays()).toBe(0);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://hooks.slack.com.evil.example/commands/T1/2/3',
    'http://hooks.slack.com/commands/T1/2/3',
    'https://evil.example/https://hooks.slack.com/',
    'https://hooks.slack.com@evil.example/',
    'file:///etc/passwd',
  ])('leads only to Slack: not to %s, though a request says to answer there', async (url) => {
    const { fetch } = await slackAndOther((response) => response.end('{}'));
    await expect(fetch(url, { method: 'POST', body: '{}' })).rejects.toThrow(/is not Slack's: nothing was sent there/);
  });

  it('leads to another port of the same machine no more than to another machine', async () => {
    const { fetch, other, strays } = await slackAndOther((response) => response.end('{}'));
    await expect(fetch(`${other.url}/`, { method: 'POST', body: '{}' })).rejects.toThrow(/nothing was sent there/);
    expect(strays()).toBe(0);
  });

  it.each([
    ['in chunks', (response: ServerResponse) => endless(response)],
    ['as it says', (response: ServerResponse) => said(response)],
  ])('reads no answer without end: %s', async (_how, answer) => {
    const { fetch, slack } = await slackAndOther((response) => answer(response));
    const reading = fetch(`${slack.url}/api/x`, { method: 'POST', body: '' }).then((response) => response.text());
    await expect(reading).rejects.toThrow(/longer than 33554432 bytes/);
  });

  it('reads what is long all the same', async () => {
    const { fetch, slack } = await slackAndOther((response) => response.end('x'.repeat(1_000_000)));
    const response = await fetch(`${slack.url}/api/x`, { method: 'POST', body: '' });
    expect((await response.text()).length).toBe(1_000_000);
  });
});

function endless(response: ServerResponse): void {
  response.writeHead(200);
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(1_000_000, 'x')));
  };
  response.on('drain', more);
  more();
}

function said(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 40_000_000 }).end(Buffer.alloc(40_000_000, 'x'));
}

describe('a name that means another address the second time (DNS rebinding)', () => {
  const answering = (addresses: readonly string[]) => {
    let asked = 0;
    vi.mocked(systemLookup).mockImplementation(((
      _name: string,
      _options: unknown,
      callback: (error: null, found: { address: string; family: number }[]) => void,
    ) => {
      const address = addresses[Math.min(asked, addresses.length - 1)] ?? '';
      asked += 1;
      callback(null, [{ address, family: 4 }]);
    }) as unknown as typeof systemLookup);
    return () => asked;
  };
  const get = async (url: string, privateAddresses: 'refuse' | readonly string[]) => {
    const http = createHttp({ privateAddresses });
    ending.push(async () => http.close());
    return http.request({ method: 'GET', url, timeoutMs: 10_000, intent: 'read' }).then(
      ({ body }) => body,
      (error: unknown) => (error instanceof PortError ? error.message : Promise.reject(error)),
    );
  };

  it('is looked up once for a connection, and connected to as looked up', async () => {
    let came = 0;
    const inside = await listen((_request, response) => {
      came += 1;
      response.end('inside');
    });
    // Judged and connected to is the first answer; a client that looked up again to connect would come inside, at 127.0.0.1.
    const asked = answering(['127.0.0.2', '127.0.0.1']);
    const said = await get(`http://rebinding.example:${inside.port}/`, ['127.0.0.2']);
    expect(said).toMatch(/connection refused|ECONNREFUSED/);
    expect([asked(), came]).toEqual([1, 0]);
  });

  it('is refused from the moment it means a private one', async () => {
    let came = 0;
    const inside = await listen((_request, response) => {
      came += 1;
      response.setHeader('connection', 'close');
      response.end('inside');
    });
    answering(['127.0.0.1', '127.0.0.3']);
    const http = createHttp({ privateAddresses: ['127.0.0.1'] });
    ending.push(async () => http.close());
    const ask = () =>
      http.request({
        method: 'GET',
        url: `http://rebinding.example:${inside.port}/`,
        timeoutMs: 10_000,
        intent: 'read',
      });
    expect((await ask()).body).toBe('inside');
    await expect(ask()).rejects.toThrow(/127\.0\.0\.3 is an address of a private network/);
    expect(came).toBe(1);
  });

  it('is refused where any of its addresses is private', async () => {
    vi.mocked(systemLookup).mockImplementation(((
      _name: string,
      _options: unknown,
      callback: (e: null, f: unknown) => void,
    ) =>
      callback(null, [
        { address: '8.8.8.8', family: 4 },
        { address: '169.254.169.254', family: 4 },
      ])) as unknown as typeof systemLookup);
    expect(await get('http://rebinding.example/', 'refuse')).toMatch(
      /169\.254\.169\.254 is an address of a private network/,
    );
  });
});
