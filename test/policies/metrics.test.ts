import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/analysis/types.ts';
import { parsePolicy } from '../../src/policies/index.ts';
import { linesOf, messagesOf, policyOf, policyText, secrets, targets } from './support.ts';

const hour = 3_600_000;
const withMetrics = (...lines: string[]) => policyText(`metrics:\n${lines.map((line) => `  - ${line}\n`).join('')}`);
/** Reads one metric; a second one decides where it does not. */
const deciding = `{ name: other, kind: proportion, bad: 'x{v="{{arm}}"}', total: 'y{v="{{arm}}"}' }`;
async function metricOf(text: string): Promise<Metric> {
  const [metric] = (await policyOf(withMetrics(text, deciding))).metrics;
  if (!metric) throw new Error('there is no metric');
  return metric;
}
/** What is wrong with a metric, its own place taken off. */
async function refusalsOf(text: string): Promise<string[]> {
  const messages = await messagesOf(withMetrics(text, deciding));
  return messages.map((message) => message.replace(/^metrics\[0\]\.?/, ''));
}

const arm = (name: string) => `'${name}{v="{{arm}}"}'`;
const of = (name: string) => `${name}{v="{{arm}}"}`;
const [tp, fp, fn, tn] = ['tp', 'fp', 'fn', 'tn'].map(of);
const confusion = {
  truePositives: `truePositives: ${arm('tp')}`,
  falsePositives: `falsePositives: ${arm('fp')}`,
  falseNegatives: `falseNegatives: ${arm('fn')}`,
  trueNegatives: `trueNegatives: ${arm('tn')}`,
};
const { truePositives, falsePositives, falseNegatives, trueNegatives } = confusion;
const labelled = (measure: string, ...more: string[]) =>
  `{ name: m, kind: labelled, measure: ${measure}, ${more.join(', ')} }`;

describe('a labelled metric', () => {
  it.each([
    ['accuracy', [truePositives, falsePositives, falseNegatives, trueNegatives], [tp, fp, fn, tn]],
    ['precision', [truePositives, falsePositives], [tp, fp, null, null]],
    ['recall', [truePositives, falseNegatives], [tp, null, fn, null]],
    ['f1', [truePositives, falsePositives, falseNegatives], [tp, fp, fn, null]],
  ])('of %s takes the counters it is made of', async (measure, given, counters) => {
    const metric = await metricOf(labelled(measure, ...given, 'labelDelay: 1h'));
    const [truePositive, falsePositive, falseNegative, trueNegative] = counters;
    expect(metric).toMatchObject({
      source: {
        kind: 'labelled',
        measure,
        truePositives: truePositive,
        falsePositives: falsePositive,
        falseNegatives: falseNegative,
        trueNegatives: trueNegative,
      },
      direction: 'higher-is-better',
      unit: '%',
      minimumSamples: 100,
      labelDelayMs: hour,
      tolerance: { relative: 0.25 },
    });
  });

  it.each([
    ['recall', [truePositives], 'falseNegatives: is missing: recall is made of truePositives, falseNegatives'],
    ['recall', [falseNegatives], 'truePositives: is missing'],
    [
      'precision',
      [truePositives, falsePositives, trueNegatives],
      'trueNegatives: is no part of precision, which is made of truePositives, falsePositives: leave it out',
    ],
    ['f1', [truePositives, falsePositives], /^falseNegatives: is missing: f1 is made of/],
    [
      'acuracy',
      [truePositives],
      'measure: must be accuracy, precision, recall or f1, is "acuracy": did you mean accuracy?',
    ],
    [
      'precision',
      [truePositives, falsePositives, 'direction: lower-is-better'],
      'direction: a measure of right answers is always higher-is-better: leave it out',
    ],
    ['precision', [truePositives, falsePositives, 'critical: 70'], 'critical: 70 means 7000 %: write 70%'],
    [
      'precision',
      [truePositives, falsePositives, 'labelDelay: 60'],
      /^labelDelay: must be a duration .* lacks its unit/,
    ],
  ])('of %s with %j is refused', async (measure, given, expected) => {
    expect(await refusalsOf(labelled(measure, ...given))).toEqual([
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });
});

describe('a drift', () => {
  it('is told from bins, and decides nothing', async () => {
    const policy = await policyOf(
      withMetrics(
        `{ name: amount-drift, kind: drift, counts: ${arm('x')}, by: bin, baseline: yesterday }`,
        deciding,
        deciding.replace('other', 'more'),
      ),
    );
    expect(policy.metrics.map(({ weight }) => weight)).toEqual([0, 0.5, 0.5]);
    expect(policy.metrics[0]).toMatchObject({
      title: 'Amount drift',
      source: { kind: 'drift', counts: of('x'), by: 'bin' },
      baseline: { kind: 'offset', offsetMs: 24 * hour },
      minimumSamples: 100,
      tolerance: { relative: null, absolute: null },
    });
  });

  it('is told from a score, whatever PromQL it is, also one for the whole service', async () => {
    const metric = await metricOf(`{ name: psi, kind: drift, score: 'max(feature_psi{feature="a"})', limit: 0.25 }`);
    expect(metric).toMatchObject({
      source: { kind: 'drift-score', value: 'max(feature_psi{feature="a"})', limit: 0.25 },
      direction: 'lower-is-better',
      minimumSamples: 6,
      weight: 0,
    });
    expect(metric.arms).toBeUndefined();
    const p = await metricOf(`{ name: p, kind: drift, score: p_value, limit: 0.01, direction: higher-is-better }`);
    expect(p.direction).toBe('higher-is-better');
  });

  it.each([
    ['', 'a drift needs counts and by (a counter of every bin), or score and limit (a number that is there)'],
    [`counts: ${arm('x')}`, 'by: is missing: the label that tells the bins apart, such as bin'],
    ['by: bin', 'counts: is missing: the counter that has a series for every bin'],
    [`counts: ${arm('x')}, by: "a b"`, 'by: must be the name of a label, such as bin, is "a b"'],
    [`counts: ${arm('x')}, by: bin, limit: 0.2`, 'limit: belongs to score: bins have a limit of their own (PSI)'],
    [
      `counts: ${arm('x')}, by: bin, direction: lower-is-better`,
      'direction: a distribution is the same or another: leave it out',
    ],
    [`counts: ${arm('x')}, by: bin, score: s`, 'score: give either counts (with by) or score (with limit), not both'],
    [`score: ${arm('x')}`, 'limit: is missing: the score from which on it has drifted, such as 0.25 for a PSI'],
    [`score: ${arm('x')}, limit: 1, by: bin`, 'by: belongs to counts: a score is one number'],
    [`score: ${arm('x')}, limit: 1, baseline: yesterday`, 'baseline: a score is held against its limit: leave it out'],
    [`score: ${arm('x')}, limit: 1, weight: 2`, 'weight: has no place here: drift warns and decides nothing'],
    [`score: ${arm('x')}, limit: 1, critical: 2`, /^critical: has no place here: drift warns/],
    [`score: ${arm('x')}, limit: 1, tolerance: { relative: 10% }`, /^tolerance: has no place here/],
    [`counts: 'rate(x{v="{{arm}}"}[5m])', by: bin`, /^counts: must be a plain selector of raw counters/],
  ])('with %j is refused', async (given, expected) => {
    const [first] = await refusalsOf(`{ name: d, kind: drift${given && `, ${given}`} }`);
    expect(first?.replace(/^: /, '')).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  it('cannot be all that a policy has', async () => {
    const alone = withMetrics(`{ name: d, kind: drift, score: ${arm('x')}, limit: 1 }`);
    expect(await messagesOf(alone)).toEqual([
      'metrics: must have at least one metric that decides: drift only warns, and a split is only a condition',
    ]);
  });
});

describe('limits, objectives and the split', () => {
  it('a limit is a value and a number it must not pass', async () => {
    const value = `'sum(memory{pod=~"x-{{version}}-.*"})'`;
    const metric = await metricOf(
      `{ name: memory, kind: limit, value: ${value}, limit: 4e9, direction: lower-is-better }`,
    );
    expect(metric).toMatchObject({
      source: { kind: 'limit', limit: 4_000_000_000 },
      direction: 'lower-is-better',
      minimumSamples: 6,
      weight: 0.5,
    });
    expect(metric.baseline).toBeUndefined();
  });

  it.each([
    ['objective: 99.9%', 0.001],
    ['objective: 0.999', 0.001],
    ['objective: 99.95%', 0.0005],
    ['allowed: 2%', 0.02],
    ['allowed: 0.02', 0.02],
  ])('an objective of %s allows %d', async (given, allowed) => {
    const good = await metricOf(`{ name: o, kind: objective, good: ${arm('x')}, total: ${arm('y')}, ${given} }`);
    expect(good).toMatchObject({
      source: { kind: 'objective', good: of('x'), bad: null, total: of('y'), allowed },
      direction: 'higher-is-better',
    });
    const bad = await metricOf(`{ name: o, kind: objective, bad: ${arm('x')}, total: ${arm('y')}, ${given} }`);
    expect(bad).toMatchObject({ source: { bad: of('x'), good: null, allowed }, direction: 'lower-is-better' });
  });

  it('a split is a condition: it takes next to none of the evidence', async () => {
    const split = await metricOf(`{ name: s, kind: split, requests: ${arm('x')} }`);
    expect(split.source).toEqual({ kind: 'split', requests: of('x'), slack: 0.1 });
    expect(split.weight).toBeCloseTo(0.05 / 1.05);
    const strict = await metricOf(`{ name: s, kind: split, requests: ${arm('x')}, slack: 2%, weight: 1 }`);
    expect(strict).toMatchObject({ source: { slack: 0.02 }, weight: 0.5 });
  });

  const objective = (given: string) =>
    `{ name: o, kind: objective, good: ${arm('x')}, total: ${arm('y')}${given && `, ${given}`} }`;
  it.each([
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 1 }`,
      'direction: must be said for a limit: lower-is-better or higher-is-better',
    ],
    ['limit', `{ name: l, kind: limit, value: x, direction: lower-is-better }`, 'limit: is missing'],
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 4GB, direction: lower-is-better }`,
      /^limit: must be a number, or a percentage .* is "4GB"/,
    ],
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 1, direction: lower-is-better, baseline: yesterday }`,
      'baseline: is held against its limit, not against a baseline: leave it out',
    ],
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 1, direction: lower-is-better, tolerance: { relative: 1% } }`,
      'tolerance: is held against its limit: there is no tolerance besides',
    ],
    ['objective', objective(''), 'an objective needs objective (99.9% must be good) or allowed (0.1% may be bad)'],
    ['objective', objective('objective: 99.9'), 'objective: 99.9 means 9990 %: write 99.9%'],
    ['objective', objective('objective: 100%'), 'objective: must be less than 100%, or not one event may be bad'],
    ['objective', objective('objective: 0'), 'objective: must be more than 0'],
    [
      'objective',
      objective('objective: 0.1%'),
      'objective: says how much must be good: for how much may be bad write allowed: 0.1%',
    ],
    [
      'objective',
      objective('allowed: 99.9%'),
      'allowed: says how much may be bad: for how much must be good write objective: 99.9%',
    ],
    ['objective', objective('allowed: 1%, objective: 99%'), 'allowed: give either objective or allowed, not both'],
    ['objective', objective(`bad: ${arm('x')}, allowed: 1%`), 'good: give either bad or good, not both'],
    [
      'objective',
      objective('allowed: 1%, direction: lower-is-better'),
      'direction: an objective of good events is always higher-is-better: leave it out',
    ],
    ['objective', objective('allowed: 1%, baseline: stable'), /^baseline: is held against its objective/],
    [
      'split',
      `{ name: s, kind: split, requests: x }`,
      'requests: must contain {{version}} or {{arm}}: a split is about what each arm gets',
    ],
    ['split', `{ name: s, kind: split, requests: ${arm('x')}, slack: 10 }`, 'slack: 10 means 1000 %: write 10%'],
    [
      'split',
      `{ name: s, kind: split, requests: ${arm('x')}, direction: lower-is-better }`,
      'direction: a split is right or wrong: leave it out',
    ],
    [
      'split',
      `{ name: s, kind: split, requests: ${arm('x')}, critical: 1 }`,
      /^critical: has no place here: a wrong split/,
    ],
    [
      'split',
      `{ name: s, kind: split, requests: ${arm('x')}, baseline: stable }`,
      /^baseline: is held against the configured split/,
    ],
    [
      'split',
      `{ name: s, kind: split, requests: ${arm('x')}, slack: 100% }`,
      'slack: must be less than 100%, or no split would be a wrong one',
    ],
    ['split', `{ name: s, kind: split, requests: ${arm('x')}, weight: 5000 }`, /^weight: must be at most 1000/],
    [
      'objective',
      objective('objective: 99.9%, critical: 99.95%'),
      'critical: must be below what the objective asks for (99.9%), or it would be beyond discussion while all is well',
    ],
    [
      'objective',
      `{ name: o, kind: objective, bad: ${arm('x')}, total: ${arm('y')}, allowed: 2%, critical: 1% }`,
      /^critical: must be above what the objective asks for \(2%\)/,
    ],
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 4, critical: 3, direction: lower-is-better }`,
      /^critical: must be above limit/,
    ],
    [
      'limit',
      `{ name: l, kind: limit, value: x, limit: 4, critical: 5, direction: higher-is-better }`,
      /^critical: must be below limit/,
    ],
  ])('a %s as %s is refused', async (_, text, expected) => {
    const [first, ...others] = await refusalsOf(text);
    expect(first?.replace(/^: /, '')).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
    expect(others).toEqual([]);
  });
});

describe('what a metric is held against', () => {
  const proportion = (given: string, which = 'bad') =>
    `{ name: p, kind: proportion, ${which}: ${arm('x')}, total: ${arm('y')}, ${given} }`;
  const rate = (given: string) => `{ name: r, kind: rate, events: ${arm('x')}, ${given} }`;
  it.each([
    ['stable', proportion('baseline: stable'), { kind: 'stable' }],
    ['yesterday', proportion('baseline: yesterday'), { kind: 'offset', offsetMs: 24 * hour }],
    ['last week', rate('baseline: last-week'), { kind: 'offset', offsetMs: 168 * hour }],
    ['three days ago', rate('baseline: { offset: 3d }'), { kind: 'offset', offsetMs: 72 * hour }],
    [
      'known bad ones',
      proportion('baseline: { bad: 120, total: 10000 }'),
      { kind: 'fixed', events: 120, exposure: 10_000 },
    ],
    [
      'known good ones',
      proportion('baseline: { good: 9880, total: 10000 }', 'good'),
      { kind: 'fixed', events: 120, exposure: 10_000 },
    ],
    [
      'a known rate',
      rate('baseline: { events: 120, exposure: 10000 }'),
      { kind: 'fixed', events: 120, exposure: 10_000 },
    ],
    [
      'a known recall',
      labelled('recall', truePositives, falseNegatives, 'baseline: { truePositives: 930, falseNegatives: 70 }'),
      { kind: 'fixed', events: 70, exposure: 1000 },
    ],
    [
      'a known F1',
      labelled(
        'f1',
        truePositives,
        falsePositives,
        falseNegatives,
        'baseline: { truePositives: 90, falsePositives: 10, falseNegatives: 20 }',
      ),
      { kind: 'fixed', events: 30, exposure: 210 },
    ],
    [
      'a known accuracy',
      labelled(
        'accuracy',
        ...Object.values(confusion),
        'baseline: { truePositives: 90, falsePositives: 10, falseNegatives: 20, trueNegatives: 80 }',
      ),
      { kind: 'fixed', events: 30, exposure: 200 },
    ],
    [
      'a known precision',
      labelled('precision', truePositives, falsePositives, 'baseline: { truePositives: 90, falsePositives: 10 }'),
      { kind: 'fixed', events: 10, exposure: 100 },
    ],
  ])('%s', async (_, text, expected) => {
    expect((await metricOf(text)).baseline).toEqual(expected);
  });

  it('is the other arm where nothing is said', async () => {
    expect(await metricOf(deciding.replace('other', 'p'))).not.toHaveProperty('baseline');
  });

  it.each([
    [proportion('baseline: yesteday'), /^baseline: must be stable, yesterday, last-week, .* is "yesteday"/],
    [proportion('baseline: { offset: 3 }'), /^baseline.offset: must be a duration .* lacks its unit/],
    [
      proportion('baseline: { offset: 3d, bad: 1 }'),
      'baseline.bad: give either offset or totals that are known, not both',
    ],
    [proportion('baseline: { bad: 120 }'), 'baseline.total: is missing: known totals of this metric are bad, total'],
    [proportion('baseline: { bad: 120, total: 10 }'), 'baseline.bad: must not be more than total (10), is 120'],
    [proportion('baseline: { bad: 0, total: 0 }'), 'baseline.total: must be more than 0'],
    [proportion('baseline: { bad: -1, total: 10 }'), 'baseline.bad: must not be negative'],
    [
      rate('baseline: { events: 1, exposure: 2, total: 2 }'),
      'baseline.total: has no place here: known totals of this metric are events, exposure',
    ],
    [
      labelled('recall', truePositives, falseNegatives, 'baseline: { truePositives: 0, falseNegatives: 0 }'),
      'baseline: must count something: truePositives or falseNegatives has to be more than 0',
    ],
    [
      `{ name: g, kind: gauge, value: ${arm('x')}, direction: lower-is-better, baseline: { events: 1, exposure: 2 } }`,
      'baseline: totals that are known are for kinds proportion, labelled and rate; this one takes stable, yesterday, last-week or { offset: 3d }',
    ],
    [
      `{ name: p, kind: proportion, bad: x, total: y, baseline: stable }`,
      'baseline: no selector names {{version}} or {{arm}}, so there is no stable beside it: leave it out, or say yesterday or last-week',
    ],
  ])('%s is refused', async (text, expected) => {
    expect(await refusalsOf(text)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });
});

describe('the past of the whole service', () => {
  const narrow = `kind: proportion, bad: 'x{pod=~"p-{{version}}-.*"}', total: 'y{version="{{version}}"}'`;
  // Two quotes are one in a YAML text in single quotes.
  const wide = `kind: proportion, bad: 'x{version=~"{{version}}"}', total: 'y{version = ''{{ version }}'',arm="{{arm}}"}'`;
  const words =
    'needs the whole service\'s past, whichever version ran then: in bad, {{version}} (or {{arm}}) must be all of a label\'s value, as in version="{{version}}"';
  it.each(['yesterday', 'last-week', '{ offset: 2d }'])(
    'as of %s is not to be had of one version',
    async (baseline) => {
      expect(await refusalsOf(`{ name: p, ${narrow}, baseline: ${baseline} }`)).toEqual([`baseline: ${words}`]);
      expect(await refusalsOf(`{ name: p, ${wide}, baseline: ${baseline} }`)).toEqual([]);
    },
  );
  it('is needed to learn from, and for nothing else', async () => {
    expect(await refusalsOf(`{ name: p, ${narrow}, tolerance: { fromHistory: true } }`)).toEqual([
      `tolerance.fromHistory: ${words}`,
    ]);
    expect(await refusalsOf(`{ name: p, ${wide}, tolerance: { fromHistory: true } }`)).toEqual([]);
    expect(await refusalsOf(`{ name: p, ${narrow} }`)).toEqual([]);
  });
});

describe('tolerance from history', () => {
  it.each([
    ['{ relative: 10%, fromHistory: true }', { relative: 0.1, absolute: null, healthyRatio: 1.5, fromHistory: true }],
    // Something has to hold until there is a history.
    ['{ absolute: 1%, fromHistory: true }', { relative: 0.25, absolute: 0.01, healthyRatio: 1.5, fromHistory: true }],
    ['{ fromHistory: false }', { relative: 0.25, absolute: null, healthyRatio: 1.5 }],
  ])('%s', async (given, expected) => {
    const metric = await metricOf(
      `{ name: p, kind: proportion, bad: ${arm('x')}, total: ${arm('y')}, tolerance: ${given} }`,
    );
    expect(metric.tolerance).toEqual(expected);
  });

  it('is refused for a gauge', async () => {
    const text = `{ name: g, kind: gauge, value: ${arm('x')}, direction: lower-is-better, tolerance: { fromHistory: true } }`;
    expect(await refusalsOf(text)).toEqual([
      'tolerance.fromHistory: is learned from counts: proportion, labelled, rate and latency have it, a gauge does not',
    ]);
  });
});

describe('how many arms a metric has', () => {
  it.each([
    ['two', deciding.replace('other', 'a'), undefined],
    ['one', `{ name: a, kind: proportion, bad: 'x{code="500"}', total: x }`, 'one'],
    ['one', `{ name: a, kind: latency, buckets: x_bucket }`, 'one'],
    ['one', `{ name: a, kind: gauge, value: 'sum(x)', direction: lower-is-better }`, 'one'],
    ['one', `{ name: a, kind: drift, counts: x, by: bin }`, 'one'],
    // These are held against a number of their own, and lose nothing.
    ['no', `{ name: a, kind: limit, value: x, limit: 1, direction: lower-is-better }`, undefined],
    ['no', `{ name: a, kind: objective, bad: x, total: y, allowed: 1% }`, undefined],
  ])('%s: %s', async (_, text, arms) => {
    expect((await metricOf(text)).arms).toBe(arms);
  });

  it('a gauge may come late', async () => {
    const text = `{ name: g, kind: gauge, value: ${arm('x')}, direction: lower-is-better, labelDelay: 5m }`;
    expect((await metricOf(text)).labelDelayMs).toBe(300_000);
  });

  it.each([
    [
      'bad: \'x{version="{{version}}"}\', total: y',
      'total: must contain {{version}} or {{arm}} as bad does, or the two would not be about the same requests',
    ],
    [`bad: 'x{version="v42"}', total: x`, /^bad: version="v42" reads one version whichever is compared/],
    [`bad: "x{arm='candidate'}", total: x`, /^bad: arm='candidate' reads one arm whichever is compared/],
  ])('%s is refused', async (given, expected) => {
    expect(await refusalsOf(`{ name: p, kind: proportion, ${given} }`)).toEqual([
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });
});

describe('what traffic is expected', () => {
  it.each([
    ['50/s', 50],
    ['600/min', 10],
    ['600 / m', 10],
    ['36/h', 0.01],
    ['0.5/s', 0.5],
  ])('%s', async (given, perSecond) => {
    const text = `${policyText()}traffic: ${given}\n`;
    const { written, place } = await parsePolicy(text, 'p.yaml', { targets, secrets });
    expect(written?.traffic).toBe(perSecond);
    expect(place(['traffic'], 'value')).toEqual({ file: 'p.yaml', line: text.split('\n').length - 1, column: 10 });
  });

  it.each([
    ['50', /^traffic: must be a number of events in a time, such as 50\/s, .*: 50 lacks its unit/],
    ['50rps', /^traffic: must be a number of events in a time.* is "50rps"/],
    ['0/s', 'traffic: must be more than 0: leave it out where it is not known'],
    ['99999999999/s', 'traffic: must be at most 1000000000/s, is "99999999999/s"'],
  ])('%s is refused', async (given, expected) => {
    expect(await messagesOf(policyText(`traffic: ${given}\n`))).toEqual([
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });
});

describe('every problem of a metric', () => {
  it('is said with its line', async () => {
    const text = `${policyText().replace(/^metrics:\n(?: .*\n)+/m, '')}metrics:
  - name: recall
    kind: labelled
    measure: recall
    truePositives: 'tp{version="{{version}}"}'
    baseline: { truePositives: 1 }
  - name: availability
    kind: objective
    good: 'x{version="{{version}}"}'
    total: 'y{version="{{version}}"}'
    objective: 99.9
    tolerence: { relative: 1% }
  - { name: psi, kind: drift, score: x, weight: 1 }
`;
    const first = text.split('\n').indexOf('metrics:') + 2;
    const lines = (await linesOf(text)).map((line) => {
      const [, at, rest = ''] = /^(\d+):\d+ (.*)$/.exec(line) ?? [];
      return `+${Number(at) - first} ${rest.split(':')[0]}`;
    });
    expect(lines).toEqual([
      '+0 metrics[0].falseNegatives',
      '+4 metrics[0].baseline.falseNegatives',
      '+9 metrics[1].objective',
      '+10 metrics[1].tolerence',
      '+11 metrics[2].limit',
      '+11 metrics[2].weight',
    ]);
  });
});
