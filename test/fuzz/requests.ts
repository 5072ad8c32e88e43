import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { createSlack } from '../../src/slack/index.ts';
import { sign } from '../../src/workspace/index.ts';
import { FakeApplication, quietTelemetry } from '../slack/stage.ts';
import { NOON } from '../slack/states.ts';
import { virtualClock } from '../support/clock.ts';
import { area } from './area.ts';
import { checkPersonal } from './drawn.ts';
import { payloads } from './interactions.ts';
import { anything, text } from './words.ts';

/** Bodies that are signed rightly, through our own door, Bolt's receiver and Bolt: nothing of it may throw, whatever is in them. */

const secret = 'signing-secret';
const FORM = 'application/x-www-form-urlencoded';

/** Slack and the door to Lastgood, once a thread. Slack hears what is shown, and says yes to it. */
function makeDoor() {
  const heard: string[] = [];
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith('/api/')) {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      heard.push(body);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ok: true, view: { id: 'V1' } }));
    } else await slack.handle(request, response);
  }).unref();
  const listening = new Promise<Server>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
  const urlOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let slack: ReturnType<typeof createSlack>;
  const ready = listening.then(() => {
    slack = createSlack({
      botToken: 'xoxb-of-the-tests',
      signingSecret: secret,
      apiUrl: `${urlOf()}/api/`,
      application: new FakeApplication(),
      clock: virtualClock(NOON),
      telemetry: quietTelemetry(),
    });
  });
  return {
    async send(body: string, type: string): Promise<{ status: number; said: string; heard: readonly string[] }> {
      await ready;
      const timestamp = String(NOON / 1000);
      // A thread ends where nothing keeps it, also in the middle of waiting for an answer.
      server.ref();
      try {
        const answer = await fetch(`${urlOf()}/slack/events`, {
          method: 'POST',
          body,
          headers: {
            'content-type': type,
            'x-slack-request-timestamp': timestamp,
            'x-slack-signature': sign(secret, timestamp, body),
          },
        });
        return { status: answer.status, said: await answer.text(), heard: heard.splice(0) };
      } finally {
        server.unref();
      }
    },
  };
}

const once = <T>(make: () => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const door = once(makeDoor);

const names = ['payload', 'command', 'event', 'type', 'user', 'actions', 'view', 'challenge', 'team', 'authorizations'];
const bodies = fc.oneof(
  { weight: 4, arbitrary: payloads.map((one) => [`payload=${encodeURIComponent(JSON.stringify(one) ?? '')}`, FORM]) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        command: fc.oneof({ weight: 9, arbitrary: fc.constant('/rollout') }, { weight: 1, arbitrary: text }),
        text,
        user_id: text,
        trigger_id: text,
      })
      .map((one) => [new URLSearchParams(one).toString(), FORM]),
  },
  { weight: 3, arbitrary: anything(names).map((one) => [JSON.stringify(one) ?? '', 'application/json']) },
  { weight: 1, arbitrary: fc.tuple(text, fc.constantFrom(FORM, 'application/json', 'text/plain', '')) },
);

export const requests = area('requests of Slack', 1, bodies, async ([body = '', type = '']) => {
  const { status, said, heard } = await door().send(body, type);
  // 401: the same within the same second was sent before. 500: Bolt reads what is not there; nobody of Slack sends that.
  if (![200, 400, 401, 500].includes(status)) throw new Error(`It was answered with ${status}: ${said.slice(0, 200)}`);
  checkPersonal({ text: said });
  for (const one of heard) checkPersonal({ text: new URLSearchParams(one).get('text') ?? '' });
});
