import { describe, expect, it } from 'vitest';
import type { Alert, Degradation, ServiceState, Signal } from '../../src/domain/state.ts';
import { StateTexts } from '../../src/runtime/state-text.ts';
import { state, t0 } from './support.ts';

const alert = (i: number): Alert => ({
  fingerprint: `f${i}`,
  name: 'HighErrorRate',
  severity: 'warning',
  status: 'firing',
  startsAtMs: t0 + i,
  endsAtMs: null,
  summary: `instance-${i} „${'€'.repeat(i % 3)}" answers with errors`,
  description: '',
  labels: {},
  generatorUrl: '',
  runbookUrl: '',
  heardAtMs: i % 2 === 0 ? t0 + i : undefined,
});

const signal = (i: number): Signal => ({
  kind: 'alert',
  fingerprint: `f${i}`,
  name: 'HighErrorRate',
  severity: 'warning',
  atMs: t0 + i,
});

const many = <T>(count: number, one: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => one(i));

function question(signals: number): Degradation {
  return {
    id: 'fraud-scorer-d1',
    rolloutId: null,
    openedAtMs: t0,
    severity: 'warning',
    signals: many(signals, signal),
    stage: { name: 'asking', deadlineMs: t0 + 60_000, escalateAtMs: null, measuring: false },
    extendedMs: 0,
    acknowledged: null,
    comparison: null,
    milestones: [{ what: 'opened', atMs: t0, exposurePercent: null, comparison: null }],
    page: { state: 'none', atMs: null, by: null },
    decision: null,
    silencedUntilMs: null,
    epoch: 1,
  };
}

function inStorm(alerts: number): ServiceState {
  const past = { rollouts: [], degradations: [question(20), question(1)] };
  return state({ alerts: many(alerts, alert), degradation: question(alerts), past });
}

/** How many pages of two texts differ. */
function pagesApart(one: string, other: string): number {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  let apart = 0;
  for (let at = 0; at < Math.max(a.length, b.length); at += 4096)
    if (!a.subarray(at, at + 4096).equals(b.subarray(at, at + 4096))) apart += 1;
  return apart;
}

describe('the text of a state', () => {
  it.each([0, 1, 15, 16, 17, 31, 32, 33, 100, 500])('says what the state says with %i alerts', (count) => {
    const texts = new StateTexts();
    const told = inStorm(count);
    expect(JSON.parse(texts.of(told))).toEqual(JSON.parse(JSON.stringify(told)));
    const without = { ...told, degradation: null };
    expect(JSON.parse(texts.of(without))).toEqual(JSON.parse(JSON.stringify(without)));
  });

  it('follows whatever changes in its lists', () => {
    const texts = new StateTexts();
    let told = inStorm(70);
    const changes: ((list: readonly Alert[]) => readonly Alert[])[] = [
      (list) => [...list, alert(1000)],
      (list) => list.with(33, alert(1001)),
      (list) => list.slice(0, 40),
      (list) => list.slice(1),
      (list) => list.toReversed(),
      (list) => list.filter((_, i) => i % 3 !== 0),
      (list) => [...list, ...many(30, (i) => alert(2000 + i))],
      () => [],
    ];
    for (const change of changes) {
      told = { ...told, alerts: change(told.alerts) };
      expect(JSON.parse(texts.of(told))).toEqual(JSON.parse(JSON.stringify(told)));
    }
  });

  it('keeps few alerts without a blank', () => {
    const told = state({ alerts: many(3, alert) });
    expect(new StateTexts().of(told)).toBe(JSON.stringify(told));
  });

  it('stays as it is but for a few pages where one of many is another', () => {
    const texts = new StateTexts();
    const before = inStorm(500);
    const signals = before.degradation?.signals.with(250, signal(9_994)) ?? [];
    const after = {
      ...before,
      clockMs: before.clockMs + 1,
      alerts: before.alerts.with(250, alert(9_994)),
      degradation: { ...question(500), signals },
    };
    const [one, other] = [texts.of(before), texts.of(after)];
    expect(Buffer.byteLength(other)).toBe(Buffer.byteLength(one));
    expect(pagesApart(one, other)).toBeLessThanOrEqual(5);
  });
});
