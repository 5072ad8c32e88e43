import { createHmac } from 'node:crypto';
import type { RespondFn } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import fc from 'fast-check';
import type { Answer } from '../../src/application/api.ts';
import { Afterwards } from '../../src/slack/afterwards.ts';
import { isAnswered } from '../../src/slack/app.ts';
import { Identity } from '../../src/slack/identity.ts';
import { type Desk, onPress, onSubmit } from '../../src/slack/interactions.ts';
import { SignatureCheck } from '../../src/slack/signature.ts';
import { onTyped } from '../../src/slack/typed.ts';
import { FakeApplication, quietTelemetry } from '../slack/stage.ts';
import { ada, NOON } from '../slack/states.ts';
import { virtualClock } from '../support/clock.ts';
import { area } from './area.ts';
import { checkPersonal, checkView } from './drawn.ts';
import { anything, mostly, text } from './words.ts';

const names = [
  'actions',
  'view',
  'user',
  'id',
  'value',
  'private_metadata',
  'state',
  'values',
  'channel',
  'container',
  'message',
];
const commandNames = ['rollback', 'hold', 'promote', 'extend', 'resume', 'cancel', 'acknowledge'];
const user = mostly(
  fc.record({ id: mostly(fc.constantFrom(ada.id, 'U0EVE0000')), username: mostly(text) }, { requiredKeys: [] }),
);
const bound = fc
  .record(
    { service: mostly(fc.constant('fraud-scorer')), binding: mostly(text), pace: mostly(fc.constant('at-once')) },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value) ?? '');
const press = fc.record(
  {
    type: mostly(fc.constant('block_actions')),
    user,
    trigger_id: mostly(fc.constant('1.2.3')),
    channel: mostly(fc.record({ id: mostly(fc.constant('C1')) })),
    message: mostly(fc.record({ thread_ts: mostly(text) })),
    actions: mostly(
      fc.array(
        fc.record({
          action_id: mostly(fc.oneof(fc.constantFrom(...commandNames.map((name) => `rollout:${name}`)), text)),
          action_ts: mostly(text),
          value: mostly(fc.oneof(bound, text)),
        }),
        { maxLength: 2 },
      ),
      names,
    ),
  },
  { requiredKeys: ['user', 'actions'] },
);
const field = mostly(
  fc.record({
    value: mostly(
      fc.record({ value: mostly(text), selected_option: mostly(fc.record({ value: text })) }, { requiredKeys: [] }),
    ),
  }),
);
const submission = fc.record({
  type: mostly(fc.constant('view_submission')),
  user,
  view: mostly(
    fc.record({
      id: mostly(fc.constant('V1')),
      callback_id: mostly(fc.constant('lastgood_decide')),
      private_metadata: mostly(
        fc
          .record({
            service: mostly(fc.constant('fraud-scorer')),
            command: fc.constantFrom(...commandNames),
            binding: text,
            channel: text,
          })
          .map((value) => JSON.stringify(value)),
      ),
      state: mostly(
        fc.record({
          values: mostly(
            fc.dictionary(fc.constantFrom('reason', 'pace', 'to', 'duration', 'scope', 'extension'), field),
          ),
        }),
        names,
      ),
    }),
    names,
  ),
});
const typed = fc.record({
  command: mostly(fc.constant('/rollout')),
  text: mostly(text),
  user_id: mostly(fc.constant(ada.id)),
  user_name: mostly(text),
  trigger_id: mostly(fc.constant('1.2.3')),
});
export const payloads = fc.oneof(press as fc.Arbitrary<unknown>, submission, typed, anything(names));

/** Refuses with what it was asked, as refusals do. */
class Refusing extends FakeApplication {
  override onCheck = (request: unknown): Answer => ({ ok: true, text: JSON.stringify(request), duplicate: false });
  override onCommand = (request: unknown): Answer => ({
    ok: false,
    refusal: { code: 'forbidden', text: JSON.stringify(request) },
  });
}

/** A press, a submission or a command as Slack might send it, to what is said and shown for it. */
export const interactions = area('interactions', 12, payloads, async (body) => {
  const telemetry = quietTelemetry();
  const client = {
    chat: { postEphemeral: async ({ text: said }: { text: string }) => checkPersonal({ text: said }) },
    views: {
      open: async ({ view }: { view: unknown }) => {
        checkView(view);
        return { view: { id: 'V1' } };
      },
      update: async ({ view }: { view: unknown }) => checkView(view),
    },
  } as unknown as WebClient;
  const identity = new Identity(client, virtualClock(NOON), telemetry);
  const desk: Desk = { application: new Refusing(), client, identity, telemetry, afterwards: new Afterwards() };
  const respond = (async (said: unknown) =>
    checkPersonal(typeof said === 'string' ? { text: said } : (said as { text: string }))) as unknown as RespondFn;
  const ack = async (said?: unknown) => {
    if (typeof said !== 'object' || said === null) return;
    if ('view' in said) checkView(said.view);
    else if ('text' in said) checkPersonal(said as { text: string });
  };
  isAnswered(body);
  await onPress(desk, { body, ack, respond });
  await onSubmit(desk, { body, ack });
  await onTyped(desk, { body, ack, respond }, NOON);
  if (telemetry.problems.length > 0) throw new Error(telemetry.problems.join('\n'));
});

const secret = 'signing-secret';

/** Headers and bodies from anybody: nobody but Slack gets in, and Slack once. */
export const signatures = area(
  'signatures',
  20,
  fc.tuple(
    fc.uint8Array({ maxLength: 60 }),
    fc.oneof(text, fc.integer({ min: -400, max: 400 })),
    fc.oneof(text, fc.constant(null)),
  ),
  ([bytes, given, signed]) => {
    const check = new SignatureCheck(secret, () => NOON);
    const body = Buffer.from(bytes);
    const timestamp = typeof given === 'number' ? String(NOON / 1000 + given) : given;
    const right = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
    const headers = { signature: signed ?? right, timestamp };
    const isTimely = typeof given === 'number' && given >= -300 && given <= 60;
    if (check.verify(headers, body).ok !== (signed === null && isTimely)) throw new Error('The wrong one got in.');
    if (check.verify(headers, body).ok) throw new Error('It got in twice.');
  },
);
