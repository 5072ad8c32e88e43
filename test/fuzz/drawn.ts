import type { Drawing } from '../../src/slack/cards/blocks.ts';
import { validateMessage, validateView } from '../../src/workspace/blockkit/validate.ts';
import { calls } from './words.ts';

/** Throws where a message would call somebody, or where Slack would refuse it. */
export function checkMessage(drawing: Drawing | { text: string; blocks?: unknown }): void {
  const called = calls(drawing);
  if (called !== null) throw new Error(`It would call: ${called}`);
  const refused = validateMessage((drawing as { blocks?: unknown }).blocks);
  if (refused) throw new Error(`Slack would refuse it: ${refused.code} ${refused.errors.join('; ')}`);
}

/** What one person alone sees: names of people notify nobody there, and approvers are named. Anything else is as above. */
export function checkPersonal(drawing: { text: string; blocks?: unknown }): void {
  checkMessage(JSON.parse(withoutPeople(drawing)));
}

export function checkView(view: unknown): void {
  const called = calls(JSON.parse(withoutPeople(view)));
  if (called !== null) throw new Error(`It would call: ${called}`);
  const refused = validateView(view, 'modal');
  if (refused) throw new Error(`Slack would refuse it: ${refused.code} ${refused.errors.join('; ')}`);
}

function withoutPeople(drawn: unknown): string {
  return JSON.stringify(drawn).replace(/<@[UW][A-Z0-9]{2,30}>/g, '@somebody');
}
