import { describe, expect, it } from 'vitest';
import {
  hangsOnAlerts,
  KNOWS_AFTER_MS,
  ON_ITS_WAY_MS,
  type Reconciling,
  reconcile,
} from '../../src/application/reconcile.ts';
import { LAPSED_AFTER_MS } from '../../src/domain/alerting.ts';
import type { Alert } from '../../src/domain/state.ts';
import type { HeldAlert } from '../../src/ports/alert-source.ts';
import { degradation, policy, service, state, t0 } from '../runtime/support.ts';

const MINUTE = 60_000;

function alert(over: Partial<Alert> = {}): Alert {
  const texts = { summary: 'bad', description: '', generatorUrl: '', runbookUrl: '' };
  const times = { startsAtMs: t0 - MINUTE, endsAtMs: null };
  const what = { fingerprint: 'f1', name: 'HighErrors', severity: 'warning', status: 'firing' } as const;
  return { ...what, labels: { service }, ...times, ...texts, ...over };
}

const held = (one: Alert, over: Partial<HeldAlert> = {}): HeldAlert => ({
  alert: one,
  muted: false,
  mutedByTags: [],
  mutedByOthers: false,
  ...over,
});

function plan(heldAlerts: readonly HeldAlert[], known: readonly Alert[], over: Partial<Reconciling> = {}) {
  const input: Reconciling = {
    list: { alerts: heldAlerts, upSinceMs: t0 - 60 * MINUTE },
    policies: [policy()],
    states: new Map([[service, state({ alerts: known })]]),
    absentBefore: new Set(),
    awaitedBefore: new Map(),
    answersSinceMs: t0 - 60 * MINUTE,
    nowMs: t0,
    ...over,
  };
  const { found, absent, awaited } = reconcile(input);
  return { found: found.get(service) ?? [], absent, awaited };
}

/** Two answers in a row that say the same. */
function twice(heldAlerts: readonly HeldAlert[], known: readonly Alert[], over: Partial<Reconciling> = {}) {
  const first = plan(heldAlerts, known, over);
  return { first, second: plan(heldAlerts, known, { ...over, absentBefore: first.absent }) };
}

describe('what Alertmanager holds and we do not know', () => {
  it('is found, once for each policy that it matches', () => {
    const other = policy({ service: 'ranker' });
    const { found } = reconcile({
      list: { alerts: [held(alert()), held(alert({ fingerprint: 'f2', labels: {} }))], upSinceMs: null },
      policies: [policy(), other, policy({ service: 'deaf', alerts: [] })],
      states: new Map(),
      absentBefore: new Set(),
      awaitedBefore: new Map(),
      answersSinceMs: t0,
      nowMs: t0,
    });
    expect([...found]).toEqual([
      [service, [alert()]],
      ['ranker', [alert()]],
    ]);
  });

  it('is no news where we know that it fires, that it is over, or that it began anew', () => {
    const over = alert({ status: 'resolved', endsAtMs: t0 - 1 });
    for (const known of [alert(), over, alert({ startsAtMs: t0 })]) {
      expect(plan([held(alert())], [known]).found).toEqual([]);
    }
  });

  it('is news where it began anew, or fires on long after its end', () => {
    const before = alert({ startsAtMs: t0 - 2 * MINUTE });
    expect(plan([held(alert())], [before]).found).toEqual([alert()]);
    const lapsed = alert({ status: 'resolved', startsAtMs: t0 - 60 * MINUTE, endsAtMs: t0 - LAPSED_AFTER_MS });
    const firesOn = alert({ startsAtMs: t0 - 60 * MINUTE });
    expect(plan([held(firesOn)], [lapsed]).found).toEqual([firesOn]);
  });

  it('may be on its way for a minute, and is found when it has not come by then', () => {
    const young = held(alert({ startsAtMs: t0 - 1 }));
    const first = plan([young], []);
    expect([first.found, first.awaited.size]).toEqual([[], 1]);
    const again = (ms: number) => plan([young], [], { nowMs: t0 + ms, awaitedBefore: first.awaited });
    expect(again(ON_ITS_WAY_MS - 2)).toMatchObject({ found: [], awaited: first.awaited });
    expect(again(ON_ITS_WAY_MS)).toMatchObject({ found: [young.alert], awaited: new Map() });
    // By a clock that is ahead of ours it begins in our future.
    const ahead = held(alert({ startsAtMs: t0 + 60 * MINUTE }));
    const seen = plan([ahead], []).awaited;
    expect(plan([ahead], [], { nowMs: t0 + ON_ITS_WAY_MS, awaitedBefore: seen }).found).toHaveLength(1);
  });

  it('counts where only our own silence mutes it, and not where somebody else does', () => {
    const ours = { muted: true, mutedByTags: ['prod/fraud-scorer-d2'] };
    expect(plan([held(alert(), ours)], []).found).toHaveLength(1);
    expect(plan([held(alert(), { ...ours, mutedByOthers: true })], []).found).toEqual([]);
  });
});

describe('what we know to fire and Alertmanager does not hold', () => {
  it('is resolved when two answers in a row agree', () => {
    const { first, second } = twice([], [alert()]);
    expect(first.found).toEqual([]);
    expect(second.found).toEqual([alert({ status: 'resolved', endsAtMs: t0 })]);
    expect(second.absent.size).toBe(0);
  });

  it('is not resolved by two answers about two starts of it', () => {
    const { absent } = plan([], [alert()]);
    expect(plan([], [alert({ startsAtMs: t0 })], { absentBefore: absent }).found).toEqual([]);
  });

  it.each([
    ['silenced by a person', { muted: true, mutedByOthers: true }],
    ['silenced by us', { muted: true, mutedByTags: ['prod/fraud-scorer-d2'] }],
  ])('is not resolved where it is held, though %s', (_, over) => {
    const { first, second } = twice([held(alert(), over)], [alert()]);
    expect([first.found, second.found, first.absent.size]).toEqual([[], [], 0]);
  });

  it('says nothing while Alertmanager came up just now, or has only just answered and does not tell', () => {
    const young = { alerts: [], upSinceMs: t0 - KNOWS_AFTER_MS + 1 };
    expect(twice([], [alert()], { list: young }).second.found).toEqual([]);
    const silent = { list: { alerts: [], upSinceMs: null } };
    expect(twice([], [alert()], { ...silent, answersSinceMs: t0 - 1 }).second.found).toEqual([]);
    expect(twice([], [alert()], { ...silent, answersSinceMs: t0 - KNOWS_AFTER_MS }).second.found).toHaveLength(1);
  });

  it.each(['grafana_folder', '__alert_rule_uid__', 'lastgood_test'])(
    'is not resolved where %s says that it never was there',
    (label) => {
      const elsewhere = alert({ labels: { service, [label]: 'x' } });
      expect(twice([], [elsewhere]).second.found).toEqual([]);
    },
  );

  it('is resolved also where the policy was edited and matches it no longer', () => {
    const edited = { policies: [policy({ alerts: [] })] };
    expect(twice([], [alert()], edited).second.found).toHaveLength(1);
  });
});

it('Alertmanager is asked often while a question is open or an alert fires', () => {
  const ended = degradation({ stage: { name: 'ended', atMs: t0, outcome: 'recovered' } });
  expect(hangsOnAlerts(state())).toBe(false);
  expect(hangsOnAlerts(state({ degradation: ended, alerts: [alert({ status: 'resolved' })] }))).toBe(false);
  expect(hangsOnAlerts(state({ degradation: degradation() }))).toBe(true);
  expect(hangsOnAlerts(state({ degradation: ended, alerts: [alert()] }))).toBe(true);
});
