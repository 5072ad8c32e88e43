import { describe, expect, it } from 'vitest';
import { degradedModes } from '../../src/app/degraded.ts';
import { type Asking, type Check, createHealth, type Finding, type HealthChange } from '../../src/app/health.ts';
import { afterLook } from '../../src/app/health-memory.ts';
import type { HealthKind, HealthPart } from '../../src/ports/health.ts';
import { virtualClock } from '../support/clock.ts';

const noon = Date.parse('2026-11-21T12:04:00Z');
const prometheus = { part: 'prometheus', name: 'http://prometheus:9090' } as const;
const ok: Finding = { ok: true, detail: 'answers' };
const down: Finding = { ok: false, detail: 'connection refused' };

const onProblem = (error: unknown): never => {
  throw error;
};

function stand(everyMs?: number) {
  const clock = virtualClock(noon);
  const changes: HealthChange[] = [];
  const found: { next: Finding | null | Error; looks: number } = { next: ok, looks: 0 };
  let checks: Check[] = [
    {
      part: 'prometheus',
      names: [prometheus.name],
      ...(everyMs === undefined ? {} : { everyMs }),
      async look() {
        found.looks += 1;
        if (found.next instanceof Error) throw found.next;
        return found.next;
      },
    },
  ];
  const health = createHealth({
    checks: () => checks,
    clock,
    onChange: (change) => void changes.push(change),
    onProblem,
  });
  const look = async (next: Finding | null | Error, afterMs = 15_000) => {
    clock.jump(afterMs);
    found.next = next;
    await health.round();
    return health.parts()[0];
  };
  const withdraw = () => {
    checks = [];
  };
  return { clock, changes, found, health, look, withdraw };
}

describe('the health of a part', () => {
  it('is believed to be trouble after two failures in a row, dated back to the first, and told once', async () => {
    const { changes, look } = stand();
    await look(ok);
    expect(await look(down)).toMatchObject({ ok: true, failures: 1, detail: expect.stringContaining('failed once') });
    expect(changes).toEqual([]);
    expect(await look(down)).toMatchObject({ ok: false, failures: 2, sinceMs: noon + 30_000 });
    await look(down);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ afterMs: null, now: { ok: false } });
    expect(changes[0]?.text).toBe(
      'Prometheus http://prometheus:9090 does not answer as it should since 12:04:30 UTC (connection refused). Gates stay closed and a deadline holds and pages instead of rolling back, unless the policy says whenUnknown: rollback. Alerts and buttons still work.',
    );
  });

  it('is well again with the first success, which is told once with how long it took', async () => {
    const { changes, look } = stand();
    await look(down);
    await look(down);
    expect(await look(ok, 12 * 60_000)).toMatchObject({ ok: true, failures: 0, sinceMs: noon + 30_000 + 720_000 });
    await look(ok);
    expect(changes.map(({ text }) => text)).toEqual([
      expect.stringContaining('since 12:04:15 UTC'),
      'Prometheus http://prometheus:9090: recovered after 12 min 15 s (answers).',
    ]);
  });

  it('does not flap where failures alternate with successes', async () => {
    const { changes, look } = stand();
    for (let i = 0; i < 20; i += 1) await look(i % 2 === 0 ? down : ok);
    expect(changes).toEqual([]);
  });

  it('stays as it was where nothing could be looked at, and takes whatever is thrown for a failure', async () => {
    const { look, health } = stand();
    expect(await look(null)).toBeUndefined();
    await look(new Error('connection refused'));
    await look(null);
    expect(await look(new Error('connection refused'))).toMatchObject({ ok: false, detail: 'connection refused' });
    expect(health.degraded()).toHaveLength(1);
  });

  it('is not looked at more often than it wants, except after a first failure', async () => {
    const { found, look } = stand(60_000);
    await look(ok);
    await look(ok);
    await look(ok);
    expect(found.looks).toBe(1);
    await look(down, 60_000);
    await look(down, 5_000);
    expect(found.looks).toBe(3);
    await look(down, 5_000);
    expect(found.looks).toBe(3);
  });

  it('is one of thousands that are looked at seldom: so many a second, those longest ago first, one in doubt before them', async () => {
    const clock = virtualClock(noon);
    const looked: number[][] = [[]];
    const names = Array.from({ length: 1000 }, (_, k) => `service-${k}`);
    const look = async (name: string) => {
      const k = names.indexOf(name);
      looked.at(-1)?.push(k);
      return k === 7 ? down : ok;
    };
    const checks: Asking[] = [{ part: 'target', names, everyMs: 60_000, look }];
    const health = createHealth({ checks: () => checks, clock, onChange: () => undefined, onProblem });
    const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
    health.start();
    await clock.advance(500, settled);
    expect(looked.at(-1)).toHaveLength(32);
    for (let round = 0; round < 6; round += 1) {
      await clock.advance(15_000, settled);
      looked.push([]);
    }
    const all = looked.flat();
    // After 90 s each of them, and none twice before the others once, but the one in doubt.
    expect(new Set(all).size).toBe(1000);
    expect(all.slice(0, 1000).filter((k) => k !== 7).length).toBeGreaterThan(990);
    expect(all.indexOf(7, 8)).toBeLessThan(800);
    expect(Math.max(...looked.map((round) => round.length))).toBeLessThan(16 * 32);
    await health.stop();
  });

  it('ends with the policy that needed it', async () => {
    const { changes, health, look, withdraw } = stand();
    await look(down);
    await look(down);
    withdraw();
    await health.round();
    expect(health.parts()).toEqual([]);
    expect(changes.at(-1)).toMatchObject({
      now: { ok: true },
      text: expect.stringContaining('no policy needs it any more'),
    });
  });

  it('is believed at once where there is no chance in it', () => {
    expect(afterLook(null, prometheus, { ...down, sure: true }, noon)).toMatchObject({ ok: false, sinceMs: noon });
  });

  it('is looked at in the background until stopped, sooner where it is in doubt', async () => {
    const { clock, found, health } = stand();
    found.next = down;
    health.start();
    const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
    await clock.advance(4_999, settled);
    expect(found.looks).toBe(1);
    await clock.advance(1, settled);
    expect(found.looks).toBe(2);
    await clock.advance(15_000, settled);
    expect(found.looks).toBe(3);
    await health.stop();
    await clock.advance(60_000, settled);
    expect(found.looks).toBe(3);
  });

  it('remembers trouble from before a restart: not told again, its end is', async () => {
    const clock = virtualClock(noon);
    const changes: HealthChange[] = [];
    const before: HealthPart = { ...prometheus, ok: false, sinceMs: noon - 600_000, detail: 'refused', failures: 9 };
    let finding = down;
    const health = createHealth({
      checks: () => [{ part: 'prometheus', names: [prometheus.name], look: async () => finding }],
      clock,
      known: [before],
      onChange: (change) => void changes.push(change),
      onProblem,
    });
    await health.round();
    expect(changes).toEqual([]);
    finding = ok;
    await health.round();
    expect(changes).toMatchObject([{ afterMs: 600_000 }]);
  });
});

describe('degraded modes', () => {
  const kinds: HealthKind[] = [
    'store',
    'file',
    'policies',
    'slack',
    'channel',
    'prometheus',
    'alertmanager',
    'target',
    'pagerduty',
  ];
  const part = (kind: HealthKind, isOk: boolean): HealthPart => {
    return { part: kind, name: 'x', ok: isOk, sinceMs: noon, detail: 'because.', failures: isOk ? 0 : 2 };
  };

  it('are none where all is well', () => {
    expect(degradedModes(kinds.map((kind) => part(kind, true)))).toEqual([]);
  });

  it.each(kinds)('say since when %s is in trouble, why, and what still works', (kind) => {
    const [mode] = degradedModes([part(kind, false)]);
    expect(mode?.text).toContain('since 12:04:00 UTC');
    expect(mode?.text).toContain('because');
    expect(mode?.text).toMatch(/still|go on|goes on|stay in force/);
    expect(mode?.text).not.toMatch(/undefined|null|\.\.|!/);
  });

  it('keep a long reason to what can be read', () => {
    const [mode] = degradedModes([{ ...part('policies', false), detail: 'x'.repeat(10_000) }]);
    expect(mode?.text.length).toBeLessThan(2_500);
  });
});
