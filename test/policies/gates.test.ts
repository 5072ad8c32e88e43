import { describe, expect, it } from 'vitest';
import { linesOf, messagesOf, policyOf, policyText } from './support.ts';

const metrics = `metrics:
  - { name: errors, kind: proportion, bad: 'x{v="{{version}}"}', total: 'y{v="{{version}}"}' }
  - { name: conversion, kind: proportion, good: 'x{v="{{arm}}"}', total: 'y{v="{{arm}}"}' }
  - { name: revenue, kind: gauge, value: sum(money), direction: higher-is-better }
  - { name: memory, kind: limit, value: max(bytes), limit: 4e9, direction: lower-is-better }
  - { name: psi, kind: drift, score: psi, limit: 0.2 }
  - { name: split, kind: split, requests: 'x{v="{{arm}}"}' }
`;
const threeSteps = `steps:
  - { exposure: 0, soak: 1h, maxSoak: 4h, gate: shadow-check }
  - { exposure: 50, soak: 24h, gate: experiment }
  - { exposure: 100 }
`;
const gates = `gates:
  shadow-check: { kind: shadow, metrics: [errors] }
  experiment: { kind: ab, objective: better, metrics: [conversion] }
`;
/** A policy with these gates, and a step below 100 % that asks for one of them. */
const withGate = (gate: string, step = '{ exposure: 50, soak: 1h, gate: g }', more = '') =>
  policyText(`${metrics}gates: { g: ${gate} }\nsteps: [${step}, { exposure: 100 }]\n${more}`);

describe('a gate of the policy', () => {
  it('is put into the steps that name it; others ask for the objective over all metrics', async () => {
    const policy = await policyOf(policyText(metrics + gates + threeSteps));
    expect(policy.steps.map(({ exposurePercent, gate }) => [exposurePercent, gate])).toEqual([
      [0, { name: 'shadow-check', kind: 'shadow', objective: 'no-worse', metrics: ['errors'] }],
      [50, { name: 'experiment', kind: 'ab', objective: 'better', metrics: ['conversion'] }],
      [100, undefined],
    ]);
    expect(policy.steps[2]).not.toHaveProperty('gate');
  });

  it('has the policy’s objective and all metrics where it says neither', async () => {
    const policy = await policyOf(withGate('{ kind: comparison }', undefined, 'objective: better\n'));
    expect(policy.steps[0]?.gate).toEqual({ name: 'g', kind: 'comparison', objective: 'better', metrics: [] });
    const own = await policyOf(withGate('{ kind: comparison, objective: no-worse }', undefined, 'objective: better\n'));
    expect(own.steps[0]?.gate?.objective).toBe('no-worse');
  });

  it('in shadow is no phase of the way back', async () => {
    const { rollback } = await policyOf(policyText(metrics + gates + threeSteps));
    expect(rollback.phases.map(({ exposurePercent }) => exposurePercent)).toEqual([50, 0]);
  });

  it('may be there for nobody: templates have some for several services', async () => {
    const policy = await policyOf(policyText(metrics + gates));
    expect(policy.steps.every(({ gate }) => gate === undefined)).toBe(true);
  });
});

const step = (text: string) => policyText(`${metrics}${gates}steps: [${text}, { exposure: 100 }]\n`);
describe('what is wrong with a gate', () => {
  it.each([
    [
      'no gate of that name',
      step('{ exposure: 50, soak: 1h, gate: experimnt }'),
      'steps[0].gate: there is no gate experimnt: did you mean experiment?',
    ],
    [
      'a name that is nobody’s',
      step('{ exposure: 50, soak: 1h, gate: quality }'),
      'steps[0].gate: there is no gate quality: there is shadow-check or experiment',
    ],
    [
      'a policy without gates',
      policyText('steps: [{ exposure: 5, soak: 1h, gate: quality }, { exposure: 100 }]\n'),
      'steps[0].gate: there is no gate quality: the policy has no gates',
    ],
    [
      'a name that every object has',
      policyText('steps: [{ exposure: 5, soak: 1h, gate: constructor }, { exposure: 100 }]\n'),
      'steps[0].gate: there is no gate constructor: the policy has no gates',
    ],
    [
      'a shadow with traffic',
      step('{ exposure: 5, soak: 1h, gate: shadow-check }'),
      'steps[0].gate: shadow-check is a shadow gate, at which the candidate answers nobody: it stands at exposure 0, in the first step',
    ],
    [
      'no traffic and another gate',
      step('{ exposure: 0, soak: 1h, gate: experiment }'),
      'steps[0].exposure: must be more than 0: a rollout begins at 0 by itself (only a step with a gate of kind shadow stands there)',
    ],
    [
      'a shadow later on',
      step('{ exposure: 5, soak: 1h }, { exposure: 0, soak: 1h, gate: shadow-check }'),
      'steps[1].exposure: must be more than the step before (5), is 0',
    ],
    [
      'a gate at the end',
      policyText(`${metrics}${gates}steps: [{ exposure: 100, gate: experiment }]\n`),
      'steps[0].gate: is never asked: at 100 % the rollout is watched (see watch)',
    ],
    [
      'a kind there is not',
      withGate('{ kind: canary }'),
      /^gates.g.kind: must be comparison, shadow or ab, is "canary"/,
    ],
    ['no kind', withGate('{ metrics: [errors] }'), 'gates.g.kind: is missing: comparison, shadow or ab'],
    [
      'a key nobody knows',
      withGate('{ kind: ab, metric: [errors] }'),
      'gates.g.metric: is not known: did you mean metrics?',
    ],
    [
      'no metrics',
      withGate('{ kind: ab, metrics: [] }'),
      'gates.g.metrics: must name a metric: left out, the gate asks for all of them',
    ],
    [
      'a metric twice',
      withGate('{ kind: ab, metrics: [errors, errors] }'),
      'gates.g.metrics[1]: errors is named twice',
    ],
    [
      'a metric there is not',
      withGate('{ kind: ab, metrics: [eror] }'),
      'gates.g.metrics[0]: there is no metric eror: did you mean errors?',
    ],
    [
      'a metric without weight',
      withGate('{ kind: comparison, metrics: [psi] }'),
      'gates.g.metrics[0]: psi is drift, which warns and decides nothing: a gate cannot ask for it',
    ],
    [
      'one series for two arms',
      withGate('{ kind: ab, metrics: [revenue] }'),
      'gates.g.metrics[0]: revenue names neither {{version}} nor {{arm}}: an A/B gate cannot tell the arms apart by it',
    ],
    [
      'one series in shadow',
      withGate('{ kind: shadow, metrics: [revenue] }', '{ exposure: 0, soak: 1h, gate: g }'),
      'gates.g.metrics[0]: revenue names neither {{version}} nor {{arm}}: a shadow gate cannot tell the arms apart by it',
    ],
    [
      'a split of copies',
      withGate('{ kind: shadow, metrics: [split] }', '{ exposure: 0, soak: 1h, gate: g }'),
      'gates.g.metrics[0]: split is a split, and copies are no split of the traffic: a shadow gate cannot ask for it',
    ],
    [
      'better than a limit',
      withGate('{ kind: comparison, objective: better, metrics: [memory] }'),
      'gates.g.objective: no metric of kind limit can be better than stable: name one that is compared',
    ],
    [
      'better, of a metric that has no kind yet',
      withGate('{ kind: comparison, objective: better, metrics: [memory] }').replace('kind: limit', 'kind: 7'),
      /^metrics\[\d+\]\.kind: /,
    ],
    [
      'a gate with an odd name',
      policyText(`${metrics}gates: { "a b": { kind: comparison } }\n`),
      /^gates\["a b"\]: must be the name of a gate: letters, digits/,
    ],
    [
      'a shadow before a switch',
      policyText(
        `strategy: blue-green\n${metrics}gates: { g: { kind: shadow } }\nsteps: [{ exposure: 0, soak: 1h, gate: g }, { exposure: 100 }]\n`,
      ),
      'steps: the strategy blue-green moves all traffic at once: it cannot have a shadow step; give the one step { exposure: 100 }',
    ],
    [
      'a gate on the way back',
      policyText(`${gates}${metrics}rollback: { phases: [{ exposure: 0, gate: experiment }] }\n`),
      'rollback.phases[0].gate: is not known here: it belongs into steps',
    ],
  ])('%s', async (_, text, expected) => {
    expect(await messagesOf(text)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('is an A/B without a split, with its place', async () => {
    const text = policyText(`${metrics.replace(/^.*kind: split.*\n/m, '')}gates:\n  g: { kind: ab }\n`);
    const line = text.split('\n').indexOf('  g: { kind: ab }') + 1;
    expect(await linesOf(text)).toEqual([
      `${line}:14 gates.g.kind: an A/B gate needs a metric of kind split: without it nobody sees that the arms do not get what they should`,
    ]);
  });

  it('is not that a whole-service limit guards an A/B, nor that a comparison is of one series', async () => {
    await policyOf(withGate('{ kind: ab, metrics: [conversion, memory] }'));
    await policyOf(withGate('{ kind: comparison, metrics: [revenue] }'));
  });
});
