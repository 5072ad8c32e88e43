import type { Actor } from '../../domain/state.ts';
import { outside } from './text.ts';

const USER_ID = /^[UW][A-Z0-9]{2,30}$/;

/**
 * Somebody as an updated card names them: a mention for a person, else the name. An update notifies nobody; what is posted
 * anew takes `namedPlain`, so that nobody is called to what they did themselves.
 */
export function named(actor: Actor): string {
  if (actor.kind === 'person') {
    return USER_ID.test(actor.id) ? `<@${actor.id}>` : `@${outside(actor.name, 80)}`;
  }
  return automatic(actor, outside(actor.name === '' ? actor.id : actor.name, 120));
}

/** The default action's actor is the policy at its revision: to a reader, the automation. */
function automatic(actor: Actor, name: string): string {
  return actor.kind === 'policy' ? `automation (${name})` : name;
}

/** The same where a mention would notify, or is not drawn: new messages, notifications, headers. */
export function namedPlain(actor: Actor): string {
  const name = outside(actor.name === '' ? actor.id : actor.name, 80);
  return actor.kind === 'person' ? `@${name}` : automatic(actor, name);
}

/**
 * A refusal's text with its mentions of approvers kept, and nothing else of Slack's own syntax. For messages only one
 * person sees.
 */
export function mentionsKept(text: string, max: number): string {
  return outside(text, max).replace(/&lt;@([UW][A-Z0-9]{2,30})&gt;/g, '<@$1>');
}
