import { Agent, createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A program, the gate before whoever acknowledges: it lets requests through so many at the same moment, and times each from there to
 * the end of its answer. In a process of its own, because the local Slack, which sends them, has more to do for one who opens forms
 * than for one who only acknowledges: that is neither's time to acknowledge.
 */

const together = Number(process.env.TOGETHER);
const agent = new Agent({ keepAlive: true });
let target = '';
let times: number[] = [];
let waiting: (() => void)[] = [];

const server = createServer(async (request, response) => {
  const body = await bodyOf(request);
  if (request.url === '/gate/target') {
    target = body.toString();
    return response.end();
  }
  if (request.url === '/gate/times') {
    response.end(JSON.stringify(times));
    times = [];
    return;
  }
  waiting.push(() => {
    const beganMs = performance.now();
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const onward = send(`${target}${request.url}`, { method: request.method, headers, agent }, async (answer) => {
      const said = await bodyOf(answer);
      times.push(performance.now() - beganMs);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.end(said);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
  if (waiting.length < together) return;
  const all = waiting;
  waiting = [];
  for (const one of all) one();
});

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
