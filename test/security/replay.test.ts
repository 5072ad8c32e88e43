import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binding } from '../../src/domain/binding.ts';
import type { CommandName } from '../../src/domain/event.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { openStore } from '../../src/runtime/store.ts';
import { saveState } from '../runtime/support.ts';
import { ada, at, NOON, policy, rollout, state } from '../slack/states.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { HOME, press, type Replicas, startReplicas, submission, typed } from './replica.ts';

/** A signed request that somebody recorded, sent again within Slack's five minutes to a replica that has not seen it. */

const who = { id: ada.id, teamId: HOME };
const service = 'fraud-scorer';
const decided: Partial<ServiceState> = { degradation: null, alerts: [] };
const soaking = rollout({
  phase: { name: 'advancing', sinceMs: at(0), stage: 'soaking', soakUntilMs: at(10), maxSoakUntilMs: at(30) },
});

/** Two on one PostgreSQL, as two processes have them; or one, which two processes have one after the other. */
const kinds = [
  { kind: 'SQLite', isThere: true, skipped: '' },
  { kind: 'PostgreSQL', isThere: hasPostgres, skipped: withoutPostgres },
] as const;

let server: PostgresServer | null = null;
let store: Store;
let stores: readonly Store[];
let clock: VirtualClock;
let replicas: Replicas;
let users: readonly string[];

async function opened(kind: (typeof kinds)[number]['kind']): Promise<readonly Store[]> {
  if (kind === 'SQLite') return [await openStore(':memory:')];
  server ??= await startPostgres();
  const url = await server.database();
  const open = () => openPostgresStore(url, { onProblem: () => undefined });
  return [(await open()).store, (await open()).store];
}

const drawnFor = async (command: CommandName) => {
  const stored = await store.load(service);
  return stored ? binding(stored.state, command) : '';
};
const meta = async (command: CommandName) => ({ service, command, binding: await drawnFor(command), channel: 'C1' });

/** All that is kept of the service. */
async function kept(): Promise<string> {
  const stored = await store.load(service);
  return JSON.stringify([stored, await store.journal({ service, limit: 100 })]);
}

describe.each(kinds)('over $kind$skipped', { timeout: 120_000 }, ({ kind, isThere }) => {
  if (!isThere) {
    it.skip('is left out');
    return;
  }
  beforeEach(async () => {
    stores = await opened(kind);
    const [first] = stores;
    if (!first) throw new Error('There is no store.');
    store = first;
    clock = virtualClock(NOON);
    users = [ada.id];
    replicas = await startReplicas({ stores, clock, policy: () => policy({ approvers: { users, quorum: 1 } }) });
  });
  afterEach(async () => {
    await replicas[Symbol.asyncDispose]();
    await Promise.all(stores.map((one) => one.close()));
  });
  afterAll(async () => {
    await server?.stop();
    server = null;
  });

  describe('what was done once', () => {
    it.each<[string, ServiceState, () => Promise<string>]>([
      ['a command', state({ rollout: null, ...decided }), async () => typed('freeze --reason sale', who)],
      ['a start', state({ rollout: null, ...decided }), async () => typed('start v43 --reason new', who)],
      ['a command for all services', state(), async () => typed('automation off all --reason lying', who)],
      ['a press', state(), async () => press('rollout:acknowledge', await meta('acknowledge'), who)],
      [
        'a form',
        state({ rollout: soaking, ...decided }),
        async () => submission(await meta('hold'), { reason: 'wait' }, who),
      ],
    ])('%s is not done again', async (_what, before, request) => {
      await saveState(store, before);
      const untouched = await kept();
      const body = await request();
      await replicas.send(body);
      const after = await kept();
      expect(after).not.toBe(untouched);
      await clock.advance(60_000);
      const again = await replicas.send(body);
      expect(again.status).toBe(200);
      expect(await kept()).toBe(after);
    });

    it('is not done again where it was taken back since', async () => {
      await saveState(store, state({ rollout: null, ...decided }));
      const freeze = typed('freeze --reason sale', who);
      await replicas.send(freeze);
      await replicas.send(typed('unfreeze --reason over', who));
      const after = await kept();
      const again = await replicas.send(freeze);
      expect(again.text).toContain('nothing was done twice');
      expect(await kept()).toBe(after);
    });
  });

  describe('what was refused once', () => {
    it('is not done later, when nothing is in its way any more: a command', async () => {
      await saveState(store, state({ rollout: null, degradation: null }));
      const body = typed('start v43 --reason new', who);
      expect((await replicas.send(body)).text).toContain('✋');
      await saveState(store, state({ rollout: null, ...decided }));
      const before = await kept();
      expect((await replicas.send(body)).text).toContain('This was done already');
      expect(await kept()).toBe(before);
      // Typed anew it is another request.
      await replicas.send(typed('start v43 --reason new', who));
      expect(await kept()).not.toBe(before);
    });

    it('is not done later: a start whose target did not answer', async () => {
      await saveState(store, state({ rollout: null, ...decided }));
      const body = typed('start v43 --reason new', who);
      replicas.target.fails = true;
      expect((await replicas.send(body)).text).toContain('was not started');
      replicas.target.fails = false;
      const before = await kept();
      await replicas.send(body);
      expect(await kept()).toBe(before);
    });

    it('is not done later: a form, which may all the same be put right and submitted again', async () => {
      await saveState(store, state({ rollout: soaking, ...decided }));
      const metadata = await meta('hold');
      const body = submission(metadata, { reason: 'wait' }, who, 'V0FORM');
      users = ['U0SOMEBODY'];
      await replicas.send(body);
      users = [ada.id];
      const before = await kept();
      await replicas.send(body);
      expect(await kept()).toBe(before);
      await replicas.send(submission(metadata, { reason: 'wait' }, who, 'V0FORM'));
      expect(await kept()).not.toBe(before);
    });

    it('is not done later: a press', async () => {
      await saveState(store, state());
      const body = press('rollout:acknowledge', await meta('acknowledge'), who);
      users = ['U0SOMEBODY'];
      await replicas.send(body);
      users = [ada.id];
      const before = await kept();
      await replicas.send(body);
      expect(await kept()).toBe(before);
    });
  });

  it('what comes to every instance at the same moment is done by one', async () => {
    await saveState(store, state());
    const body = press('rollout:acknowledge', await meta('acknowledge'), who);
    const answers = await replicas.sendToEach(body);
    expect(answers.map(({ status }) => status)).toEqual(stores.map(() => 200));
    const entries = await store.journal({ service, limit: 100 });
    expect(entries.filter(({ entry }) => entry.what === 'acknowledged')).toHaveLength(1);
    const after = await kept();
    await replicas.sendToEach(body);
    expect(await kept()).toBe(after);
  });
});
