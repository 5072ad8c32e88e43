import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { inPieces, sendPieces } from '../../src/server/pieces.ts';

const lines = Array.from({ length: 20_000 }, (_, i) => `lastgood_frozen{service="service-${i}"} 0\n`);
const texts = () => [['# HELP lastgood_frozen 1 while frozen.\n'], lines];
const whole = `# HELP lastgood_frozen 1 while frozen.\n\n${lines.join('')}\n`;

let close: (() => void) | null = null;
afterEach(() => close?.());

async function all(pieces: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

/** A server that answers everything with these; `ended`: how each answer came to its end. */
async function answering(pieces: () => AsyncIterable<string>) {
  const ended: Promise<void>[] = [];
  const server = createServer((_request, response) => {
    ended.push(sendPieces(response, pieces()));
    // A test looks at it later.
    ended.at(-1)?.catch(() => null);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ended };
}

describe('a long answer in pieces', () => {
  it('is all of it, none of them long', async () => {
    const pieces = await all(inPieces(texts()));
    expect(pieces.join('')).toBe(whole);
    expect(pieces.length).toBeGreaterThan(20);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(64 * 1024);
  });

  it('lets others have their turn in between', async () => {
    let [turns, isOver] = [0, false];
    const other = () => {
      turns += 1;
      if (!isOver) setImmediate(other);
    };
    setImmediate(other);
    await all(inPieces(texts()));
    isOver = true;
    expect(turns).toBeGreaterThan(5);
  });

  it('arrives whole', async () => {
    const { url, ended } = await answering(() => inPieces(texts()));
    expect(await (await fetch(url)).text()).toBe(whole);
    await Promise.all(ended);
  });

  it('ends quietly where the reader goes away', async () => {
    const { url, ended } = await answering(async function* () {
      for (;;) yield 'x'.repeat(1024);
    });
    const answer = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
    answer.destroy();
    await expect(ended[0]).resolves.toBeUndefined();
  });

  it('fails where it cannot be put together', async () => {
    const { url, ended } = await answering(async function* () {
      yield 'begun';
      throw new Error('out of order');
    });
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
    await expect(ended[0]).rejects.toThrow('out of order');
  });
});
