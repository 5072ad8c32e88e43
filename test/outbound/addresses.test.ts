import { afterEach, describe, expect, it, test } from 'vitest';
import { addressRule } from '../../src/outbound/addresses.ts';
import { createHttp, type HttpOptions } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { type Loopback, serve } from './loopback.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

/** A server that counts who came, and the client that is to reach it or not. */
async function between(options: HttpOptions) {
  let asked = 0;
  const server: Loopback = await serve((_request, response) => {
    asked += 1;
    response.end('inside');
  });
  const http = createHttp(options);
  running.push(server, { stop: async () => http.close() });
  const get = (url: string) =>
    http.request({ method: 'GET', url, timeoutMs: 5_000, intent: 'read' }).then(
      ({ body }) => body,
      (error: unknown) => (error instanceof PortError ? error : Promise.reject(error)),
    );
  return { server, get, asked: () => asked };
}

describe('addresses of private networks', () => {
  it('may be asked where nothing is said, by number and by name', async () => {
    const { server, get } = await between({});
    expect(await get(server.url)).toBe('inside');
    expect(await get(`http://localhost:${server.port}/`)).toBe('inside');
  });

  it.each([
    ['by number', '127.0.0.1'],
    ['by name', 'localhost'],
    ['as one number', '2130706433'],
    ['in octal', '0177.0.0.1'],
    ['shortened', '127.1'],
    ['as IPv6 that holds IPv4', '[::ffff:127.0.0.1]'],
  ])('are refused %s, and nobody comes', async (_how, host) => {
    const { server, get, asked } = await between({ privateAddresses: 'refuse' });
    const error = await get(`http://${host}:${server.port}/secret?token=abc`);
    expect(error).toMatchObject({
      failure: 'permanent',
      message: expect.stringMatching(/was not sent: .* is an address of a private network/),
    });
    expect(String(error)).not.toContain('abc');
    expect(asked()).toBe(0);
  });

  it('are allowed as they are listed', async () => {
    const { server, get } = await between({ privateAddresses: ['10.0.0.0/8', '127.0.0.1'] });
    expect(await get(server.url)).toBe('inside');
    const other = await get('http://192.168.0.1/');
    expect(other).toMatchObject({ failure: 'permanent' });
  });
});

test.each([
  ['169.254.169.254', true],
  ['10.255.0.1', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['100.64.0.1', true],
  ['0.0.0.0', true],
  ['8.8.8.8', false],
  ['[fd00::1]', true],
  ['[fe80::1]', true],
  ['[::]', true],
  ['[64:ff9b::a00:1]', true],
  ['[::ffff:10.0.0.1]', true],
  ['[2606:4700::1111]', false],
  ['prometheus.example', false],
])('%s', (host, isRefused) => {
  expect(addressRule('refuse').refuses(new URL(`http://${host}/`).hostname) !== null).toBe(isRefused);
});
