import { ErrorCode } from '@slack/web-api';
import type { Reached } from '../outbound/breaker.ts';
import { type FailureClass, PortError } from '../ports/failure.ts';

/** What was called, so that its failure can be classed and told. */
export interface Call {
  /** `chat.postMessage`, … */
  readonly method: string;
  /** `post`: may not be sent twice. `repeatable`: may. */
  readonly intent: 'post' | 'repeatable';
  /** As the policy names it, for the reader. */
  readonly channel: string;
  readonly botName: string;
}

/** Slack did not take the blocks; the message was not posted, so it may be sent again in plainer ones. */
export class BlocksRefused extends PortError {
  constructor(message: string) {
    super('permanent', message);
    this.name = 'BlocksRefused';
  }
}

/** Slack takes no more of these calls for now. */
export class RateLimited extends PortError {
  constructor(message: string, retryAfterMs: number) {
    super('retryable', message, { retryAfterMs });
    this.name = 'RateLimited';
  }
}

/** Errors of Slack's that mean: the blocks themselves are the trouble. */
const BLOCK_ERRORS = new Set(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long', 'invalid_attachments']);
/** Slack could not do it just now. After a post it may have happened all the same ("some aspect may have succeeded"). */
const PASSING = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);
const RATE_LIMITED = new Set(['ratelimited', 'rate_limited', 'rate_limited_team']);
/** The token is no good (any more). */
const TOKEN_ERRORS = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'org_login_required',
]);
/** Before anything was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** How long to leave Slack alone where it does not say. */
const DEFAULT_PAUSE_MS = 30_000;

/**
 * Any failure of a call to Slack as a PortError: what, on what, what to do. The cause is left out on purpose: only this
 * text goes on, so that no header or argument can.
 */
export function slackFailure(error: unknown, call: Call): PortError {
  if (error instanceof PortError) return error;
  const fields = fieldsOf(error);
  switch (fields.code) {
    case ErrorCode.RateLimitedError:
      return rateLimited(call, typeof fields.retryAfter === 'number' ? fields.retryAfter * 1000 : DEFAULT_PAUSE_MS);
    case ErrorCode.PlatformError:
      return platformFailure(fieldsOf(fields.data), call);
    case ErrorCode.HTTPError:
      return new PortError(unsure(call), `Slack answered ${call.method} with HTTP ${Number(fields.statusCode)}.`);
    case ErrorCode.RequestError:
      return requestFailure(fields.original, call);
    default:
      return requestFailure(error, call);
  }
}

/** Something else answered in Slack's place. */
export function notFromSlack(call: Call): PortError {
  const text = `${call.method} was answered, but not by Slack: check SLACK_API_URL and proxies.`;
  return new PortError(unsure(call), text);
}

/** Whether Slack said the token is no good. */
export function isTokenProblem(error: unknown): boolean {
  const { data } = fieldsOf(error);
  const { error: code } = fieldsOf(data);
  return typeof code === 'string' && TOKEN_ERRORS.has(code);
}

/** What a failed call says of Slack itself: no answer and HTTP 5xx are its absence; a refusal, also for the rate, is an answer. */
export function reachedSlack(error: unknown, failure: PortError): Reached {
  const { code, statusCode } = fieldsOf(error);
  if (code === ErrorCode.PlatformError || code === ErrorCode.RateLimitedError) return { answered: true };
  if (code === ErrorCode.HTTPError && Number(statusCode) < 500) return { answered: true };
  return { unreachable: failure.message.replace(/\.$/, '') };
}

/** Slack's own error code of a refused call; null where it was no refusal. */
export function slackCode(error: unknown): string | null {
  const { data } = fieldsOf(error);
  const { error: code } = fieldsOf(data);
  return typeof code === 'string' ? code : null;
}

function rateLimited(call: Call, retryAfterMs: number): PortError {
  const text = `Slack limits the rate of ${call.method}; it is tried again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return new RateLimited(text, retryAfterMs);
}

function platformFailure(data: Record<string, unknown>, call: Call): PortError {
  const said = typeof data.error === 'string' ? data.error : '';
  // A page of a proxy in the way comes as an "error" of many characters: not Slack's, and not for a log line.
  if (!/^[a-z0-9_:-]{1,80}$/i.test(said)) return notFromSlack(call);
  if (BLOCK_ERRORS.has(said))
    return new BlocksRefused(`Slack refused the blocks of a message (${said})${details(data)}`);
  if (RATE_LIMITED.has(said)) return rateLimited(call, DEFAULT_PAUSE_MS);
  if (PASSING.has(said))
    return new PortError(unsure(call), `Slack had trouble of its own with ${call.method} (${said}).`);
  return new PortError('permanent', `${advice(said, data, call)} (${call.method}: ${said})`);
}

function details(data: Record<string, unknown>): string {
  const errors = Array.isArray(data.errors) ? data.errors : [];
  const shown = errors.filter((e): e is string => typeof e === 'string').slice(0, 3);
  return shown.length === 0 ? '' : `: ${shown.join('; ').slice(0, 400)}`;
}

function advice(code: string, data: Record<string, unknown>, { channel, botName }: Call): string {
  const invite = `invite @${botName} to ${channel}: type "/invite @${botName}" there`;
  switch (code) {
    case 'not_in_channel':
      return `Lastgood is not in the channel ${channel}; ${invite}.`;
    case 'channel_not_found':
      return `Slack knows no channel ${channel} that Lastgood can see. Check \`channel\` in the policy; if it is private, ${invite}.`;
    case 'is_archived':
      return `The channel ${channel} is archived. Unarchive it, or name another one in the policy.`;
    case 'missing_scope':
      return `The Slack app lacks the scope ${typeof data.needed === 'string' ? data.needed : 'it needs'}. Add it under "OAuth & Permissions" and install the app again.`;
    case 'restricted_action':
    case 'restricted_action_read_only_channel':
      return `Posting in ${channel} is restricted. Let Lastgood post there, or name another channel in the policy.`;
    case 'message_not_found':
    case 'thread_not_found':
      return `A message of Lastgood's in ${channel} is no longer there.`;
    case 'cant_update_message':
    case 'edit_window_closed':
      return `Slack does not let Lastgood change its message in ${channel} any more.`;
    default:
      return TOKEN_ERRORS.has(code)
        ? 'Slack does not accept the bot token. Install the app again and set SLACK_BOT_TOKEN anew.'
        : `Slack refused a message for ${channel}.`;
  }
}

function requestFailure(error: unknown, call: Call): PortError {
  const code = codeOf(error);
  if (code !== null && NEVER_SENT.has(code)) {
    return new PortError('retryable', `Slack could not be reached for ${call.method} (${code}).`);
  }
  const what = code ?? 'no answer in time';
  return new PortError(unsure(call), `The connection to Slack was lost during ${call.method} (${what}).`);
}

/** A post without an answer may have happened; everything else may simply be repeated. */
function unsure(call: Call): FailureClass {
  return call.intent === 'post' ? 'ambiguous' : 'retryable';
}

/** The system's or undici's code, wherever in the chain of causes it is. */
function codeOf(error: unknown): string | null {
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current; depth += 1) {
    const { code, cause, name } = fieldsOf(current);
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    if (name === 'TimeoutError' || name === 'AbortError') return null;
    current = cause;
  }
  return null;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
