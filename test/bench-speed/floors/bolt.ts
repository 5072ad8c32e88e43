import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { App, HTTPReceiver } from '@slack/bolt';

/** A program, the floor of acknowledgements: bare Bolt that acknowledges, and one durable insert. */

const database = new DatabaseSync(process.env.DATABASE ?? ':memory:');
database.exec('PRAGMA locking_mode = EXCLUSIVE');
database.exec('PRAGMA journal_mode = WAL');
database.exec('PRAGMA synchronous = FULL');
database.exec('CREATE TABLE events (id INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT');
const insert = database.prepare('INSERT INTO events (payload) VALUES (?)');

const receiver = new HTTPReceiver({ signingSecret: process.env.SIGNING_SECRET ?? '', endpoints: ['/slack/events'] });
const app = new App({
  receiver,
  authorize: async () => ({ botToken: 'xoxb-bench-token', botId: 'B1', botUserId: 'U1' }),
  convoStore: false,
});
app.action(/.*/, async ({ ack, body }) => {
  await ack();
  insert.run(JSON.stringify(body));
});
app.command(/.*/, async ({ ack, body }) => {
  await ack();
  insert.run(JSON.stringify(body));
});

const server = createServer((request, response) => receiver.requestListener(request, response));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
