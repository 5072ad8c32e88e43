import { describe, expect, it } from 'vitest';
import { type Check, createHealth, type Finding, type HealthChange } from '../../src/app/health.ts';
import type { HealthPart } from '../../src/ports/health.ts';
import { virtualClock } from '../support/clock.ts';

const noon = Date.parse('2026-11-21T12:04:00Z');
const ok: Finding = { ok: true, detail: 'answers' };
const down: Finding = { ok: false, detail: 'connection refused' };

/** Targets that come and go, channels that are known by heart, and a store. */
function stand() {
  const clock = virtualClock(noon);
  const changes: HealthChange[] = [];
  const failing = new Set<string>();
  const looks: string[] = [];
  const now = { targets: ['c', 'a', 'b'] as readonly string[], channels: ['#b', '#a'] as readonly string[] };
  let held: Promise<void> | null = null;
  const find = (name: string): Finding => (failing.has(name) ? down : ok);
  const health = createHealth({
    checks: (): readonly Check[] => [
      {
        part: 'target',
        names: now.targets,
        everyMs: 60_000,
        async look(name) {
          looks.push(name);
          await held;
          return find(name);
        },
      },
      {
        part: 'channel',
        names: now.channels,
        recall(name) {
          if (name === '#broken') throw new Error('a mistake');
          return find(name);
        },
      },
      { part: 'store', names: ['database'], look: async (name) => find(name) },
    ],
    clock,
    onChange: (change) => void changes.push(change),
    onProblem(error) {
      throw error;
    },
  });
  const round = async (afterMs = 60_000) => {
    clock.jump(afterMs);
    await health.round();
  };
  const part = (name: string): HealthPart | undefined => health.parts().find((one) => one.name === name);
  const hold = (until: Promise<void>) => {
    held = until;
  };
  return { clock, changes, failing, looks, now, health, round, part, hold };
}

describe('what is remembered of many', () => {
  it('is shown in the order of kinds, then by name', async () => {
    const { health, round } = stand();
    await round();
    const shown = health.parts().map(({ part, name }) => `${part} ${name}`);
    expect(shown).toEqual(['store database', 'channel #a', 'channel #b', 'target a', 'target b', 'target c']);
  });

  it('is gone through to the end as it was begun, where others take its place meanwhile', async () => {
    const { health, now, round } = stand();
    await round();
    const shown: string[] = [];
    for (const { name } of health.each()) {
      shown.push(name);
      if (name !== 'a') continue;
      now.targets = ['0', 'c', 'd'];
      await round();
    }
    expect(shown).toEqual(['database', '#a', '#b', 'a', 'b', 'c']);
    expect(health.parts().map(({ name }) => name)).toEqual(['database', '#a', '#b', '0', 'c', 'd']);
  });

  it('stays with its name where others come before it and go', async () => {
    const { failing, now, health, round, part, changes, looks } = stand();
    failing.add('b');
    await round();
    await round(5_000);
    expect(part('b')).toMatchObject({ ok: false, sinceMs: noon + 60_000 });
    now.targets = ['0', 'b', 'c', 'z'];
    now.channels = ['#0', '#b'];
    looks.length = 0;
    await round(10_000);
    // Those that stay are not due yet; new ones are.
    expect(looks).toEqual(['0', 'z']);
    expect(part('b')).toMatchObject({ ok: false, sinceMs: noon + 60_000, failures: 2 });
    expect(part('c')).toMatchObject({ ok: true, sinceMs: noon + 60_000 });
    expect(part('#b')).toMatchObject({ ok: true, sinceMs: noon + 60_000 });
    expect(part('z')).toMatchObject({ ok: true, sinceMs: noon + 75_000 });
    expect(health.parts().map(({ name }) => name)).toEqual(['database', '#0', '#b', '0', 'b', 'c', 'z']);
    failing.clear();
    await round();
    expect(changes.map(({ now, afterMs }) => [now.name, now.ok, afterMs])).toEqual([
      ['b', false, null],
      ['b', true, 75_000],
    ]);
  });

  it('begins anew with what comes back, and nothing is told of a doubt that goes', async () => {
    const { failing, now, round, part, changes } = stand();
    failing.add('a');
    await round();
    expect(part('a')).toMatchObject({ ok: true, failures: 1 });
    now.targets = ['b'];
    await round(5_000);
    now.targets = ['a', 'b'];
    await round(5_000);
    expect(part('a')).toMatchObject({ ok: true, failures: 1, sinceMs: noon + 70_000 });
    expect(changes).toEqual([]);
    await round(5_000);
    expect(changes).toMatchObject([{ now: { name: 'a', ok: false, sinceMs: noon + 70_000 } }]);
  });

  it('holds nothing of a look that ends when its policy is gone', async () => {
    const { clock, failing, now, health, round, changes, hold } = stand();
    const held = Promise.withResolvers<void>();
    const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
    failing.add('b');
    await round();
    hold(held.promise);
    clock.jump(5_000);
    const slow = health.round();
    await clock.advance(11_000, settled);
    await slow;
    now.targets = ['c'];
    const next = health.round();
    await clock.advance(11_000, settled);
    await next;
    held.resolve();
    await settled();
    expect(health.parts().filter(({ part }) => part === 'target')).toMatchObject([{ name: 'c' }]);
    expect(changes).toEqual([]);
  });

  it('is a failure where recalling it fails', async () => {
    const { now, round, part } = stand();
    now.channels = ['#broken'];
    await round();
    await round();
    expect(part('#broken')).toMatchObject({ ok: false, detail: 'a mistake' });
  });
});
