import { createApplication } from '../../src/application/application.ts';
import type { Observed } from '../../src/domain/event.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Target } from '../../src/ports/target.ts';
import { createSlack, type Slack } from '../../src/slack/index.ts';
import { sign } from '../../src/workspace/index.ts';
import { bodyOf, serve } from '../outbound/loopback.ts';
import { eventually, quietTelemetry } from '../slack/stage.ts';
import type { VirtualClock } from '../support/clock.ts';

export const SECRET = 'signing-secret-of-the-tests';
/** The workspace Lastgood is installed in, and the organisation that is part of. */
export const HOME = 'T0HOME000';
export const ORGANISATION = 'E0HOME000';

/** Who a request says it is of: exactly what Slack puts into it. */
export interface Who {
  readonly id: string | null;
  readonly name?: string;
  readonly teamId?: string;
  /** The workspace's organisation, as said of the workspace. */
  readonly enterpriseId?: string;
}

export interface Call {
  readonly method: string;
  readonly body: string;
}

export interface Sent {
  readonly status: number;
  /** What was answered at once. */
  readonly text: string;
  /** What Slack was asked because of it. */
  readonly calls: readonly Call[];
}

/** Every request goes to an instance that has just been started and remembers none before it. */
export interface Replicas extends AsyncDisposable {
  readonly target: { fails: boolean };
  /** Sends one signed request, to another store's instance each time, and waits until everything it began has ended. */
  send(body: string): Promise<Sent>;
  /** The same signed request to an instance on every store at the same moment. */
  sendToEach(body: string): Promise<readonly Sent[]>;
}

/** Slack as far as it is asked anything here. */
async function standIn() {
  const calls: Call[] = [];
  const server = await serve(async (request, response) => {
    const method = request.url?.replace('/api/', '') ?? '';
    calls.push({ method, body: decodeURIComponent((await bodyOf(request)).replaceAll('+', ' ')) });
    const bot = {
      team_id: HOME,
      enterprise_id: ORGANISATION,
      user: 'lastgood',
      user_id: 'U0BOT0000',
      bot_id: 'B0BOT0000',
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok: true, ...(method === 'auth.test' ? bot : { view: { id: 'V1' }, ts: '1.2' }) }));
  });
  return { server, calls };
}

/** @param parts.stores all on the same database; one process each, but for its store. */
export async function startReplicas(parts: {
  stores: readonly Store[];
  clock: VirtualClock;
  policy: () => Policy;
}): Promise<Replicas> {
  const { stores, clock, policy } = parts;
  const api = await standIn();
  const target = { fails: false };
  const telemetry = quietTelemetry();
  const application = (store: Store) =>
    createApplication({
      store,
      clock,
      telemetry,
      wake: () => undefined,
      policies: { all: () => [policy()], get: () => policy(), at: async () => policy() },
      targets: () => ({ observe: () => observe(target) }) as unknown as Target,
    });
  const begin = async (store: Store): Promise<Slack> => {
    const options = { botToken: 'xoxb-of-the-tests', signingSecret: SECRET, apiUrl: `${api.server.url}/api/` };
    const slack = createSlack({ ...options, application: application(store), clock, telemetry });
    slack.start();
    await eventually(() => slack.readiness().ok, 60_000);
    return slack;
  };
  let sent = 0;
  async function sendTo(store: Store, body: string): Promise<Sent> {
    const slack = await begin(store);
    const server = await serve((request, response) => void slack.handle(request, response));
    try {
      const before = api.calls.length;
      const timestamp = String(Math.floor(clock.now() / 1000));
      const answer = await fetch(`${server.url}/slack/events`, {
        method: 'POST',
        body,
        headers: {
          'content-type': body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded',
          'x-slack-request-timestamp': timestamp,
          'x-slack-signature': sign(SECRET, timestamp, body),
        },
      });
      const text = await answer.text();
      // Waits for what it began and has not ended.
      await slack.stop();
      return { status: answer.status, text, calls: api.calls.slice(before) };
    } finally {
      await server.stop();
    }
  }
  return {
    target,
    send(body) {
      sent += 1;
      const [store] = stores.slice(sent % stores.length);
      if (!store) throw new Error('There is no store.');
      return sendTo(store, body);
    },
    sendToEach: (body) => Promise.all(stores.map((store) => sendTo(store, body))),
    [Symbol.asyncDispose]: () => api.server.stop(),
  };
}

async function observe({ fails }: { readonly fails: boolean }): Promise<Observed> {
  if (fails) throw new PortError('retryable', 'The router does not answer.');
  const ready = Object.fromEntries(['v41', 'v42', 'v43'].map((id) => [id, { ready: true, detail: '' }]));
  return { stable: 'v41', candidate: null, exposurePercent: 0, ready, revision: null };
}

let count = 0;
const next = () => {
  count += 1;
  return `1795264837463.${count}.abc`;
};

export function typed(text: string, { id, name, teamId, enterpriseId }: Who): string {
  return new URLSearchParams({
    command: '/rollout',
    text,
    channel_id: 'C1',
    trigger_id: next(),
    ...(id === null ? {} : { user_id: id }),
    ...(name ? { user_name: name } : {}),
    ...(teamId ? { team_id: teamId } : {}),
    ...(enterpriseId ? { enterprise_id: enterpriseId } : {}),
  }).toString();
}

/** A press, a submission, a shortcut: what Slack sends as `payload`. */
export function payload(content: Record<string, unknown>, { id, name, teamId, enterpriseId }: Who): string {
  const user =
    id === null ? {} : { user: { id, username: name ?? 'somebody', ...(teamId ? { team_id: teamId } : {}) } };
  const team = teamId ? { team: { id: teamId, ...(enterpriseId ? { enterprise_id: enterpriseId } : {}) } } : {};
  return `payload=${encodeURIComponent(JSON.stringify({ ...user, ...team, trigger_id: next(), ...content }))}`;
}

export function press(actionId: string, value: unknown, who: Who): string {
  const action = { type: 'button', action_id: actionId, action_ts: '1.1', value: JSON.stringify(value) };
  return payload({ type: 'block_actions', channel: { id: 'C1' }, actions: [action] }, who);
}

/** A form as filled in: block → what was entered or chosen. */
export function submission(
  metadata: unknown,
  entered: Readonly<Record<string, string>>,
  who: Who,
  id = `V${next()}`,
): string {
  const values = Object.entries(entered).map(([block, value]) => [
    block,
    { value: block === 'reason' ? { type: 'plain_text_input', value } : { selected_option: { value } } },
  ]);
  const view = {
    id,
    type: 'modal',
    callback_id: 'lastgood_decide',
    private_metadata: JSON.stringify(metadata),
    state: { values: Object.fromEntries(values) },
  };
  return payload({ type: 'view_submission', view }, who);
}
