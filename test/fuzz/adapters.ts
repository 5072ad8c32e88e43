import type { RespondFn } from '@slack/bolt';
import fc from 'fast-check';
import { createBreaker } from '../../src/outbound/breaker.ts';
import { createPagerDuty } from '../../src/paging/index.ts';
import type { ChatMessage } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Page } from '../../src/ports/pager.ts';
import { Afterwards } from '../../src/slack/afterwards.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { SlackChat } from '../../src/slack/chat.ts';
import { createClients } from '../../src/slack/clients.ts';
import { Identity } from '../../src/slack/identity.ts';
import { onPress } from '../../src/slack/interactions.ts';
import { FakeApplication, quietTelemetry } from '../slack/stage.ts';
import { ada, entry, NOON } from '../slack/states.ts';
import { virtualClock } from '../support/clock.ts';
import { area } from './area.ts';
import { checkMessage } from './drawn.ts';
import { hostile, hostileServer } from './hostile.ts';
import { mostly, text } from './words.ts';

/** Slack and PagerDuty through the real adapters and a real connection, with a server at the other end that means no good. */

/** Whoever says nothing is waited for so long; the real limits are longer, and shown elsewhere. */
const PATIENCE_MS = 300;
const TOKEN = 'xoxb-canary-of-the-bot-5d21';
const ROUTING_KEY = 'canaryofthepager5d21'.padEnd(32, '7');

/** PortError only, in time, with a text that can be shown and holds no secret; nobody went where a redirect led to. */
async function ends(work: () => Promise<unknown>, strays: () => number): Promise<void> {
  const before = strays();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    const { message } = error;
    if (message.length > 20_000) throw new Error(`${message.length} characters are no message.`);
    if (message.includes(TOKEN) || message.includes(ROUTING_KEY)) throw new Error('It says a secret.');
    checkMessage(draw({ kind: 'entry', entry: entry({ text: message, reason: message }) }));
  }
  if (strays() !== before) throw new Error('A redirect was followed.');
}

const names = [
  'ok',
  'error',
  'errors',
  'ts',
  'channel',
  'channels',
  'messages',
  'metadata',
  'response_metadata',
  'next_cursor',
  'needed',
];
const message: ChatMessage = {
  id: 'fraud-scorer-d5',
  channel: '#ml-rollouts',
  thread: null,
  content: { kind: 'note', text: 'Something to say.' },
};
const address = { channel: 'C1', ts: '1.2' };
const slackAnswer = fc.record(
  {
    ok: mostly(fc.boolean()),
    error: mostly(
      fc.oneof(
        fc.constantFrom(
          'ratelimited',
          'invalid_auth',
          'not_in_channel',
          'invalid_blocks',
          'internal_error',
          'missing_scope',
          'channel_not_found',
        ),
        text,
      ),
    ),
    errors: mostly(fc.array(text, { maxLength: 3 })),
    needed: mostly(text),
    ts: mostly(fc.constant('1.2')),
    channel: mostly(fc.oneof(fc.constant('C1'), text)),
    channels: mostly(
      fc.array(mostly(fc.record({ id: mostly(text), name: mostly(fc.constant('ml-rollouts')) })), { maxLength: 3 }),
    ),
    messages: mostly(
      fc.array(
        mostly(
          fc.record({
            ts: mostly(fc.constant('1.2')),
            bot_id: mostly(text),
            metadata: mostly(
              fc.record({
                event_type: mostly(fc.constant('lastgood_message')),
                event_payload: mostly(fc.record({ id: mostly(fc.constant(message.id)) })),
              }),
            ),
          }),
        ),
        { maxLength: 3 },
      ),
    ),
    response_metadata: mostly(
      fc.record({ next_cursor: mostly(fc.constantFrom('', 'more')), messages: mostly(fc.array(text)) }),
    ),
    user: mostly(text),
    team: mostly(text),
  },
  { requiredKeys: [] },
);

function checkAddress(at: { readonly channel: unknown; readonly ts: unknown }): void {
  if (typeof at.channel !== 'string' || typeof at.ts !== 'string' || at.channel === '' || at.ts === '')
    throw new Error(`${JSON.stringify(at)} is no address.`);
}

const button = { service: 'fraud-scorer', binding: 'b' };
const press = {
  type: 'block_actions',
  user: { id: ada.id },
  trigger_id: '1.2.3',
  channel: { id: 'C1' },
  actions: [{ action_id: 'rollout:hold', action_ts: '1.1', value: JSON.stringify(button) }],
};
const respond = (async () => undefined) as unknown as RespondFn;

const slackServer = hostileServer();

/** Every call of the Chat port, and of a person who waits. */
const calls = ['post', 'reply', 'update', 'remove', 'find', 'ping', 'who are we', 'a press'] as const;

export const slackAnswers = area(
  'answers of Slack',
  0.5,
  fc.tuple(hostile(slackAnswer, names), fc.constantFrom(...calls)),
  async ([answer, call]) => {
    const server = await slackServer();
    const telemetry = quietTelemetry();
    const clock = virtualClock(NOON);
    const clients = createClients({ botToken: TOKEN, apiUrl: `${server.url}/api/`, telemetry });
    const identity = new Identity(clients.posting, clock, telemetry);
    const breaker = createBreaker({ host: 'Slack', now: () => NOON, longestWaitMs: 1000 });
    const chat = new SlackChat({ client: clients.posting, identity, telemetry, clock, breaker });
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const work = {
      post: async () => checkAddress(await chat.post(message, signal)),
      reply: async () => checkAddress(await chat.post({ ...message, thread: address }, signal)),
      update: () => chat.update(address, message, signal),
      remove: () => chat.remove(address, message, signal),
      find: async () => {
        const found = await chat.find(message, signal);
        if (found) checkAddress(found);
      },
      ping: () => chat.ping(signal),
      // Asks until it is told, an hour if need be: stopped when it was answered once.
      'who are we': () => {
        const asking = identity.start();
        signal.addEventListener('abort', () => clients.close(), { once: true });
        identity.stop();
        return asking;
      },
      'a press': () => {
        signal.addEventListener('abort', () => clients.close(), { once: true });
        const application = new FakeApplication();
        const desk = { application, client: clients.interactive, identity, telemetry, afterwards: new Afterwards() };
        return onPress(desk, { body: press, ack: async () => undefined, respond });
      },
    };
    try {
      await server.during(answer, () => ends(work[call], server.strays));
      const shown = [identity.readiness().detail, identity.bot.name, ...telemetry.problems].join('\n');
      if (shown.includes(TOKEN)) throw new Error('It says the token.');
    } finally {
      clients.close();
    }
  },
);

const pagerAnswer = fc.record(
  {
    status: mostly(text),
    message: mostly(text),
    errors: mostly(fc.array(text, { maxLength: 3 })),
    dedup_key: mostly(text),
  },
  { requiredKeys: [] },
);
const page = fc.record({
  action: fc.constantFrom('trigger' as const, 'acknowledge' as const, 'resolve' as const),
  summary: text,
  details: fc.dictionary(text, fc.oneof(text, fc.double(), fc.constant(null)), { maxKeys: 4 }),
  links: fc.array(fc.record({ href: fc.oneof(text, fc.webUrl()), text }), { maxLength: 3 }),
});

const pagerServer = hostileServer();

export const pagerAnswers = area(
  'answers of PagerDuty',
  0.5,
  fc.tuple(hostile(pagerAnswer, ['status', 'message', 'errors']), page),
  async ([answer, given]) => {
    const server = await pagerServer();
    const pager = createPagerDuty({
      routingKey: ROUTING_KEY,
      eventsHost: server.url,
      timeoutMs: PATIENCE_MS,
      now: () => NOON,
    });
    const sent: Page = {
      service: 'fraud-scorer',
      dedupKey: 'lastgood/d5',
      severity: 'critical',
      routingKey: null,
      ...given,
    };
    const send = () => pager.send(sent, AbortSignal.timeout(60_000));
    await server.during(answer, () => ends(send, server.strays));
  },
);
