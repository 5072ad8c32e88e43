import type { AckFn, RespondFn, ViewResponseAction } from '@slack/bolt';
import type { View, WebClient } from '@slack/web-api';
import type { Answer, Application } from '../application/api.ts';
import type { Refusal } from '../domain/effect.ts';
import type { CommandName } from '../domain/event.ts';
import type { Health } from '../ports/health.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Afterwards } from './afterwards.ts';
import { ACTION_PREFIX, readValue } from './cards/buttons.ts';
import { mentionsKept } from './cards/people.ts';
import { slackCode, slackFailure } from './errors.ts';
import type { Identity } from './identity.ts';
import { type ModalSubmission, type Press, readPress, readSubmission } from './inbound.ts';
import { within } from './late.ts';
import { form, mildest, REASON_BLOCK, readForm, TITLES } from './views/form.ts';
import { hasModal, type ModalMetadata, readMetadata } from './views/metadata.ts';
import { loading, notice } from './views/modal.ts';

/** What presses and submissions need. */
export interface Desk {
  readonly application: Application;
  readonly client: WebClient;
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly health?: Health | undefined;
  readonly afterwards: Afterwards;
}

const EPHEMERAL_LENGTH = 3000;
const STALE_BUTTON = 'This button is from another version of Lastgood. Look at the newest card, or use `/rollout`.';

/** A press: asked first whether it is allowed now; refused, it changes nothing and tells the presser alone. */
export async function onPress(
  desk: Desk,
  args: { body: unknown; ack: AckFn<void>; respond: RespondFn },
): Promise<void> {
  await args.ack();
  const press = readPress(args.body);
  // Link buttons send presses too: acknowledged, and nothing else.
  if (!press?.actionId.startsWith(ACTION_PREFIX)) return;
  await desk.afterwards.turn();
  try {
    await answerPress(desk, press, args.respond);
  } catch (error) {
    desk.telemetry.problem('slack press', error);
    await tell(desk, press, args.respond, troubleOf(error));
  }
}

async function answerPress(desk: Desk, press: Press, respond: RespondFn): Promise<void> {
  const { application } = desk;
  const command = press.actionId.slice(ACTION_PREFIX.length);
  const value = readValue(press.value);
  if (!value || !(hasModal(command) || command === 'acknowledge')) return tell(desk, press, respond, STALE_BUTTON);
  const status = await application.status(value.service);
  if (!status) return tell(desk, press, respond, `There is no policy for ${value.service} any more.`);
  const mild = mildest({ command: command as CommandName, ...(value.pace ? { pace: value.pace } : {}) }, status);
  if (!mild) return tell(desk, press, respond, STALE_BUTTON);
  const key = `press/${press.actionTs}/${press.actor.id}/${press.triggerId}`;
  const request = {
    service: value.service,
    command: mild,
    actor: desk.identity.placed(press.actor, press.home),
    binding: value.binding,
    key,
    once: key,
  };
  const allowed = command === 'acknowledge' ? await application.command(request) : await application.check(request);
  if (!allowed.ok) return tell(desk, press, respond, allowed.refusal.text);
  if (command === 'acknowledge') return;
  const metadata: ModalMetadata = {
    service: value.service,
    command: command as ModalMetadata['command'],
    binding: value.binding,
    channel: press.channel ?? '',
    ...(value.pace ? { pace: value.pace } : {}),
  };
  await openForm(desk, press, respond, metadata);
}

async function openForm(desk: Desk, press: Press, respond: RespondFn, metadata: ModalMetadata): Promise<void> {
  const view = loading(TITLES[metadata.command] ?? 'Decide');
  let opened: Awaited<ReturnType<WebClient['views']['open']>>;
  try {
    opened = await desk.client.views.open({ trigger_id: press.triggerId, view });
  } catch (error) {
    const expired = ['expired_trigger_id', 'trigger_expired', 'trigger_exchanged'].includes(slackCode(error) ?? '');
    if (!expired) throw error;
    return tell(desk, press, respond, 'That took too long for Slack, and nothing was changed. Press the button again.');
  }
  const viewId = opened.view?.id;
  if (!viewId) throw new Error('Slack opened a modal without saying which');
  // Read again: opening took a moment, and people are to see what is true when they decide.
  const status = await desk.application.status(metadata.service);
  const filled = status
    ? form(metadata, status)
    : notice('Gone', '⚠️', `There is no policy for ${metadata.service} any more.`);
  await desk.client.views.update({ view_id: viewId, view: filled });
}

/** A submitted modal: permission and state are checked again, whatever they were at the press. */
export async function onSubmit(
  desk: Desk,
  args: { body: unknown; ack: AckFn<ViewResponseAction | undefined> },
): Promise<void> {
  const submission = readSubmission(args.body);
  const metadata = readMetadata(submission?.metadata);
  if (!submission || !metadata) {
    await args.ack();
    return;
  }
  const title = TITLES[metadata.command] ?? 'Decide';
  const outcome = decide(desk, submission, metadata).catch((error: unknown): Answer => {
    desk.telemetry.problem('slack submission', error);
    return { ok: false, refusal: { code: 'conflict', text: troubleOf(error) } };
  });
  const inTime = await within(outcome);
  if (inTime) {
    await args.ack(inTime.ok ? undefined : refusedView(title, inTime.refusal));
    return;
  }
  await args.ack({ response_action: 'update', view: loading(title) });
  const late = await outcome;
  const view = late.ok ? notice(title, '✅', late.text) : notice(title, '✋', late.refusal.text);
  await updateLate(desk, submission.viewId, view);
}

/** What was filled in, asked of the application; what cannot be understood is refused like anything invalid. */
async function decide(
  { application, identity }: Desk,
  { viewId, triggerId, actor: submitter, home, values }: ModalSubmission,
  metadata: ModalMetadata,
): Promise<Answer> {
  const { service, binding } = metadata;
  const status = metadata.command === 'rollback' ? await application.status(service) : null;
  const command = readForm(metadata, values, status?.state.served ?? []);
  if ('problem' in command) return { ok: false, refusal: { code: 'invalid', text: command.problem } };
  const actor = identity.placed(submitter, home);
  // A form that was refused may be put right and submitted again; the same submission may not.
  const once = triggerId === null ? {} : { once: `submission/${triggerId}` };
  return application.command({ service, command, actor, binding, key: `view/${viewId}`, ...once });
}

function refusedView(title: string, refusal: Refusal): ViewResponseAction {
  // What can be put right in the form is said at the form; anything else takes its place.
  if (refusal.code === 'invalid') {
    return { response_action: 'errors', errors: { [REASON_BLOCK]: refusal.text.slice(0, EPHEMERAL_LENGTH) } };
  }
  return { response_action: 'update', view: notice(title, '✋', refusal.text) };
}

async function updateLate(desk: Desk, viewId: string, view: View): Promise<void> {
  try {
    await desk.client.views.update({ view_id: viewId, view });
  } catch (error) {
    // The person closed it meanwhile; what was decided stands in the thread.
    if (slackCode(error) !== 'not_found') desk.telemetry.problem('slack submission', error);
  }
}

/** Tells one person, in the channel; by the response address where that does not work. */
async function tell(desk: Desk, press: Press, respond: RespondFn, said: string): Promise<void> {
  const text = mentionsKept(said, EPHEMERAL_LENGTH);
  if (press.channel !== null) {
    try {
      const thread = press.threadTs === null ? {} : { thread_ts: press.threadTs };
      await desk.client.chat.postEphemeral({ channel: press.channel, user: press.actor.id, text, ...thread });
      return;
    } catch (error) {
      const botName = desk.identity.bot.name;
      const call = { method: 'chat.postEphemeral', intent: 'repeatable', channel: press.channel, botName } as const;
      desk.telemetry.problem('slack press', slackFailure(error, call));
    }
  }
  await respond({ response_type: 'ephemeral', replace_original: false, text });
}

/** Our own trouble, for the person who asked. What exactly is in the log. */
export function troubleOf(error: unknown): string {
  const detail = error instanceof Error && error.name === 'PortError' ? ` (${error.message})` : '';
  return `Something went wrong on Lastgood's side${detail}. Look at \`/rollout status\` before you try again.`;
}
