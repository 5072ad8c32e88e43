import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Application } from '../application/api.ts';
import { type Circuit, createBreaker } from '../outbound/breaker.ts';
import type { Chat } from '../ports/chat.ts';
import type { Clock } from '../ports/clock.ts';
import type { Health } from '../ports/health.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Afterwards } from './afterwards.ts';
import { createBolt, isAnswered } from './app.ts';
import { SlackChat } from './chat.ts';
import { createClients } from './clients.ts';
import { Identity } from './identity.ts';
import { InFlight } from './in-flight.ts';
import { createHandler } from './receiving.ts';
import { SignatureCheck } from './signature.ts';

export interface SlackOptions {
  readonly botToken: string;
  readonly signingSecret: string;
  /** Slack's is `https://slack.com/api/`. */
  readonly apiUrl: string;
  /** Asked only when something of Slack's comes in, so it may be set up after `chat` was needed: pass a function then. */
  readonly application: Application | (() => Application);
  /** Signatures are dated by it: where it is a virtual one, requests have to be signed by the same. */
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Shown on App Home; absent: nothing is said of it. */
  readonly health?: Health;
  /** What comes from Slack and is under way at a time; 200. */
  readonly mostAtOnce?: number;
}

/** The Slack face: what we say there, and what comes from there. */
export interface Slack {
  readonly chat: Chat;
  /** One request to `POST /slack/events` of our own HTTP server; always answers. Resolves when the answer was sent. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Begins to ask Slack who we are, until it says. Never throws because Slack is down. */
  start(): void;
  readiness(): { ok: boolean; detail: string };
  /** Asks Slack whether it knows us. Throws PortError. */
  ping(signal: AbortSignal): Promise<void>;
  /** How Slack stands for messages. */
  circuit(): Circuit;
  /** No new requests; resolves when every handler has ended (10 s at most), then drops what is still open. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 10_000;
/** Presses and commands of people under way at a time: more is a flood, and each holds a whole payload. */
const MOST_AT_ONCE = 200;
/** A Slack that does not answer is tried again at least this often. */
const LONGEST_WAIT_MS = 30_000;

/** Builds the Slack face. Nothing is sent before `start` or the first use of `chat`. */
export function createSlack(options: SlackOptions): Slack {
  const { clock, telemetry, botToken, signingSecret } = options;
  const clients = createClients({ botToken, apiUrl: options.apiUrl, telemetry });
  const identity = new Identity(clients.posting, clock, telemetry);
  const application = lazily(options.application);
  const desk = {
    application,
    client: clients.interactive,
    identity,
    telemetry,
    health: options.health,
    afterwards: new Afterwards(),
  };
  const { app, receiver } = createBolt({ desk, clients, clock, signingSecret, botToken });
  const inFlight = new InFlight();
  const handled = new InFlight();
  const breaker = createBreaker({ host: 'Slack', now: () => clock.now(), longestWaitMs: LONGEST_WAIT_MS });
  const chat = new SlackChat({ client: clients.posting, identity, telemetry, clock, breaker });
  let stopping = false;
  // Bolt's receiver gives no promise for what it began: its way into the app is where handlers can be waited for.
  const process = app.processEvent.bind(app);
  app.processEvent = (event) => inFlight.track(handled.track(isAnswered(event.body) ? process(event) : event.ack()));
  const handle = createHandler({
    receiver,
    signatures: new SignatureCheck(signingSecret, () => clock.now()),
    telemetry,
    stopping: () => stopping,
    overloaded: () => handled.size >= (options.mostAtOnce ?? MOST_AT_ONCE),
  });
  return {
    chat,
    ping: (signal) => chat.ping(signal),
    circuit: () => breaker.circuit(),
    handle: (req, res) => inFlight.track(handle(req, res)),
    start: () => void identity.start(),
    readiness: () => (stopping ? { ok: false, detail: 'stopping' } : identity.readiness()),
    stop: async () => {
      stopping = true;
      identity.stop();
      await inFlight.settled(STOP_WITHIN_MS);
      clients.close();
    },
  };
}

function lazily(application: SlackOptions['application']): Application {
  if (typeof application !== 'function') return application;
  const get = application;
  return {
    receiveAlerts: (alerts, found) => get().receiveAlerts(alerts, found),
    command: (request) => get().command(request),
    start: (request) => get().start(request),
    check: (request) => get().check(request),
    deliver: (service, event, key) => get().deliver(service, event, key),
    policies: () => get().policies(),
    status: (service) => get().status(service),
    overview: (most) => get().overview(most),
    history: (service, limit) => get().history(service, limit),
    unmatched: (limit) => get().unmatched(limit),
  };
}
