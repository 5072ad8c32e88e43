import type { ServiceState } from '../domain/state.ts';
import type { Workspace } from '../workspace/index.ts';
import type { Narrator } from './narrator.ts';
import { pause } from './pause.ts';
import { CHANNEL, MAYA } from './scenario.ts';
import type { Answer } from './scenarios/index.ts';
import type { Watch } from './watch.ts';
import { openQuestion } from './world/now.ts';

interface Desk {
  readonly workspace: Workspace;
  readonly watch: Watch;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

type Press = Exclude<Answer, 'none'>;

const LABELS: Readonly<Record<Press, string>> = { rollback: 'Roll back', hold: 'Hold', promote: 'Promote' };
const REASONS: Readonly<Record<Press, string>> = {
  rollback: 'seen enough',
  hold: 'let me look first',
  promote: 'known, and worth it',
};
const WITHIN_MS = 5_000;
const MOST_TRIES = 12;

/** Maya presses the button on the card and fills in the modal, as anybody does. A card that was redrawn meanwhile is pressed again. */
export async function pressFor({ workspace, watch, narrator, signal }: Desk, answer: Press): Promise<boolean> {
  const maya = workspace.user(MAYA);
  narrator.tell('act', `Maya presses ${LABELS[answer]} on the card: "${REASONS[answer]}".`);
  for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries += 1) {
    if (isAnswered(watch.state())) return true;
    try {
      const card = await workspace.waitFor(() => cardWith(workspace, `rollout:${answer}`), WITHIN_MS);
      await maya.press(card, `rollout:${answer}`, { channel: `#${CHANNEL}` });
      const modal = await workspace.waitFor(() => maya.openViews().find(asksForReason), WITHIN_MS);
      await maya.submit(modal.id, { reason: REASONS[answer] });
      if (await watch.until(isAnswered, WITHIN_MS, signal)) return true;
    } catch (error) {
      // The card or the modal is gone or was redrawn: looked for anew.
      if (tries === MOST_TRIES - 1) narrator.tell('note', `Maya could not press it: ${messageOf(error)}`);
      await pause(WITHIN_MS / 20, signal);
    }
    for (const view of maya.openViews().toReversed()) await maya.close(view.id);
  }
  return false;
}

/** The newest message that offers it: while a question is open only its card does. */
function cardWith(workspace: Workspace, action: string): string | undefined {
  const offers = `"action_id":"${action}"`;
  return workspace
    .messages(`#${CHANNEL}`)
    .findLast(({ blocks, attachments }) => JSON.stringify([blocks, attachments]).includes(offers))?.ts;
}

function asksForReason({ blocks }: { readonly blocks: readonly object[] }): boolean {
  return blocks.some((block) => 'block_id' in block && block.block_id === 'reason');
}

/** A person's word is in, or there is no question left. */
function isAnswered(state: ServiceState | null): boolean {
  if (state === null) return false;
  const question = openQuestion(state);
  if (question === null || question.stage.name === 'decided') return true;
  return question.stage.name === 'held' && question.stage.why === 'person';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
