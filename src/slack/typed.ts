import type { AckFn, RespondArguments, RespondFn } from '@slack/bolt';
import type { KnownBlock } from '@slack/web-api';
import type { Reply } from './commands/define.ts';
import { answerTyped } from './commands/index.ts';
import { readCommand } from './inbound.ts';
import { type Desk, troubleOf } from './interactions.ts';
import { within } from './late.ts';

/** A typed command at `nowMs`: answered within Slack's 3 s, or acknowledged first and answered when it is done. */
export async function onTyped(
  desk: Desk,
  args: { body: unknown; ack: AckFn<string | RespondArguments>; respond: RespondFn },
  nowMs: number,
): Promise<void> {
  const typed = readCommand(args.body);
  if (!typed) {
    await args.ack();
    return;
  }
  const { application } = desk;
  const work = answerTyped(typed.text, {
    application,
    actor: desk.identity.placed(typed.actor, typed.home),
    key: typed.triggerId,
    slash: typed.command,
    nowMs,
  }).catch((error: unknown): Reply => {
    desk.telemetry.problem('slack command', error);
    return { text: `⚠️ ${troubleOf(error)}` };
  });
  const inTime = await within(work);
  if (inTime) {
    await args.ack(ephemeral(inTime));
    return;
  }
  await args.ack();
  await args.respond(ephemeral(await work));
}

function ephemeral(reply: Reply): RespondArguments {
  const blocks = reply.blocks as unknown as KnownBlock[] | undefined;
  return { response_type: 'ephemeral', text: reply.text, ...(blocks ? { blocks } : {}) };
}
