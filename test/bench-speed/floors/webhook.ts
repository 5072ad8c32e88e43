import { Agent, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

/**
 * A program, the floor of webhooks: bare node:http, JSON.parse, one durable insert into the same store with the same settings, and,
 * where POST_URL says so, one HTTP POST.
 */

const database = new DatabaseSync(process.env.DATABASE ?? ':memory:');
database.exec('PRAGMA locking_mode = EXCLUSIVE');
database.exec('PRAGMA journal_mode = WAL');
database.exec('PRAGMA synchronous = FULL');
database.exec('CREATE TABLE events (key TEXT PRIMARY KEY, payload TEXT NOT NULL) STRICT');
const insert = database.prepare('INSERT INTO events (key, payload) VALUES (?, ?)');
const postUrl = process.env.POST_URL;
const agent = new Agent({ keepAlive: true });
let count = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: { labels: { service: string } }[] };
    count += 1;
    insert.run(String(count), JSON.stringify(body.alerts));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{}\n');
    if (postUrl) post(postUrl, body.alerts[0]?.labels.service ?? '');
  });
});

function post(url: string, service: string): void {
  const text = JSON.stringify({ channel: `#${service}`, text: `${service} degraded` });
  const headers = {
    authorization: `Bearer ${process.env.TOKEN}`,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  };
  const sending = send(url, { method: 'POST', headers, agent }, (answer) => answer.resume());
  sending.on('error', (error) => process.stderr.write(`${error.message}\n`));
  sending.end(text);
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
