import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from './api/arguments.ts';
import { takeUpload } from './api/files.ts';
import { ApiHandler } from './api/handler.ts';
import { ClientRoutes } from './client-routes.ts';
import { copyOf, fieldsOf } from './fields.ts';
import { refusal } from './guard.ts';
import { Interactions, nothingSent } from './interactions.ts';
import { Modals } from './modals.ts';
import { Outgoing } from './outgoing.ts';
import { serveFile, servePage } from './pages.ts';
import { Replies } from './replies.ts';
import { State } from './state.ts';
import { Triggers } from './triggers.ts';
import type { Message, Person, Workspace, WorkspaceOptions } from './types.ts';
import { Views } from './views.ts';
import { waitFor } from './wait.ts';

export { validateMessage, validateView } from './blockkit/validate.ts';
export { sign } from './outgoing.ts';
export type * from './types.ts';

/** Makes a local workspace; nothing listens until `start`. */
export function createWorkspace(options: WorkspaceOptions): Workspace {
  const state = new State(options);
  const triggers = new Triggers(state);
  const views = new Views(state);
  const outgoing = new Outgoing(state);
  let server: Server | null = null;
  let address: string | null = null;
  const url = (): string => {
    if (address === null) throw new Error('The workspace has no address before start()');
    return address;
  };
  const replies = new Replies(state, triggers, url);
  const interactions = new Interactions({ state, triggers, views, outgoing, replies });
  const modals = new Modals({ state, triggers, views, outgoing });
  const api = new ApiHandler({ state, triggers, views, url });
  const client = new ClientRoutes({ state, views, interactions, modals });
  const routes = { state, api, client, replies };

  return {
    async start() {
      if (server !== null) throw new Error('The workspace runs already');
      server = createServer((request, response) => {
        route(routes, request, response).catch((error: unknown) => failed(response, error));
      });
      await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { url: address, apiUrl: `${address}/api/` };
    },
    async stop() {
      const running = server;
      server = null;
      if (running === null) return;
      client.close();
      await new Promise<void>((resolve) => {
        running.close(() => resolve());
        running.closeAllConnections();
      });
    },
    get url() {
      return url();
    },
    connect: (appUrl) => outgoing.connect(appUrl),
    verifyUrl: () => verifyUrl(state, outgoing),
    user: (id) => person(id, { state, views, interactions, modals }),
    messages: (wanted) => topLevel(state, wanted).map(copyOf),
    thread: (wanted, ts) => {
      const all = state.in(channelNamed(state, wanted).id);
      return all.filter((one) => one.ts === ts || one.thread_ts === ts).map(copyOf);
    },
    calls: state.calls,
    pings: state.pings,
    deliveries: state.deliveries,
    waitFor: (predicate, timeoutMs = 5000) => waitFor(state, predicate, timeoutMs),
    fault: (fault) => api.addFault(fault),
    clearFaults: () => api.clearFaults(),
    revokeToken: () => {
      state.tokenRevoked = true;
    },
    restoreToken: () => {
      state.tokenRevoked = false;
    },
    archive: (wanted) => setChannel(state, wanted, { archived: true }),
    unarchive: (wanted) => setChannel(state, wanted, { archived: false }),
    removeBot: (wanted) => setChannel(state, wanted, { botIsMember: false }),
  };
}

function channelNamed(state: State, wanted: string) {
  const channel = state.findChannel(wanted);
  if (channel === undefined) throw new Error(`There is no channel ${wanted} in this workspace`);
  return channel;
}

function setChannel(state: State, wanted: string, change: { archived?: boolean; botIsMember?: boolean }): void {
  const channel = channelNamed(state, wanted);
  Object.assign(channel, change);
  state.changed({ kind: 'channel', channel: channel.id });
}

function topLevel(state: State, wanted: string): Message[] {
  return state
    .in(channelNamed(state, wanted).id)
    .filter((one) => one.thread_ts === undefined || one.thread_ts === one.ts || one.subtype === 'thread_broadcast');
}

function person(id: string, parts: { state: State; views: Views; interactions: Interactions; modals: Modals }): Person {
  const { state, views, interactions, modals } = parts;
  if (!state.users.has(id)) throw new Error(`There is no user ${id} in this workspace`);
  return {
    id,
    type: (channel, text, options) => interactions.type(id, channel, text, options?.thread),
    press: async (target, button, options) => {
      if (options?.confirm === false) return nothingSent;
      return interactions.use(id, target, { name: button, asSeen: options?.asSeen, channel: options?.channel });
    },
    choose: async (target, element, chosen, options) => {
      if (options?.confirm === false) return nothingSent;
      return interactions.use(id, target, {
        name: element,
        chosen,
        asSeen: options?.asSeen,
        channel: options?.channel,
      });
    },
    openViews: () => views.openOf(id).map(copyOf),
    submit: (viewId, values = {}) => modals.submit(id, viewId, values),
    close: (viewId) => modals.close(id, viewId),
    ephemerals: (channel) => {
      const wanted = channel === undefined ? undefined : channelNamed(state, channel).id;
      return state.ephemerals
        .filter((one) => one.user === id && (wanted === undefined || one.channel === wanted))
        .map(copyOf);
    },
    openHome: () => interactions.openHome(id),
    home: () => copyOf(state.homes.get(id) ?? null),
  };
}

async function verifyUrl(state: State, outgoing: Outgoing): Promise<boolean> {
  const challenge = state.secret();
  const payload = { token: 'local-verification-token', challenge, type: 'url_verification' };
  const { ok, body } = await outgoing.event(payload);
  if (!ok) return false;
  try {
    return fieldsOf(JSON.parse(body)).challenge === challenge;
  } catch {
    // Slack also takes the bare challenge as text.
    return body.trim() === challenge;
  }
}

interface Routes {
  state: State;
  api: ApiHandler;
  client: ClientRoutes;
  replies: Replies;
}

async function route(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? 'GET';
  if (path.startsWith('/api/')) {
    return routes.api.handle(path.slice('/api/'.length), searchParams, request, response);
  }
  if (path.startsWith('/response/') && method === 'POST') {
    const answer = routes.replies.fromUrl(path.split('/')[3] ?? '', (await readBody(request)).toString());
    return text(response, answer.status, answer.body);
  }
  if (path.startsWith('/upload/') && method === 'POST') {
    const answer = takeUpload(routes.state, path.split('/')[2] ?? '', await readBody(request, 100_000_000));
    return text(response, answer.status, answer.body);
  }
  const refused = refusal(method, request.headers);
  if (refused !== null) return text(response, 403, refused);
  if (path.startsWith('/client/')) return routes.client.handle(path, searchParams, request, response);
  if (path.startsWith('/files/') && serveFile(path, routes.state, response)) return;
  if (method === 'GET' && (await servePage(path, routes.state, response))) return;
  return text(response, 404, 'There is nothing here.');
}

function text(response: ServerResponse, status: number, body: string): void {
  const type = body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8';
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}

function failed(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else text(response, 500, `The local workspace failed: ${error instanceof Error ? error.message : String(error)}`);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
