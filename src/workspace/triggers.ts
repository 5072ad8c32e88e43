import type { State } from './state.ts';

/** How long a trigger_id lives (docs.slack.dev, "Opening modals"). */
const triggerLifeMs = 3000;
/** response_url: 30 minutes, 5 uses (docs.slack.dev, "Handling user interaction"). */
const responseLifeMs = 30 * 60_000;
const responseUses = 5;

interface Trigger {
  user: string;
  issuedAt: number;
  used: boolean;
}

export interface ResponseTicket {
  channel: string;
  user: string;
  /** The message the interaction came from, if it came from one. */
  original?: { ts: string; ephemeral: boolean };
  thread?: string;
}

/** The short-lived permissions that go with an interaction: to open a modal once, to answer five times. */
export class Triggers {
  private readonly state: State;
  private readonly triggers = new Map<string, Trigger>();
  private readonly tickets = new Map<string, ResponseTicket & { issuedAt: number; uses: number }>();

  constructor(state: State) {
    this.state = state;
  }

  private now(): number {
    return this.state.options.lifetimeNow?.() ?? this.state.now();
  }

  issue(user: string): string {
    const id = `${Math.floor(this.state.now())}.${this.state.teamId.slice(1)}.${this.state.secret()}`;
    this.triggers.set(id, { user, issuedAt: this.now(), used: false });
    return id;
  }

  /** Uses a trigger up. Gives the user, or Slack's error code. */
  exchange(id: string): { user: string } | { error: string } {
    const trigger = this.triggers.get(id);
    if (trigger === undefined) return { error: 'invalid_trigger_id' };
    if (trigger.used) return { error: 'exchanged_trigger_id' };
    if (this.now() - trigger.issuedAt > triggerLifeMs) return { error: 'expired_trigger_id' };
    trigger.used = true;
    return { user: trigger.user };
  }

  /** The path of a fresh response_url. */
  responsePath(ticket: ResponseTicket): string {
    const token = this.state.secret();
    this.tickets.set(token, { ...ticket, issuedAt: this.now(), uses: 0 });
    return `/response/${this.state.teamId}/${token}`;
  }

  /** Looks a response_url up and counts one use. */
  redeem(token: string): ResponseTicket | { error: string } {
    const ticket = this.tickets.get(token);
    if (ticket === undefined) return { error: 'invalid_url' };
    if (this.now() - ticket.issuedAt > responseLifeMs) return { error: 'expired_url' };
    if (ticket.uses >= responseUses) return { error: 'used_url' };
    ticket.uses += 1;
    return ticket;
  }
}
