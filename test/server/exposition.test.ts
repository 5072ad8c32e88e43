import { Counter, Gauge, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { healthGauges } from '../../src/server/health-gauges.ts';
import { createServiceCounter, type ServicePlaces } from '../../src/server/service-counter.ts';

/** As prom-client writes it, whose text we write ourselves where there are thousands of lines. */
function byPromClient(fill: (registers: Registry[]) => void): Promise<string> {
  const registry = new Registry();
  fill([registry]);
  return registry.metrics();
}

describe('gauges of the health', () => {
  const parts = [
    { part: 'slack', name: 'slack', ok: true },
    { part: 'channel', name: '#ml "rollouts"\\of\na day\\n', ok: false },
    { part: 'prometheus', name: 'http://prometheus:9090/{a="b"}', ok: true },
  ] as const;

  it('are written as prom-client would, whatever the names', async () => {
    const expected = await byPromClient((registers) => {
      const up = new Gauge({
        name: 'lastgood_dependency_up',
        help: '1 where a dependency answers as it should, 0 after two failures in a row.',
        labelNames: ['part', 'name'],
        registers,
      });
      for (const { part, name, ok } of parts) up.set({ part, name }, Number(ok));
      const help =
        '1 where the policy directory as it is now is in force, 0 where it has problems and those from before stay in force.';
      new Gauge({ name: 'lastgood_policies_ok', help, registers }).set(1);
      const loaded = 'lastgood_policies_loaded_timestamp_seconds';
      new Gauge({ name: loaded, help: 'When the policies in force were last read and found good.', registers }).set(
        1_763_776_500.123,
      );
    });
    const texts = healthGauges({ parts, policies: { ok: true, loadedAtMs: 1_763_776_500_123 } });
    expect(texts.map((text) => [...text].join('')).join('\n')).toBe(expected);
  });
});

describe('a counter by service', () => {
  const counterOf = (places: ServicePlaces, name = 'decisions_total') =>
    createServiceCounter({ name, help: 'Decisions.', labelNames: ['event', 'outcome'], places });
  const events = [
    { service: 'a', event: 'started', outcome: 'accepted' },
    { service: 'b', event: 'started', outcome: 'accepted' },
    { service: 'a', event: 'alerts', outcome: 'ignored' },
    { service: 'c', event: 'alerts', outcome: 'accepted' },
    { service: 'a', event: 'started', outcome: 'accepted' },
    { service: 'a', event: 'started', outcome: 'refused' },
    { service: 'c', event: 'started', outcome: 'accepted' },
  ];
  const sorted = (text: string) => text.trimEnd().split('\n').sort();

  it('says what prom-client would, each service’s together', async () => {
    const counter = counterOf(new Map());
    for (const labels of events) counter.inc(labels);
    const expected = await byPromClient((registers) => {
      const labelNames = ['service', 'event', 'outcome'];
      const theirs = new Counter({ name: 'decisions_total', help: 'Decisions.', labelNames, registers });
      for (const labels of events) theirs.inc(labels);
    });
    const text = [...counter.lines()].join('');
    expect(sorted(text)).toEqual(sorted(expected));
    expect(text.split('\n')).toEqual([
      '# HELP decisions_total Decisions.',
      '# TYPE decisions_total counter',
      'decisions_total{service="a",event="started",outcome="accepted"} 2',
      'decisions_total{service="a",event="alerts",outcome="ignored"} 1',
      'decisions_total{service="a",event="started",outcome="refused"} 1',
      'decisions_total{service="b",event="started",outcome="accepted"} 1',
      'decisions_total{service="c",event="started",outcome="accepted"} 1',
      'decisions_total{service="c",event="alerts",outcome="accepted"} 1',
      '',
    ]);
  });

  it('has the places of services in common with others, and not their counts', () => {
    const places: ServicePlaces = new Map();
    const [one, other] = [counterOf(places), counterOf(places, 'others_total')];
    other.inc({ service: 'z', event: 'e', outcome: 'o' });
    for (let i = 0; i < 3; i += 1) one.inc({ service: 'a', event: 'e', outcome: 'o' });
    const lines = (counter: typeof one) => [...counter.lines()].slice(1);
    expect(lines(one)).toEqual(['decisions_total{service="a",event="e",outcome="o"} 3\n']);
    expect(lines(other)).toEqual(['others_total{service="z",event="e",outcome="o"} 1\n']);
    one.inc({ service: 'z', event: 'e', outcome: 'o' });
    expect(lines(one)).toHaveLength(2);
  });

  it('goes on counting while it is read', () => {
    const counter = counterOf(new Map());
    counter.inc({ service: 'a', event: 'e', outcome: 'o' });
    counter.inc({ service: 'b', event: 'e', outcome: 'o' });
    const read: string[] = [];
    for (const line of counter.lines()) {
      if (line.includes('"a"')) counter.inc({ service: 'b', event: 'e', outcome: 'o' });
      read.push(line);
    }
    expect(read.at(-1)).toBe('decisions_total{service="b",event="e",outcome="o"} 2\n');
  });
});
