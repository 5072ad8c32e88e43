import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReadings } from '../../src/app/readings.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { serviceGauges } from '../../src/server/service-gauges.ts';
import { saveState } from '../runtime/support.ts';
import { at, rollout, state } from '../slack/states.ts';

let store: Store;
let asked: (string | null)[];
let services: readonly string[];
let read: () => ReturnType<ReturnType<typeof createReadings>>;

beforeEach(async () => {
  store = await openStore(':memory:');
  services = ['a', 'b'];
  read = readings();
});
afterEach(() => store.close());

/** One replica's. `asked`: the services whose states it was given at the last reading. */
function readings() {
  return createReadings({
    store: {
      jobs: store.jobs,
      changes(known, changed) {
        asked = [];
        return store.changes(known, (stored) => {
          asked.push(stored.state.service);
          changed(stored);
        });
      },
    },
    policies: {
      all: () => services.map((service) => ({ service })),
      get: (service) => (services.includes(service) ? { service } : null),
    },
  });
}

const quiet: Partial<ServiceState> = { rollout: null, degradation: null, alerts: [] };
const mark = { by: { kind: 'person', id: 'U0ANN', name: 'ann' }, atMs: at(0), reason: 'sale' } as const;
const saved = (service: string, over: Partial<ServiceState>) => saveState(store, state({ ...quiet, service, ...over }));
const nothing = { phase: null, exposurePercent: null, degradationOpen: false, frozen: false, automationOff: false };

describe('what a scrape shows of the services', () => {
  it('is what stands in the store, of those with a policy, in their order', async () => {
    const going = rollout({ exposurePercent: 25, phase: { name: 'watching', sinceMs: at(0), untilMs: at(9) } });
    await saved('b', { rollout: going, freeze: mark, automationOff: mark });
    await saved('gone', {});
    expect((await read()).services).toMatchObject([
      { service: 'a', ...nothing },
      {
        service: 'b',
        phase: 'watching',
        exposurePercent: 25,
        degradationOpen: false,
        frozen: true,
        automationOff: true,
      },
    ]);
    await saved('b', { rollout: { ...going, phase: { name: 'succeeded', atMs: at(9), reason: 'well' } } });
    expect((await read()).services[1]).toMatchObject({ service: 'b', ...nothing, phase: 'succeeded' });
    await saved('a', { degradation: state().degradation });
    expect((await read()).services[0]).toMatchObject({ service: 'a', ...nothing, degradationOpen: true });
  });

  it('looks into the states that changed only, whoever changed them, and keeps the rest as it was', async () => {
    services = ['a', 'b', 'c'];
    for (const service of services) await saved(service, {});
    const first = await read();
    expect(asked).toEqual(['a', 'b', 'c']);
    // Another replica reads for itself, and is behind nobody.
    const other = readings();
    await other();
    await saved('b', { freeze: mark });
    const second = await read();
    expect(asked).toEqual(['b']);
    expect(second.services[0]).toBe(first.services[0]);
    expect(second.services[1]?.frozen).toBe(true);
    expect(await other()).toEqual(second);
    expect(asked).toEqual(['b']);
    await read();
    expect(asked).toEqual([]);
  });

  it('follows policies that come and go', async () => {
    await saved('b', { freeze: mark });
    await read();
    services = ['a'];
    expect((await read()).services.map(({ service }) => service)).toEqual(['a']);
    services = ['a', 'b'];
    expect((await read()).services[1]?.frozen).toBe(true);
    await saved('a', { freeze: mark });
    expect((await read()).services[0]?.frozen).toBe(true);
  });

  it('is put into words as it is at each scrape', async () => {
    const written = (readings: Parameters<typeof serviceGauges>[0]) => [...serviceGauges(readings)].join('');
    await saved('b', {
      rollout: rollout({ exposurePercent: 2.5, phase: { name: 'watching', sinceMs: 0, untilMs: 1 } }),
    });
    const before = written((await read()).services);
    expect(before.split('\n').filter((line) => !line.startsWith('#') && line !== '')).toEqual([
      'lastgood_rollout_phase{service="b",phase="watching"} 1',
      'lastgood_exposure_percent{service="b"} 2.5',
      ...['degradation_open', 'frozen', 'automation_off'].flatMap((what) => [
        `lastgood_${what}{service="a"} 0`,
        `lastgood_${what}{service="b"} 0`,
      ]),
    ]);
    expect(written((await read()).services)).toBe(before);
    await saved('b', { freeze: mark });
    const after = written((await read()).services);
    expect(after).toContain('lastgood_frozen{service="b"} 1');
    expect(after).not.toContain('lastgood_rollout_phase{');
  });
});
