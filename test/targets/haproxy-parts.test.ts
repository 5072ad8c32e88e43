import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInForce } from '../../src/domain/in-force.ts';
import { haproxyConfig } from '../../src/targets/haproxy-config.ts';
import { canBeNamed, parseServerNames } from '../../src/targets/haproxy-names.ts';
import type { NodeState } from '../../src/targets/haproxy-node.ts';
import { viewOf } from '../../src/targets/haproxy-view.ts';
import { percentOf, weightsFor } from '../../src/targets/haproxy-weights.ts';

const config = { nodes: ['/run/haproxy/admin.sock'], backend: 'scorers' };
const problemsOf = (changed: object) =>
  haproxyConfig.safeParse({ ...config, ...changed }).error?.issues.map(({ message }) => message) ?? [];

describe('the settings', () => {
  test.each([
    [{ nodes: [] }, /expected array to have >=1/],
    [{ nodes: ['admin.sock'] }, /host:port/],
    [{ nodes: ['10.0.0.1:0'] }, /host:port/],
    [{ nodes: ['10.0.0.1:99999'] }, /host:port/],
    [{ nodes: ['10.0.0.1:9999', '10.0.0.1:9999'] }, /same node twice/],
    [{ backend: 'be; disable server be/a' }, /name of a backend/],
    [{ server: 'v42' }, /exactly once/],
    [{ server: '{{version}}{{version}}' }, /exactly once/],
    [{ server: '{{service}}-{{version}}' }, /only \{\{version\}\}/],
    [{ server: '*-{{version}}' }, /at the end/],
    [{ server: '{{version}}*' }, /between \{\{version\}\} and \*/],
    [{ server: 'a b {{version}}' }, /letters, digits/],
    [{ minimumUp: 0 }, />=1/],
    [{ timeout: '2' }, /duration/],
  ])('%j is refused', (changed, said) => {
    expect(problemsOf(changed).join()).toMatch(said);
  });

  test('sockets, hosts and IPv6 are nodes', () => {
    expect(problemsOf({ nodes: ['/a.sock', 'lb-1.example.com:9999', '[::1]:9999', '127.0.0.1:1'] })).toEqual([]);
  });
});

describe('the names of servers', () => {
  const versionOf = (template: string, server: string) => parseServerNames(template).names?.versionOf(server);

  test.each([
    ['{{version}}', 'v42', 'v42'],
    ['scorer-{{version}}', 'scorer-v42.1', 'v42.1'],
    ['scorer-{{version}}', 'other-v42', null],
    ['{{version}}-*', 'v42-1', 'v42'],
    ['{{version}}-*', 'v42-rc1-2', 'v42-rc1'],
    ['{{version}}-*', 'v42', null],
    ['a.{{version}}', 'aXv42', null],
  ])('%s: %s is of %s', (template, server, version) => {
    expect(versionOf(template, server)).toBe(version);
  });

  test.each(['v42; set weight a/b 0', 'v 42', 'models/v42', 'v42\nquit', ''])('%j is in no name', (version) => {
    expect(canBeNamed(version)).toBe(false);
  });
});

describe('weights', () => {
  const shareOf = (weights: { candidate: number; stable: number }, counts = { candidate: 1, stable: 1 }) =>
    (100 * weights.candidate * counts.candidate) /
    (weights.candidate * counts.candidate + weights.stable * counts.stable);

  test('whole per cents are exact and read as what they are', () => {
    for (let percent = 0; percent <= 100; percent += 1) {
      expect(weightsFor(percent, { candidate: 1, stable: 1 })).toEqual({ candidate: percent, stable: 100 - percent });
      for (const count of [2, 3, 7]) {
        expect(shareOf(weightsFor(percent, { candidate: count, stable: count }))).toBeCloseTo(percent, 9);
      }
    }
  });

  test('any exposure, any number of servers: whole weights HAProxy takes, nobody left out between the ends', () => {
    const count = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 99.99, noNaN: true }), count, count, (percent, candidate, stable) => {
        const weights = weightsFor(percent, { candidate, stable });
        for (const weight of Object.values(weights)) {
          expect(Number.isInteger(weight) && weight >= 1 && weight <= 256).toBe(true);
        }
        // As near as the least weight lets it be.
        const least = shareOf({ candidate: 1, stable: 256 }, { candidate, stable });
        const most = shareOf({ candidate: 256, stable: 1 }, { candidate, stable });
        const reachable = Math.min(most, Math.max(least, percent));
        expect(Math.abs(shareOf(weights, { candidate, stable }) - reachable)).toBeLessThan(0.5);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test('nothing and everything are said only of nothing and everything', () => {
    expect([0, 0.0001, 1 / 3, 0.9999, 1].map(percentOf)).toEqual([0, 0.1, 33.3, 99.9, 100]);
  });
});

describe('which is stable and which the candidate', () => {
  const naming = { backend: 'scorers', names: parseServerNames('{{version}}').names ?? raise(), minimumUp: 80 };
  const node = (weights: Record<string, number>, changed: Partial<NodeState> = {}): NodeState => ({
    node: '10.0.0.1:9999',
    pid: 7,
    uptimeSeconds: 5_000,
    algorithm: 'roundrobin',
    servers: Object.entries(weights).map(([name, weight]) => {
      return { name, weight, initialWeight: 1, isOut: false, isUp: true, status: 'UP' };
    }),
    ...changed,
  });
  const view = (weights: Record<string, number>, asked: string[]) => {
    const { stable, candidate, exposurePercent } = viewOf([node(weights)], naming, asked);
    return [stable, candidate, exposurePercent];
  };

  test.each([
    // A start asks about its candidate alone.
    [{ v41: 100, v42: 0 }, ['v42'], ['v41', 'v42', 0]],
    [{ v41: 90, v42: 10 }, ['v42'], ['v41', 'v42', 10]],
    [{ v41: 0, v42: 100 }, ['v42'], [null, 'v42', 100]],
    [{ v41: 0, v42: 100, v43: 0 }, ['v43'], ['v42', 'v43', 0]],
    [{ v40: 30, v41: 70, v42: 0 }, ['v42'], ['v41', 'v40', 30]],
    // A shift asks about both.
    [{ v41: 0, v42: 100 }, ['v41', 'v42'], ['v41', 'v42', 100]],
    [{ v41: 0, v42: 100 }, ['v42', 'v41'], ['v42', 'v41', 0]],
    [{ v40: 100, v41: 0, v42: 0 }, ['v41', 'v42'], ['v40', 'v42', 0]],
    [{ v40: 50, v41: 50, v42: 0 }, ['v41', 'v42'], ['v41', 'v40', 50]],
    [{ v40: 10, v41: 80, v42: 10 }, ['v41', 'v42'], [null, null, null]],
    [{ v41: 0, v42: 0 }, ['v41', 'v42'], [null, null, null]],
    // Nobody is named: what serves most is stable.
    [{ v41: 100, v42: 0 }, [], ['v41', null, 0]],
    [{ v41: 30, v42: 70 }, [], ['v42', 'v41', 30]],
  ] as const)('weights %j, asked about %j: %j', (weights, asked, expected) => {
    expect(view(weights, [...asked])).toEqual(expected);
  });

  test('only the split that is meant is ever taken for being in force', () => {
    const weight = fc.constantFrom(0, 10, 50, 90, 100);
    fc.assert(
      fc.property(weight, weight, weight, fc.constantFrom(0, 10, 50, 90, 100), (v40, v41, v42, exposurePercent) => {
        const split = { stable: 'v41', candidate: 'v42', exposurePercent };
        const observed = viewOf([node({ v40, v41, v42 })], naming, ['v41', 'v42']);
        const is = v40 === 0 && v41 + v42 > 0 && Math.abs((100 * v42) / (v41 + v42) - exposurePercent) < 0.01;
        const near = v40 === 0 && v41 + v42 > 0 && Math.abs((100 * v42) / (v41 + v42) - exposurePercent) <= 0.5;
        if (is) expect(isInForce(observed, split)).toBe(true);
        if (!near) expect(isInForce(observed, split)).toBe(false);
      }),
      { seed: 7, numRuns: 800 },
    );
  });

  test('nodes that do not agree have no exposure, and it is said which has what', () => {
    const nodes = [node({ v41: 90, v42: 10 }), node({ v41: 100, v42: 0 }, { node: '10.0.0.2:9999' })];
    const observed = viewOf(nodes, naming, ['v41', 'v42']);
    expect(observed).toMatchObject({ stable: null, candidate: null, exposurePercent: null });
    expect(observed.notice).toBe(
      'The nodes of scorers do not agree: 10.0.0.1:9999 has v41 at 90 %, v42 at 10 %; 10.0.0.2:9999 has v41 at 100 %.',
    );
  });

  test('servers that people took out of service do not count, those that are down do', () => {
    const servers = node({ 'v41-1': 50, 'v41-2': 50, 'v42-1': 50, 'v42-2': 50 }).servers.map((server) => ({
      ...server,
      isOut: server.name === 'v42-2',
      isUp: server.name !== 'v41-2',
      status: server.name === 'v41-2' ? 'DOWN' : 'UP',
    }));
    const many = { ...naming, names: parseServerNames('{{version}}-*').names ?? raise() };
    const observed = viewOf([node({}, { servers })], many, ['v41', 'v42']);
    expect(observed.exposurePercent).toBe(33.3);
    expect(observed.ready).toEqual({
      v41: { ready: false, detail: '1 of 2 servers up (v41-2 DOWN)' },
      v42: { ready: true, detail: '1 of 1 server up (1 taken out of service)' },
    });
    expect(viewOf([node({}, { servers })], { ...many, minimumUp: 50 }, ['v41', 'v42']).ready.v41?.ready).toBe(true);
  });
});

function raise(): never {
  throw new Error('it is not there');
}
