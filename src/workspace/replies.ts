import { limits } from './blockkit/limits.ts';
import { SlackError } from './errors.ts';
import { type Fields, isFields } from './fields.ts';
import { checkedContent, postAsApp, textOf } from './posting.ts';
import type { Channel, State } from './state.ts';
import type { ResponseTicket, Triggers } from './triggers.ts';

/** Something Slack itself tells one person. */
export function slackbotSays(
  state: State,
  where: { user: string; channel: string; thread_ts?: string },
  text: string,
): void {
  state.addEphemeral({ ...where, from: 'slackbot', text });
}

/** The answers an app gives to an interaction: in the acknowledgement's body and through response_url. */
export class Replies {
  private readonly state: State;
  private readonly triggers: Triggers;
  private readonly url: () => string;

  constructor(state: State, triggers: Triggers, url: () => string) {
    this.state = state;
    this.triggers = triggers;
    this.url = url;
  }

  urlFor(ticket: ResponseTicket): string {
    return `${this.url()}${this.triggers.responsePath(ticket)}`;
  }

  /** A slash command's acknowledgement: nothing, text, or a message; ephemeral unless it says in_channel. */
  fromAck(body: string, where: { channel: Channel; user: string; command: string }): void {
    if (body.trim() === '') return;
    const ticket = { channel: where.channel.id, user: where.user };
    try {
      this.answer(ticket, parsed(body));
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      slackbotSays(this.state, ticket, `${where.command} failed with the error "${error.code}"`);
    }
  }

  /** A POST to a response_url. */
  fromUrl(token: string, body: string): { status: number; body: string } {
    const ticket = this.triggers.redeem(token);
    if ('error' in ticket) return { status: 404, body: JSON.stringify({ ok: false, error: ticket.error }) };
    let fields: Fields;
    try {
      fields = parsed(body, true);
      this.answer(ticket, fields);
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      return { status: 400, body: JSON.stringify({ ok: false, error: error.code, ...error.extra }) };
    }
    return { status: 200, body: 'ok' };
  }

  private answer(ticket: ResponseTicket, fields: Fields): void {
    const { original } = ticket;
    if (fields.delete_original === true) {
      if (original !== undefined) this.remove(ticket.channel, original);
      if (fields.text === undefined && fields.blocks === undefined) return;
    }
    const content = checkedContent(this.state, fields, limits.postText);
    const text = content.text ?? textOf(content);
    if (fields.replace_original === true && original !== undefined) {
      this.replace(ticket.channel, original, { ...content, text });
      return;
    }
    const channel = this.state.channels.get(ticket.channel);
    if (channel === undefined) throw new SlackError('channel_not_found');
    const thread = typeof fields.thread_ts === 'string' ? fields.thread_ts : ticket.thread;
    if (fields.response_type === 'in_channel') {
      postAsApp(this.state, channel, content, thread === undefined ? {} : { thread });
      return;
    }
    this.state.addEphemeral({
      channel: channel.id,
      user: ticket.user,
      from: 'app',
      text,
      ...(content.blocks === undefined ? {} : { blocks: content.blocks }),
      ...(content.attachments === undefined ? {} : { attachments: content.attachments }),
      ...(thread === undefined ? {} : { thread_ts: thread }),
    });
  }

  private replace(
    channel: string,
    original: { ts: string; ephemeral: boolean },
    content: { text: string; blocks: Fields[] | undefined; attachments: Fields[] | undefined },
  ): void {
    const message = original.ephemeral
      ? this.state.ephemerals.find((one) => one.ts === original.ts)
      : this.state.findMessage(channel, original.ts);
    if (message === undefined) throw new SlackError('message_not_found');
    this.state.keepDrawing(message);
    message.text = content.text;
    for (const field of ['blocks', 'attachments'] as const) {
      const value = content[field];
      if (value === undefined) delete message[field];
      else message[field] = value;
    }
    this.state.changed({ kind: original.ephemeral ? 'ephemeral' : 'message', channel });
  }

  private remove(channel: string, original: { ts: string; ephemeral: boolean }): void {
    const list: { ts: string }[] = original.ephemeral ? this.state.ephemerals : this.state.in(channel);
    const index = list.findIndex((one) => one.ts === original.ts);
    if (index >= 0) list.splice(index, 1);
    this.state.changed({ kind: original.ephemeral ? 'ephemeral' : 'message', channel });
  }
}

/** JSON, or (in an acknowledgement only) plain text. */
function parsed(body: string, jsonOnly = false): Fields {
  try {
    const value: unknown = JSON.parse(body);
    if (isFields(value)) return value;
  } catch {
    if (jsonOnly) throw new SlackError('invalid_payload');
  }
  if (jsonOnly) throw new SlackError('invalid_payload');
  return { text: body };
}
