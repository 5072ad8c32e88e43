import { copyOf, type Fields, fieldsOf, objectsOf } from './fields.ts';
import { elementsOf, type Found, initialValues, isNamed, valueFor } from './inputs.ts';
import { composed } from './mentions.ts';
import type { Outgoing } from './outgoing.ts';
import { actionFields, channelName, commandFields, eventEnvelope, interactionBase } from './payloads.ts';
import { type Replies, slackbotSays } from './replies.ts';
import type { Channel, Drawing, State } from './state.ts';
import type { Triggers } from './triggers.ts';
import type { Delivery, Ephemeral, Message, View } from './types.ts';
import type { Views } from './views.ts';

/** Which element was used, and what was chosen in it. */
export interface Use {
  /** action_id, text or label … */
  name?: string;
  /** … or exactly this one, as a page knows it. */
  blockId?: string;
  actionId?: string;
  chosen?: string | readonly string[];
  asSeen?: { blocks?: Fields[]; attachments?: Fields[] };
  channel?: string;
}

export const nothingSent: Delivery = { ok: true, status: null, body: '' };

interface Place {
  kind: 'message' | 'ephemeral' | 'view';
  message?: Message | Ephemeral;
  view?: View;
  channel?: Channel;
}

/** What people do: type, press, choose, open the Home tab. Each resolves when the app acknowledged or failed to. */
export class Interactions {
  private readonly state: State;
  private readonly triggers: Triggers;
  private readonly views: Views;
  private readonly outgoing: Outgoing;
  private readonly replies: Replies;

  constructor(parts: { state: State; triggers: Triggers; views: Views; outgoing: Outgoing; replies: Replies }) {
    this.state = parts.state;
    this.triggers = parts.triggers;
    this.views = parts.views;
    this.outgoing = parts.outgoing;
    this.replies = parts.replies;
  }

  async type(user: string, channelId: string, text: string, thread?: string): Promise<Delivery> {
    const channel = this.state.findChannel(channelId);
    if (channel === undefined) throw new Error(`There is no channel ${channelId}`);
    if (channel.archived) return { ...nothingSent, ok: false, error: 'refused' };
    if (text.startsWith('/')) return this.command(user, channel, text, thread);
    const sent = composed(text, this.directory(), false);
    this.state.add({
      type: 'message',
      ts: this.state.nextTs(),
      channel: channel.id,
      user,
      team: this.state.teamId,
      text: sent,
      ...(thread === undefined
        ? {}
        : { thread_ts: thread, parent_user_id: this.state.findMessage(channel.id, thread)?.user ?? '' }),
    });
    return nothingSent;
  }

  private directory() {
    const channels = [...this.state.channels.values()].filter((channel) => channel.directTo === undefined);
    return { users: this.state.users.values(), channels };
  }

  private async command(user: string, channel: Channel, typed: string, thread?: string): Promise<Delivery> {
    const [name = '', ...rest] = typed.trim().split(/\s+/);
    const where = { user, channel: channel.id, ...(thread === undefined ? {} : { thread_ts: thread }) };
    if (!this.state.options.commands.some((command) => command.command === name)) {
      slackbotSays(
        this.state,
        where,
        `${name} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`,
      );
      return { ...nothingSent, ok: false, error: 'not_a_command' };
    }
    if (thread !== undefined) {
      slackbotSays(this.state, where, `${name} is not supported in threads. Sorry!`);
      return { ...nothingSent, ok: false, error: 'not_in_thread' };
    }
    const delivery = await this.outgoing.command(
      commandFields(this.state, {
        user,
        channel,
        command: name,
        text: composed(typed.trim().slice(name.length).trim(), this.directory(), true),
        responseUrl: this.replies.urlFor({ channel: channel.id, user }),
        triggerId: this.triggers.issue(user),
      }),
    );
    if (!delivery.ok) slackbotSays(this.state, where, `${name} failed with the error "${delivery.error}"`);
    else this.replies.fromAck(delivery.body, { channel, user, command: [name, ...rest].join(' ') });
    return delivery;
  }

  /** Uses a button, select, … in a message, an ephemeral message, a modal or the Home tab. */
  async use(user: string, target: string, use: Use): Promise<Delivery> {
    const place = this.find(user, target, use.channel);
    const { found, attachment } = pick(this.pressable(place, use), use, target);
    const chosen = this.choice(found, use);
    const ts = this.state.nextTs();
    const values = this.remember(place, found, chosen);
    if (found.block.type === 'input' && found.block.dispatch_action !== true) return nothingSent;
    const payload: Fields = {
      type: 'block_actions',
      ...interactionBase(this.state, user),
      trigger_id: this.triggers.issue(user),
      ...this.where(user, place, values, attachment),
      actions: [actionFields(found.element, found.block, chosen, ts)],
    };
    const delivery = await this.outgoing.interaction('block_actions', payload);
    if (!delivery.ok) {
      const text = `${this.state.botName} did not respond: ${delivery.error ?? 'no answer'}. Please try again.`;
      this.state.changed({ kind: 'notice', user, text });
    }
    return delivery;
  }

  private find(user: string, target: string, channelId?: string): Place {
    const home = this.state.homes.get(user);
    const view = home?.id === target ? home : this.state.views.get(target);
    if (view !== undefined) return { kind: 'view', view };
    const ephemeral = this.state.ephemerals.find((one) => one.ts === target && one.user === user);
    if (ephemeral !== undefined) {
      return { kind: 'ephemeral', message: ephemeral, channel: this.state.channels.get(ephemeral.channel) };
    }
    for (const channel of this.state.channels.values()) {
      if (channelId !== undefined && this.state.findChannel(channelId) !== channel) continue;
      const message = this.state.findMessage(channel.id, target);
      if (message !== undefined) return { kind: 'message', message, channel };
    }
    throw new Error(`${user} sees no message, ephemeral message or view ${target}`);
  }

  /**
   * Where the element is looked for. A message may have been drawn anew while a press from the page was on its way: as with Slack, what
   * was pressed then reaches the app, and the app says whether it still holds.
   */
  private pressable({ view, message }: Place, use: Use): Drawing {
    const present = use.asSeen ?? view ?? message ?? {};
    if (message === undefined || use.name !== undefined || elementsIn(present).some((one) => isMeant(one, use))) {
      return present;
    }
    const former = this.state.formerDrawingsOf(message.ts);
    return former.find((drawing) => elementsIn(drawing).some((one) => isMeant(one, use))) ?? present;
  }

  private choice(found: Found, use: Use): Fields {
    const { element } = found;
    if (element.type === 'feedback_buttons') {
      const buttons = [fieldsOf(element.positive_button), fieldsOf(element.negative_button)];
      const wanted = use.chosen ?? use.name;
      const button = buttons.find((one) => one.value === wanted || fieldsOf(one.text).text === wanted) ?? buttons[0];
      return { text: button?.text, value: button?.value };
    }
    if (element.type === 'button' || element.type === 'icon_button') return {};
    if (use.chosen === undefined) throw new Error(`Say what to choose in ${String(element.action_id)}`);
    return valueFor(this.state, element, use.chosen);
  }

  /** Keeps what was chosen with the message or view, and gives all its values. */
  private remember(place: Place, found: Found, chosen: Fields): View['values'] {
    const values =
      place.view?.values ??
      this.state.messageValues.get(place.message?.ts ?? '') ??
      initialValues(place.message?.blocks ?? []);
    const block = String(found.block.block_id);
    const action = String(found.element.action_id);
    const stateful = !['button', 'overflow', 'icon_button', 'feedback_buttons'].includes(String(found.element.type));
    if (stateful) values[block] = { ...values[block], [action]: chosen };
    if (place.message !== undefined) this.state.messageValues.set(place.message.ts, values);
    return values;
  }

  /** The fields that say where it was: container, message or view, channel, response_url. */
  private where(user: string, place: Place, values: View['values'], attachment: number | null): Fields {
    if (place.view !== undefined) {
      return { container: { type: 'view', view_id: place.view.id }, view: this.views.wire(place.view) };
    }
    const { message, channel } = place;
    if (message === undefined || channel === undefined) throw new Error('An action needs a message or a view');
    const ephemeral = place.kind === 'ephemeral';
    const responseUrl = this.replies.urlFor({
      channel: channel.id,
      user,
      original: { ts: message.ts, ephemeral },
      ...(message.thread_ts === undefined || message.thread_ts === message.ts ? {} : { thread: message.thread_ts }),
    });
    const { channel: _channel, ...shown } = copyOf(message) as Message;
    return {
      container: {
        type: attachment === null ? 'message' : 'message_attachment',
        message_ts: message.ts,
        ...(attachment === null ? {} : { attachment_id: attachment }),
        channel_id: channel.id,
        is_ephemeral: ephemeral,
        ...(message.thread_ts === undefined ? {} : { thread_ts: message.thread_ts }),
        ...(attachment === null ? {} : { is_app_unfurl: false }),
      },
      channel: { id: channel.id, name: channelName(channel) },
      // There is no message in the payload of an ephemeral one.
      ...(ephemeral ? {} : { message: shown }),
      state: { values: copyOf(values) },
      response_url: responseUrl,
    };
  }

  async openHome(user: string): Promise<Delivery> {
    const view = this.state.homes.get(user);
    return this.outgoing.event(
      eventEnvelope(this.state, {
        type: 'app_home_opened',
        user,
        channel: `D${user.slice(1)}`,
        tab: 'home',
        event_ts: this.state.nextTs(),
        ...(view === undefined ? {} : { view: this.views.wire(view) }),
      }),
    );
  }
}

interface Element {
  readonly found: Found;
  /** The attachment it stands in; null: in the message itself. */
  readonly attachment: number | null;
}

function elementsIn({ blocks, attachments }: Drawing): Element[] {
  return [
    ...elementsOf(blocks).map((found) => ({ found, attachment: null })),
    ...objectsOf(attachments).flatMap((one) =>
      elementsOf(one.blocks).map((found) => ({ found, attachment: Number(one.id) })),
    ),
  ];
}

function isMeant({ found }: Element, use: Use): boolean {
  if (use.name !== undefined) return isNamed(found, use.name);
  return found.block.block_id === use.blockId && found.element.action_id === use.actionId;
}

/** Finds the one element that is meant; says what there is when it is not there. */
function pick(drawing: Drawing, use: Use, target: string): Element {
  const all = elementsIn(drawing);
  const [first, ...others] = all.filter((one) => isMeant(one, use));
  const wanted = use.name ?? use.actionId;
  if (first === undefined) {
    const there = all.map(({ found }) => String(fieldsOf(found.element.text).text ?? found.element.action_id));
    throw new Error(`There is no "${wanted}" in ${target}; there are: ${there.join(', ') || 'no elements'}`);
  }
  if (others.length > 0)
    throw new Error(`"${wanted}" is there ${others.length + 1} times in ${target}: use its action_id`);
  return first;
}
