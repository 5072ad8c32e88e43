import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint, Policy } from '../../src/domain/policy.ts';
import type { AlertSource, Silence } from '../../src/ports/alert-source.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { EffectOf } from '../../src/runtime/performers/performer.ts';
import { silencePerformer } from '../../src/runtime/performers/silence.ts';
import { openStore } from '../../src/runtime/store.ts';
import { virtualClock } from '../support/clock.ts';
import { fakeWorld, jobOf } from './fakes.ts';
import { policiesOf, policy, saveState, service, state, t0 } from './support.ts';

const signal = new AbortController().signal;
const tag = `prod/${service}-d2`;
const plain = { ca: null, cert: null, key: null, insecure: false };
const at = (url: string): Endpoint => ({ url, headers: {}, tls: plain });
const create: EffectOf<'silence'> = {
  kind: 'silence',
  action: 'create',
  degradationId: `${service}-d2`,
  untilMs: t0 + 3_600_000,
  comment: 'fraud-scorer is being rolled back by Lastgood (fraud-scorer-d2).',
};
const lift: EffectOf<'silence'> = { ...create, action: 'lift' };

/** Keeps silences by tag, as Alertmanager does. */
class FakeAlertmanager implements AlertSource {
  readonly silences = new Map<string, Silence>();
  trouble: PortError | null = null;
  async list() {
    return { alerts: [], upSinceMs: null };
  }
  async silence(silence: Silence) {
    this.silences.set(silence.tag, silence);
    if (this.trouble) throw this.trouble;
  }
  async lift(tag: string) {
    this.silences.delete(tag);
  }
}

let store: Store;
let world: ReturnType<typeof fakeWorld>['world'];
let alertmanagers: Map<string | undefined, FakeAlertmanager>;
beforeEach(async () => {
  store = await openStore(':memory:');
  alertmanagers = new Map([undefined, 'http://old', 'http://new'].map((url) => [url, new FakeAlertmanager()]));
  world = fakeWorld(store, virtualClock(t0)).world;
  await saveState(store, state());
});
afterEach(() => store.close());

function performer(policies = policiesOf(policy()), known = alertmanagers) {
  const alertSources = (of: Policy) => known.get(of.alertmanager?.url) ?? null;
  return silencePerformer({ ...world, policies, alertSources });
}

describe('silencing', () => {
  it('names the degradation and the end, under a tag that is ours alone', async () => {
    const outcome = await performer().perform(create, jobOf(create), signal);
    expect(alertmanagers.get(undefined)?.silences.get(tag)).toEqual({
      tag,
      selectors: policy().alerts.map(({ matchers }) => matchers),
      untilMs: create.untilMs,
      comment: `${create.comment} Ends at 10:00:00 UTC at the latest.`,
    });
    expect(outcome).toEqual({
      kind: 'event',
      event: { type: 'silenced', degradationId: create.degradationId, action: 'create', problem: null },
    });
  });

  it('that will never be whole is not left half, and says why; what may pass is left to the next try', async () => {
    const alertmanager = alertmanagers.get(undefined) ?? new FakeAlertmanager();
    alertmanager.trouble = new PortError('permanent', 'It would silence everything.');
    await expect(performer().perform(create, jobOf(create), signal)).rejects.toThrow('everything');
    expect(alertmanager.silences.size).toBe(0);
    alertmanager.trouble = new PortError('ambiguous', 'It did not answer.');
    await expect(performer().perform(create, jobOf(create), signal)).rejects.toThrow('not answer');
    expect(alertmanager.silences.size).toBe(1);
    expect(performer().givenUp(create, 'It did not answer.')).toMatchObject({
      action: 'create',
      problem: 'It did not answer',
    });
  });

  it('is refused clearly where there is no Alertmanager', async () => {
    const nobody = performer(undefined, new Map());
    await expect(nobody.perform(create, jobOf(create), signal)).rejects.toThrow(/set ALERTMANAGER_URL/);
    await expect(nobody.perform(lift, jobOf(lift), signal)).rejects.toMatchObject({ failure: 'permanent' });
  });

  it('is lifted by its tag, also where the policy has other matchers and another Alertmanager by now', async () => {
    const before = policy({ alertmanager: at('http://old') });
    await performer(policiesOf(before)).perform(create, jobOf(create), signal);
    const after = policy({ revision: 'rev2', alertmanager: at('http://new'), alerts: [] });
    const both = { ...policiesOf(after), at: async () => before };
    await performer(both).perform(lift, jobOf(lift), signal);
    await performer(both).perform(lift, jobOf(lift), signal);
    expect([...alertmanagers.values()].map(({ silences }) => silences.size)).toEqual([0, 0, 0]);
  });
});
