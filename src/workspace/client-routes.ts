import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './api/arguments.ts';
import { type Fields, isFields, stringOf } from './fields.ts';
import type { Interactions } from './interactions.ts';
import type { Modals } from './modals.ts';
import type { Change, State } from './state.ts';
import type { CommandCompletion, Delivery } from './types.ts';
import type { Views } from './views.ts';

/** How many messages of a channel a page gets. */
const shownMessages = 300;
/** How often pages are told the time, where the workspace has one of its own. */
const clockEveryMs = 1000;

/** What the page asks: what is there, what changes, and what its person does. Same-origin only. */
export class ClientRoutes {
  private readonly state: State;
  private readonly views: Views;
  private readonly interactions: Interactions;
  private readonly modals: Modals;
  private readonly streams = new Set<ServerResponse>();

  constructor(parts: { state: State; views: Views; interactions: Interactions; modals: Modals }) {
    this.state = parts.state;
    this.views = parts.views;
    this.interactions = parts.interactions;
    this.modals = parts.modals;
  }

  async handle(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const user = query.get('user') ?? '';
    if (request.method === 'GET') {
      if (path === '/client/boot') return json(response, 200, this.boot());
      if (!this.state.users.has(user)) return json(response, 400, { error: `There is no user "${user}"` });
      if (path === '/client/events') return this.stream(user, request, response);
      if (path === '/client/messages') return json(response, 200, this.channel(user, query.get('channel') ?? ''));
      if (path === '/client/views') return json(response, 200, { views: this.modalsOf(user) });
      if (path === '/client/completion') return json(response, 200, await this.completion(query.get('command') ?? ''));
      if (path === '/client/home') return json(response, 200, { view: this.home(user) });
    }
    if (request.method === 'POST' && path === '/client/act') return this.act(request, response);
    return json(response, 404, { error: 'not_found' });
  }

  /** Ends all streams, so that the server can stop. */
  close(): void {
    for (const stream of this.streams) stream.end();
    this.streams.clear();
  }

  private boot(): Fields {
    const { state } = this;
    return {
      team: { id: state.teamId, name: state.teamName },
      bot: { id: state.botUserId, name: state.botName },
      users: [...state.users.values()],
      usergroups: state.options.usergroups ?? [],
      channels: [...state.channels.values()],
      commands: state.options.commands.map(({ command, description, usageHint }) => ({
        command,
        description,
        usageHint,
      })),
      now: state.options.now === undefined ? null : state.now(),
      panel: state.options.panel ?? null,
    };
  }

  private async completion(name: string): Promise<CommandCompletion | null> {
    const command = this.state.options.commands.find((one) => one.command === name);
    return (await command?.completion?.()) ?? null;
  }

  private channel(user: string, id: string): Fields {
    const channel = this.state.channels.get(id);
    if (channel === undefined || (channel.directTo !== undefined && channel.directTo !== user)) {
      return { channel: null, messages: [], ephemerals: [] };
    }
    const messages = this.state.in(id).slice(-shownMessages);
    return {
      channel,
      messages: messages.map(({ metadata: _metadata, ...message }) => message),
      ephemerals: this.state.ephemerals.filter((one) => one.user === user && one.channel === id),
      values: Object.fromEntries(
        messages.flatMap(({ ts }) =>
          this.state.messageValues.has(ts) ? [[ts, this.state.messageValues.get(ts)]] : [],
        ),
      ),
    };
  }

  private modalsOf(user: string): Fields[] {
    return this.views.openOf(user).map((view) => this.views.wire(view));
  }

  private home(user: string): Fields | null {
    const view = this.state.homes.get(user);
    return view === undefined ? null : this.views.wire(view);
  }

  private stream(user: string, request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 1000\n\n');
    this.streams.add(response);
    const stop = this.state.listen((change: Change) => {
      if (change.user !== undefined && change.user !== user) return;
      response.write(`data: ${JSON.stringify(change)}\n\n`);
    });
    const clock = this.tellTime(response);
    request.on('close', () => {
      stop();
      clearInterval(clock);
      this.streams.delete(response);
    });
  }

  /** A workspace with a clock of its own says what it shows; otherwise the page's own is right. */
  private tellTime(response: ServerResponse): NodeJS.Timeout | undefined {
    if (this.state.options.now === undefined) return undefined;
    return setInterval(() => {
      response.write(`data: ${JSON.stringify({ kind: 'clock', now: this.state.now() })}\n\n`);
    }, clockEveryMs).unref();
  }

  private async act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body: unknown;
    try {
      body = JSON.parse((await readBody(request, 1_000_000)).toString());
    } catch (error) {
      return json(response, 400, { error: `The request is not JSON: ${String(error)}` });
    }
    if (!isFields(body)) return json(response, 400, { error: 'The request is not a JSON object' });
    const user = stringOf(body.user) ?? '';
    if (!this.state.users.has(user)) return json(response, 400, { error: `There is no user "${user}"` });
    try {
      return json(response, 200, await this.perform(user, body));
    } catch (error) {
      // What the page asked for is gone (a button of an older drawing, a closed modal): it is told so.
      return json(response, 409, { error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async perform(user: string, body: Fields): Promise<Delivery> {
    const text = (name: string): string => stringOf(body[name]) ?? '';
    switch (body.action) {
      case 'type':
        return this.interactions.type(user, text('channel'), text('text'), stringOf(body.thread));
      case 'use':
        return this.interactions.use(user, text('target'), {
          blockId: text('blockId'),
          actionId: text('actionId'),
          channel: stringOf(body.channel),
          chosen: chosenOf(body.chosen),
        });
      case 'submit':
        return this.modals.submit(user, text('view'), valuesOf(body.values));
      case 'close':
        return this.modals.close(user, text('view'));
      case 'home':
        return this.interactions.openHome(user);
      default:
        throw new Error(`Unknown action ${String(body.action)}`);
    }
  }
}

function chosenOf(value: unknown): string | string[] | undefined {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.map(String) : undefined;
}

function valuesOf(value: unknown): Record<string, string | string[]> {
  if (!isFields(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, chosenOf(entry) ?? '']));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
