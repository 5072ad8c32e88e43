import { describe, expect, it } from 'vitest';
import { base, linesOf, messagesOf, policyOf, policyText } from './support.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const bare = base.replace(/^steps:\n.*\n/m, '');

describe('the strategy of a policy', () => {
  it('is canary, or switch where the target can do nothing else', async () => {
    expect((await policyOf(policyText())).strategy).toEqual({ kind: 'canary', warmUp: null, keepMs: 0 });
    expect((await policyOf(bare)).strategy).toEqual({ kind: 'switch', warmUp: null, keepMs: 0 });
  });

  it('is said in a word; blue-green warms up and keeps the old arm as long as it is watched', async () => {
    const blueGreen = (more: string) => policyOf(policyText(`strategy: blue-green\n${more}`));
    const warmUp = { soakMs: minute, maxSoakMs: 10 * minute };
    expect((await blueGreen('')).strategy).toEqual({ kind: 'blue-green', warmUp, keepMs: day });
    expect((await blueGreen('watch: 6h\n')).strategy.keepMs).toBe(day / 4);
    expect((await policyOf(policyText('strategy: switch\n'))).strategy).toEqual({
      kind: 'switch',
      warmUp: null,
      keepMs: 0,
    });
  });

  it.each([
    ['{ kind: blue-green, warmUp: { for: 2m, within: 10m }, keepOldArm: 12h }', 'blue-green', [2, 10], day / 2],
    ['{ kind: blue-green, warmUp: { for: 5m }, keepOldArm: 0s }', 'blue-green', [5, 15], 0],
    ['{ kind: canary, warmUp: {} }', 'canary', [1, 10], 0],
    ['{ kind: switch, warmUp: { within: 1m } }', 'switch', [1, 1], 0],
    ['{ kind: canary, keepOldArm: 1d }', 'canary', null, day],
  ] as const)('%s', async (text, kind, warmUp, keepMs) => {
    const [soak, longest] = warmUp ?? [];
    expect((await policyOf(policyText(`strategy: ${text}\n`))).strategy).toEqual({
      kind,
      warmUp: warmUp && { soakMs: (soak ?? 0) * minute, maxSoakMs: (longest ?? 0) * minute },
      keepMs,
    });
  });

  it.each(['blue-green', 'switch'])('%s needs neither steps nor phases', async (kind) => {
    const whole = policyText(`strategy: ${kind}\n`);
    const policy = await policyOf(whole.replace(/^steps:\n.*\n/m, ''));
    expect(policy.steps).toEqual([{ exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }]);
    expect(policy.rollback.phases).toEqual([{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }]);
    expect(policy.steps).toEqual((await policyOf(whole)).steps);
  });

  it.each([
    [
      'strategy: blu-green\n',
      'strategy: must be canary, blue-green or switch, or a mapping with kind, is "blu-green": did you mean blue-green?',
    ],
    ['strategy: 3\n', 'strategy: must be canary, blue-green or switch, or a mapping with kind'],
    ['strategy:\n', 'strategy: has no value'],
    ['strategy: {}\n', 'strategy.kind: is missing: canary, blue-green or switch'],
    ['strategy: { kind: green }\n', /^strategy.kind: must be canary, blue-green or switch, is "green"/],
    ['strategy: { kind: canary, warmup: {} }\n', 'strategy.warmup: is not known: did you mean warmUp?'],
    [
      'strategy: { kind: canary, warmUp: { for: 5m, within: 2m } }\n',
      'strategy.warmUp.within: must be at least for (5m), is 2m',
    ],
    [
      'strategy: { kind: canary, warmUp: { within: 30s } }\n',
      'strategy.warmUp.within: must be at least for (1m by default), is 30s',
    ],
    ['strategy: { kind: canary, warmUp: { for: 0s } }\n', 'strategy.warmUp.for: must be at least 1ms, is 0s'],
    ['strategy: { kind: blue-green, keepOldArm: 5 }\n', /^strategy.keepOldArm: must be a duration .* lacks its unit/],
    [
      'strategy: blue-green\nsteps: [{ exposure: 10, soak: 1m }, { exposure: 100 }]\n',
      'steps: the strategy blue-green moves all traffic at once: give the one step { exposure: 100 }',
    ],
    ['strategy: blue-green\nsteps: [{ exposure: 50 }]\n', 'steps[0].exposure: the last step must be 100, is 50'],
    [
      'strategy: switch\nrollback: { phases: [{ exposure: 50, soak: 1m }, { exposure: 0 }] }\n',
      'rollback.phases: the strategy switch moves all traffic at once: give the one phase { exposure: 0 }',
    ],
    ['objective: best\n', /^objective: must be no-worse or better, is "best"/],
    ['objective: better\n', /^objective: better is asked at the gates before 100 %, and this policy has none/],
    ['requires: Not A Service\n', /^requires: must be the name of a service \(lower-case letters/],
    ['requires: { service: a, version: b }\n', /^requires.version: is not known/],
    ['requires: [a]\n', /^requires: must be the name of a service/],
    ['silence: { for: 0s }\n', 'silence.for: must be at least 1ms, is 0s'],
    ['silence: {}\n', 'silence.for: is missing'],
    ['silence: 30m\n', 'silence: must be a mapping (key: value), is a text'],
  ])('%j is refused', async (text, expected) => {
    expect(await messagesOf(policyText(text))).toEqual([
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });

  it('canary is refused where the target can only switch, with its place', async () => {
    const words =
      'a target of kind alias switches all traffic at once, so it cannot go by steps: use switch or blue-green';
    expect(await linesOf(`${base}strategy: canary\n`)).toEqual([`15:11 strategy: ${words}`]);
    expect(await linesOf(`${base}strategy: { kind: canary }\n`)).toEqual([`15:19 strategy.kind: ${words}`]);
    expect((await policyOf(`${base}strategy: blue-green\n`)).strategy.kind).toBe('blue-green');
  });

  it('canary needs its steps', async () => {
    expect(await messagesOf(policyText('strategy: canary\n').replace(/^steps:\n.*\n/m, ''))).toEqual([
      'steps: is missing: the way forward, such as - { exposure: 10, soak: 10m } and - { exposure: 100 }',
    ]);
  });
});

describe('objective, requirement and silence', () => {
  it('are read, the requirement in a word or as a mapping', async () => {
    const more = 'steps: [{ exposure: 10, soak: 1m }, { exposure: 100 }]\nobjective: better\nsilence: { for: 30m }\n';
    const policy = await policyOf(policyText(`${more}requires: staging\n`));
    expect(policy).toMatchObject({
      objective: 'better',
      silence: { forMs: 30 * minute },
      requires: { service: 'staging' },
    });
    expect((await policyOf(policyText(`requires: { service: staging }\n`))).requires).toEqual({ service: 'staging' });
  });
});
