import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binding } from '../../src/domain/binding.ts';
import type { CommandName } from '../../src/domain/event.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { SUBCOMMANDS } from '../../src/slack/commands/index.ts';
import { saveState } from '../runtime/support.ts';
import { ada, at, NOON, policy, rollback, rollout, state } from '../slack/states.ts';
import { virtualClock } from '../support/clock.ts';
import {
  HOME,
  ORGANISATION,
  payload,
  press,
  type Replicas,
  startReplicas,
  submission,
  typed,
  type Who,
} from './replica.ts';

/** Every way in that Slack has, by everybody who might come that way. A way that is new and is not in a table fails here. */

const service = 'fraud-scorer';
const named = [ada.id, 'U0PARTNER'];
const everybody = ['*'];

/** Who comes, under which approvers. */
const mayNot: readonly (readonly [string, Who, readonly string[]])[] = [
  ['somebody who is no approver', { id: 'U0EVE0000', teamId: HOME }, named],
  ['somebody who calls themselves like an approver', { id: 'U0EVE0000', name: ada.name, teamId: HOME }, named],
  ['an approver’s id in small letters', { id: ada.id.toLowerCase(), teamId: HOME }, named],
  ['a bot', { id: 'B0BOT0000', teamId: HOME }, named],
  ['somebody called *', { id: '*', teamId: HOME }, named],
  ['nobody', { id: null, teamId: HOME }, everybody],
  ['nobody, emptily', { id: '', teamId: HOME }, everybody],
  ['somebody of another workspace, in a shared channel', { id: 'U0STRANGE', teamId: 'T0OTHER00' }, everybody],
  ['the same, who is not named either', { id: 'U0STRANGE', teamId: 'T0OTHER00' }, named],
  ['somebody of another organisation', { id: 'U0STRANGE', teamId: 'T0OTHER00', enterpriseId: 'E0OTHER00' }, everybody],
];
const may: readonly (readonly [string, Who, readonly string[]])[] = [
  ['an approver', { id: ada.id, teamId: HOME }, named],
  ['an approver of a request that names no workspace', { id: ada.id }, named],
  ['a member, where everybody may', { id: 'U0EVE0000', teamId: HOME }, everybody],
  ['a member of the organisation', { id: 'U0EVE0000', teamId: 'T0SISTER0', enterpriseId: ORGANISATION }, everybody],
  ['a partner whom the policy names', { id: 'U0PARTNER', teamId: 'T0OTHER00' }, named],
];

const alone = { degradation: null, alerts: [] };
const soaking = {
  name: 'advancing',
  sinceMs: at(0),
  stage: 'soaking',
  soakUntilMs: at(10),
  maxSoakUntilMs: at(30),
} as const;
const quiet = state({ rollout: null, ...alone });
const advancing = state({ rollout: rollout({ phase: soaking }), ...alone });
const atZero = state({ rollout: rollout({ phase: soaking, exposurePercent: 0, step: -1, shifts: [] }), ...alone });
const asked = state();
const mark = { by: ada, atMs: at(0), reason: 'sale' };
const goingBack = state({
  rollout: rollout({ phase: { name: 'rolling_back', sinceMs: at(0), rollback: rollback() } }),
  ...alone,
});
const holding = state({
  rollout: rollout({
    phase: { name: 'holding', sinceMs: at(0), untilMs: at(30), by: ada, reason: '', during: 'advancing' },
  }),
  ...alone,
});

/** Every command with a state in which who may can give it, as it is typed, and as a form of it is filled in. */
const COMMANDS: Readonly<Record<CommandName, { in: ServiceState; line: string; form: Record<string, string> | null }>> =
  {
    start: { in: quiet, line: 'start v43 --reason new', form: null },
    promote: { in: advancing, line: 'promote --reason fine', form: { scope: 'step' } },
    rollback: { in: advancing, line: 'rollback --reason bad', form: { pace: 'phased' } },
    hold: { in: advancing, line: 'hold 30m --reason wait', form: { duration: '1800000' } },
    resume: { in: holding, line: 'resume --reason on', form: {} },
    extend: { in: asked, line: 'extend 10m --reason more', form: { extension: '600000' } },
    acknowledge: { in: asked, line: 'ack --reason mine', form: null },
    cancel: { in: atZero, line: 'cancel --reason no', form: {} },
    freeze: { in: quiet, line: 'freeze --reason sale', form: null },
    unfreeze: { in: state({ rollout: null, ...alone, freeze: mark }), line: 'unfreeze --reason over', form: null },
    automation: { in: quiet, line: 'automation off all --reason lying', form: null },
  };
/** What anybody may type: it says how things are, and changes nothing. */
const READING = ['status', 'history', 'policy', 'help'];
const names = Object.keys(COMMANDS) as CommandName[];

let store: Store;
let replicas: Replicas;
let users: readonly string[];
beforeEach(async () => {
  store = await openStore(':memory:');
  replicas = await startReplicas({
    stores: [store],
    clock: virtualClock(NOON),
    policy: () => policy({ approvers: { users, quorum: 1 } }),
  });
});
afterEach(async () => {
  await replicas[Symbol.asyncDispose]();
  await store.close();
});

async function kept(): Promise<string> {
  const stored = await store.load(service);
  const jobs = await store.jobs.nextDueMs();
  return JSON.stringify([stored, await store.journal({ service, limit: 100 }), jobs]);
}

const value = (name: CommandName) => ({ service, binding: binding(COMMANDS[name].in, name) });
const metadata = (name: CommandName) => ({ ...value(name), command: name, channel: 'C1' });
const form = (name: CommandName, who: Who) =>
  submission(metadata(name), { ...COMMANDS[name].form, reason: 'because' }, who);

/** Whoever may not changes nothing and opens nothing, and is told if there is somebody to tell; then each who may does. */
async function guards(name: CommandName, body: (who: Who) => string, done: 'changes' | 'opens a form'): Promise<void> {
  await saveState(store, COMMANDS[name].in);
  const before = await kept();
  for (const [whom, who, approvers] of mayNot) {
    users = approvers;
    const { status, text, calls } = await replicas.send(body(who));
    expect(status, whom).toBe(200);
    expect(await kept(), whom).toBe(before);
    expect(
      calls.filter(({ method }) => method === 'views.open'),
      whom,
    ).toEqual([]);
    const said = text + calls.map((call) => call.body).join('');
    if (who.id) expect(said, whom).toContain('nothing was changed');
  }
  for (const [whom, who, approvers] of may) {
    users = approvers;
    const stored = await store.load(service);
    // As it was at first, but for the version the store counts.
    await saveState(store, COMMANDS[name].in);
    const again = JSON.stringify(COMMANDS[name].in);
    expect(stored, whom).not.toBeNull();
    const { calls } = await replicas.send(body(who));
    const now = JSON.stringify((await store.load(service))?.state);
    if (done === 'changes') expect(now, whom).not.toBe(again);
    else {
      expect(
        calls.map(({ method }) => method),
        whom,
      ).toContain('views.open');
      expect(now, whom).toBe(again);
    }
  }
}

describe('typed', () => {
  it('is everything there is to type', () => {
    const inTables = [...names.map((name) => COMMANDS[name].line.split(' ')[0]), ...READING];
    expect(inTables.sort()).toEqual(SUBCOMMANDS.map(({ name }) => name).sort());
  });

  it.each(names)('%s', (name) => guards(name, (who) => typed(COMMANDS[name].line, who), 'changes'));

  it.each(READING)('%s tells anybody, and changes nothing', async (name) => {
    await saveState(store, asked);
    const before = await kept();
    for (const [, who, approvers] of [...mayNot, ...may]) {
      users = approvers;
      expect((await replicas.send(typed(name === 'help' ? name : `${name} ${service}`, who))).status).toBe(200);
    }
    expect(await kept()).toBe(before);
  });
});

const inForms = names.filter((name) => COMMANDS[name].form !== null);
const onButtons = [...inForms, 'acknowledge'] as const;

describe('pressed', () => {
  it.each(onButtons)('%s', (name) =>
    guards(
      name,
      (who) => press(`rollout:${name}`, value(name), who),
      name === 'acknowledge' ? 'changes' : 'opens a form',
    ),
  );

  it.each(names.filter((name) => !onButtons.some((one) => one === name)))(
    '%s is on no button: one made up does nothing for anybody',
    async (name) => {
      await saveState(store, COMMANDS[name].in);
      const before = await kept();
      for (const [, who, approvers] of [...mayNot, ...may]) {
        users = approvers;
        const { calls } = await replicas.send(press(`rollout:${name}`, value(name), who));
        expect(calls.some(({ method }) => method === 'views.open')).toBe(false);
      }
      expect(await kept()).toBe(before);
    },
  );

  it('to 0 at once while it goes back', async () => {
    await saveState(store, goingBack);
    const before = await kept();
    const button = { service, binding: binding(goingBack, 'rollback'), pace: 'at-once' };
    for (const [whom, who, approvers] of mayNot) {
      users = approvers;
      const { calls } = await replicas.send(press('rollout:rollback', button, who));
      expect(
        calls.some(({ method }) => method === 'views.open'),
        whom,
      ).toBe(false);
      await replicas.send(submission({ ...button, command: 'rollback', channel: 'C1' }, { reason: 'now' }, who));
      expect(await kept(), whom).toBe(before);
    }
    users = named;
    await replicas.send(
      submission({ ...button, command: 'rollback', channel: 'C1' }, { reason: 'now' }, { id: ada.id }),
    );
    expect(await kept()).not.toBe(before);
  });
});

describe('submitted, without ever having been opened', () => {
  it.each(inForms)('%s', (name) => guards(name, (who) => form(name, who), 'changes'));

  it.each(names.filter((name) => COMMANDS[name].form === null))('%s has no form', async (name) => {
    await saveState(store, COMMANDS[name].in);
    const before = await kept();
    users = everybody;
    await replicas.send(form(name, { id: ada.id, teamId: HOME }));
    expect(await kept()).toBe(before);
  });
});

describe('anything else that Slack sends', () => {
  const others: Record<string, Record<string, unknown>> = {
    'a shortcut': { type: 'shortcut', callback_id: 'rollback' },
    'a shortcut on a message': {
      type: 'message_action',
      callback_id: 'rollback',
      message: { ts: '1.1' },
      channel: { id: 'C1' },
    },
    'a dialog': { type: 'dialog_submission', callback_id: 'rollback', submission: { reason: 'x' } },
    'a button of the old kind': {
      type: 'interactive_message',
      callback_id: 'rollout:rollback',
      actions: [{ name: 'rollout:rollback' }],
    },
    'a menu that asks for options': { type: 'block_suggestion', action_id: 'rollout:rollback', value: '' },
    'a form that was closed': {
      type: 'view_closed',
      view: { id: 'V1', callback_id: 'lastgood_decide', private_metadata: JSON.stringify(metadata('rollback')) },
    },
  };
  it.each(Object.entries(others))('%s does nothing, for who may as well', async (_what, content) => {
    await saveState(store, advancing);
    const before = await kept();
    users = everybody;
    expect((await replicas.send(payload(content, { id: ada.id, teamId: HOME }))).status).toBe(200);
    expect(await kept()).toBe(before);
  });

  it.each(['app_home_opened', 'message', 'app_mention', 'reaction_added'])(
    'the event %s changes nothing',
    async (type) => {
      await saveState(store, advancing);
      const before = await kept();
      users = everybody;
      const event = { type, user: ada.id, tab: 'home', text: '/rollout rollback', channel: 'C1' };
      await replicas.send(JSON.stringify({ type: 'event_callback', team_id: HOME, event_id: 'Ev1', event }));
      expect(await kept()).toBe(before);
    },
  );
});

describe('the code', () => {
  const directory = new URL('../../src/slack/', import.meta.url);
  const source = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, directory), 'utf8'))
    .join('\n');
  const found = (pattern: RegExp) => [...new Set([...source.matchAll(pattern)].map(([, what = '']) => what))].sort();

  it('listens for nothing that is not driven above', () => {
    expect(
      found(/\bapp\.(action|command|customStep|error|event|function|message|options|shortcut|step|use|view)\(/g),
    ).toEqual(['action', 'command', 'error', 'event', 'view']);
    expect(found(/app\.event\('([^']*)'/g)).toEqual(['app_home_opened']);
    expect(found(/app\.(?:action|view)\(\{ type: '([^']*)'/g)).toEqual([
      'block_actions',
      'view_closed',
      'view_submission',
    ]);
  });

  it('draws no other action or form than those above', () => {
    // `value` is a field of a form: it is sent with the form, and alone means nothing.
    const actions = found(/\baction_id: (.*?),?(?: |\n)/g);
    expect(actions).toHaveLength(2);
    expect(actions.find((one) => one !== "'value'")).toMatch(/^`\$\{ACTION_PREFIX\}\$\{button\.command\}`$/);
    expect(found(/\bcallback_id: (.*?),?(?: |\n)/g)).toEqual(['/.*/s', 'DECIDE'].sort());
  });
});
