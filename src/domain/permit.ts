import type { Refusal } from './effect.ts';
import type { CommandName } from './event.ts';
import type { Policy } from './policy.ts';
import type { Actor } from './state.ts';

/** Whether the actor may ask for this at all. Null: yes. Checked at the press, at submit and for typed commands alike. */
export function permit(policy: Policy, actor: Actor, command: CommandName): Refusal | null {
  const { users } = policy.approvers;
  const isNamed = users.includes(actor.id);
  const isEverybody = users.includes('*');
  if (actor.kind === 'person' && (isNamed || (isEverybody && !actor.outsider))) return null;
  if (isEverybody) {
    return {
      code: 'forbidden',
      text: `You are not of this workspace, so nothing was changed. ${VERB[command]} takes a member of it, or somebody whose user id stands in \`approvers.users\` of the policy of ${policy.service}.`,
    };
  }
  const whom = users.map((id) => `<@${id}>`).join(', ');
  return {
    code: 'forbidden',
    text: `You are not an approver of ${policy.service}, so nothing was changed. ${VERB[command]} takes one of: ${whom}. To become one, add your user id to \`approvers.users\` in its policy.`,
  };
}

const VERB: Readonly<Record<CommandName, string>> = {
  start: 'Starting a rollout',
  promote: 'Promoting',
  rollback: 'Rolling back',
  hold: 'Holding',
  resume: 'Resuming',
  extend: 'Extending the deadline',
  acknowledge: 'Acknowledging',
  cancel: 'Cancelling',
  freeze: 'Freezing',
  unfreeze: 'Unfreezing',
  automation: 'Switching the automation',
};
