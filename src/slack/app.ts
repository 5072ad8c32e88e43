import { type AckFn, App, type Authorize, HTTPReceiver, type ViewResponseAction } from '@slack/bolt';
import type { Clock } from '../ports/clock.ts';
import { boltLogger, type Clients } from './clients.ts';
import { onHomeOpened } from './home.ts';
import { type Desk, onPress, onSubmit } from './interactions.ts';
import { onTyped } from './typed.ts';

/**
 * Whether one of the listeners below answers this. Anything else Slack may send (shortcuts, dialogs, menus of other makes) is
 * only acknowledged: Bolt would leave it unanswered, and Slack show an error for it.
 */
export function isAnswered(body: unknown): boolean {
  const { type, command, event, actions, view, user } = (body ?? {}) as Record<string, unknown>;
  if (isObject(event)) return true;
  if (typeof command === 'string') return true;
  // Bolt reads the person's id before anybody is asked, and throws where there is none.
  if (!isObject(user)) return false;
  if (type === 'block_actions') return Array.isArray(actions) && isObject(actions[0]);
  return (
    (type === 'view_submission' || type === 'view_closed') && isObject(view) && typeof view.callback_id === 'string'
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Bolt, wired: every way Slack has of reaching us leads to one of our handlers. */
export function createBolt(parts: {
  desk: Desk;
  clients: Clients;
  clock: Clock;
  signingSecret: string;
  botToken: string;
}): {
  app: App;
  receiver: HTTPReceiver;
} {
  const { desk, clients, clock } = parts;
  const logger = boltLogger(desk.telemetry);
  const receiver = new HTTPReceiver({
    signingSecret: parts.signingSecret,
    endpoints: ['/slack/events'],
    // Checked before it gets here, more strictly: see signature.ts.
    signatureVerification: false,
    logger,
  });
  const authorize: Authorize<boolean> = async () => {
    const { botId, botUserId, teamId } = desk.identity.bot;
    return { botToken: parts.botToken, botId, botUserId, teamId };
  };
  const app = new App({
    receiver,
    authorize,
    convoStore: false,
    logger,
    clientOptions: { ...clients.options },
  });
  listen(app, desk, clock);
  return { app, receiver };
}

function listen(app: App, desk: Desk, clock: Clock): void {
  app.action({ type: 'block_actions' }, ({ body, ack, respond }) => onPress(desk, { body, ack, respond }));
  app.view({ type: 'view_submission', callback_id: /.*/s }, ({ body, ack }) =>
    onSubmit(desk, { body, ack: ack as AckFn<ViewResponseAction | undefined> }),
  );
  app.view({ type: 'view_closed', callback_id: /.*/s }, ({ ack }) => ack());
  app.command(/.*/s, ({ body, ack, respond }) => onTyped(desk, { body, ack, respond }, clock.now()));
  app.event('app_home_opened', ({ event }) => onHomeOpened(desk, event, clock.now()));
  app.error(async (error) => desk.telemetry.problem('slack', error));
}
