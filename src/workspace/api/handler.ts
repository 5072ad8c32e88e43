import type { IncomingMessage, ServerResponse } from 'node:http';
import { SlackError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import type { State } from '../state.ts';
import type { Triggers } from '../triggers.ts';
import type { ApiCall, FaultOptions } from '../types.ts';
import type { Views } from '../views.ts';
import { Arguments, parseArguments, readBody } from './arguments.ts';
import { chatMethods } from './chat.ts';
import { conversationMethods } from './conversations.ts';
import { fileMethods } from './files.ts';
import type { Call, Methods } from './method.ts';
import { peopleMethods } from './people.ts';
import { PostRate } from './rate.ts';
import { viewMethods } from './views.ts';

const methods: Methods = {
  'api.test': (call) => {
    const { token: _token, ...args } = call.args.fields;
    if (args.error !== undefined) throw new SlackError(String(args.error), { extra: { args } });
    return { args };
  },
  'auth.test': (call) => ({
    url: `${call.url}/`,
    team: call.state.teamName,
    user: call.state.botName.toLowerCase(),
    team_id: call.state.teamId,
    user_id: call.state.botUserId,
    bot_id: call.state.botId,
    is_enterprise_install: false,
  }),
  ...chatMethods,
  ...conversationMethods,
  ...peopleMethods,
  ...viewMethods,
  ...fileMethods,
};

interface Outcome {
  status: number;
  headers?: Record<string, string>;
  body: Fields;
}

/** The Web API: authentication, rate limits, faults on demand, methods, and a log of every call. */
export class ApiHandler {
  private readonly state: State;
  private readonly triggers: Triggers;
  private readonly views: Views;
  private readonly url: () => string;
  private readonly rate: PostRate;
  private faults: (FaultOptions & { left: number })[] = [];

  constructor(parts: { state: State; triggers: Triggers; views: Views; url: () => string }) {
    this.state = parts.state;
    this.triggers = parts.triggers;
    this.views = parts.views;
    this.url = parts.url;
    this.rate = new PostRate(parts.state);
  }

  addFault(fault: FaultOptions): void {
    this.faults.push({ ...fault, left: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.faults = [];
  }

  private takeFault(method: string): FaultOptions | undefined {
    const fault = this.faults.find((one) => one.left > 0 && (one.method === method || one.method === '*'));
    if (fault !== undefined) fault.left -= 1;
    return fault;
  }

  async handle(method: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const body = (await readBody(request)).toString();
    const fault = this.takeFault(method);
    const { fields, problem } = read(query, request.headers['content-type'], body);
    const outcome = injected(fault) ?? this.run(method, fields, problem, request.headers.authorization);
    this.log(method, fields, fault, outcome);
    if (fault?.mode === 'hang') return;
    if (fault?.mode === 'accept-then-drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(outcome.status, { 'content-type': 'application/json; charset=utf-8', ...outcome.headers });
    response.end(JSON.stringify(outcome.body));
  }

  private log(method: string, fields: Fields, fault: FaultOptions | undefined, outcome: Outcome): void {
    const { token: _token, ...args } = fields;
    const error = fault?.mode === 'hang' ? 'hang' : outcome.body.error;
    const call: ApiCall = {
      at: this.state.now(),
      method,
      arguments: args,
      status: outcome.status,
      ok: outcome.body.ok === true,
      ...(typeof error === 'string' ? { error } : {}),
    };
    this.state.calls.push(call);
  }

  private run(method: string, fields: Fields, problem: SlackError | null, authorization?: string): Outcome {
    const known = methods[method];
    try {
      if (problem !== null) throw problem;
      if (known === undefined) throw new SlackError('unknown_method', { extra: { req_method: method } });
      if (method !== 'api.test') this.authenticate(fields, authorization);
      const waitSeconds = method === 'chat.postMessage' ? this.rate.take(String(fields.channel)) : 0;
      if (waitSeconds > 0) return limited(waitSeconds);
      const call: Call = {
        args: new Arguments(fields),
        state: this.state,
        triggers: this.triggers,
        views: this.views,
        url: this.url(),
      };
      return { status: 200, body: { ok: true, ...known(call) } };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      return { status: 200, body: { ok: false, error: error.code, ...error.extra } };
    }
  }

  private authenticate(fields: Fields, authorization?: string): void {
    const bearer = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1];
    const token = bearer ?? (typeof fields.token === 'string' ? fields.token : undefined);
    if (token === undefined || token === '') throw new SlackError('not_authed');
    if (token !== this.state.options.botToken) throw new SlackError('invalid_auth');
    if (this.state.tokenRevoked) throw new SlackError('token_revoked');
  }
}

function read(query: URLSearchParams, contentType: string | undefined, body: string) {
  try {
    return { fields: parseArguments(query, contentType, body), problem: null };
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    return { fields: {}, problem: error };
  }
}

function limited(seconds: number): Outcome {
  return { status: 429, headers: { 'retry-after': String(seconds) }, body: { ok: false, error: 'ratelimited' } };
}

function injected(fault: FaultOptions | undefined): Outcome | null {
  if (fault?.mode === '429') return limited(fault.retryAfterSeconds ?? 1);
  if (fault?.mode === 'refused') return { status: 200, body: { ok: false, error: 'fatal_error', ...fault.refusal } };
  if (fault?.mode === '500') return { status: 500, body: { ok: false, error: 'internal_error' } };
  // A call that hangs is not carried out.
  if (fault?.mode === 'hang') return { status: 200, body: { ok: false } };
  return null;
}
