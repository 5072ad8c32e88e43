import { ack } from './ack.ts';
import { automation } from './automation.ts';
import { cancel } from './cancel.ts';
import { Misunderstood, type Reply, type RunContext, type Subcommand } from './define.ts';
import { extend } from './extend.ts';
import { freeze } from './freeze.ts';
import { help, unknownSubcommand } from './help.ts';
import { history } from './history.ts';
import { hold } from './hold.ts';
import { policy } from './policy.ts';
import { promote } from './promote.ts';
import { resume } from './resume.ts';
import { rollback } from './rollback.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { unfreeze } from './unfreeze.ts';
import { asTyped, sortWords, tokens } from './words.ts';

/** Everything `/rollout` understands, in the order help shows it. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  start,
  status,
  promote,
  rollback,
  hold,
  resume,
  extend,
  ack,
  cancel,
  freeze,
  unfreeze,
  automation,
  history,
  policy,
  help,
];

/** Answers one typed line. What was not understood is said with what to type instead, and changes nothing. */
export async function answerTyped(text: string, asked: Omit<RunContext, 'subcommands' | 'policies'>): Promise<Reply> {
  const [name, ...rest] = tokens(asTyped(text.slice(0, 4000)));
  const policies = asked.application.policies();
  const context = { ...asked, subcommands: SUBCOMMANDS, policies };
  const wanted = (name ?? 'help').toLowerCase();
  const found = SUBCOMMANDS.find((one) => one.name === wanted);
  if (!found) return { text: `❓ ${unknownSubcommand(wanted, asked.slash, SUBCOMMANDS)}` };
  try {
    return await found.answer(sortWords(rest, found.flags), context);
  } catch (error) {
    if (!(error instanceof Misunderstood)) throw error;
    return { text: `❓ ${error.message} Nothing was changed.\nUsage: \`${asked.slash} ${found.name} ${found.usage}\`` };
  }
}
