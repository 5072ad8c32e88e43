import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { timeToNotice } from '../../src/analysis/power.ts';
import { formatWarnings, loadPolicies, validateDirectory } from '../../src/policies/index.ts';
import { changeAskedAbout } from '../../src/policies/lint-in-time.ts';
import { roughly } from '../../src/policies/lint-words.ts';
import { directoryWith, policyOf, policyText, secrets, targets } from './support.ts';

const options = { targets, secrets };
const steps = 'steps:\n  - { exposure: 10, soak: 10m, maxSoak: 30m }\n  - { exposure: 100 }\n';
const errors = (more = '') => `  - name: errors
    kind: proportion
    bad: 'errors{version="{{version}}"}'
    total: 'all{version="{{version}}"}'
${more}`;
const metrics = (more = '') => `metrics:\n${errors(more)}`;

async function warningsOf(text: string): Promise<string[]> {
  const directory = await directoryWith({ 'p.yaml': text });
  const { problems, warnings } = await loadPolicies({ ...options, directory });
  expect(problems).toEqual([]);
  return formatWarnings(warnings)
    .replaceAll(`${directory}/`, '')
    .split('\n')
    .filter((line) => line !== '');
}

/** Line of the text in which `part` stands, from 1. */
function lineOf(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}

describe('what could not be noticed at the expected traffic', () => {
  const recall = `  - name: recall
    kind: labelled
    measure: recall
    traffic: 1/s
    truePositives: 'tp{version="{{version}}"}'
    falseNegatives: 'fn{version="{{version}}"}'
    tolerance: { relative: 100% }
    expected: 10%
`;

  it('is said with its line, the change it was about, and the time it would need', async () => {
    const text = policyText(`traffic: 1000/s\n${steps}${metrics('    tolerance: { relative: 100% }\n')}${recall}`);
    const warnings = await warningsOf(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`p.yaml:${lineOf(text, 'name: recall')}:5  warning: metrics[1]: recall: `);
    expect(warnings[0]).toMatch(
      /at 1 label\/s and 10 % exposure, 3 times as many misses \(30 % instead of 10 %\) would take about [\d.]+ (min|h) to notice; the step soaks 10 min \(at most 30 min\)\./,
    );
    expect(warnings[0]).toMatch(/Soak longer, raise the exposure of the step, or tolerate more\./);
  });

  it('names the time the comparison needs', async () => {
    const text = policyText(`traffic: 50/s\n${steps}${metrics()}`);
    const policy = await policyOf(text);
    const [metric] = policy.metrics;
    if (metric === undefined) throw new Error('the policy has a metric');
    const circumstances = {
      metric,
      settings: policy.comparison,
      eventsPerSecond: 50,
      candidateShare: 0.1,
      badShare: 0.01,
    };
    const needed = timeToNotice(circumstances, 1.5);
    expect(needed?.ms).toBeGreaterThan(policy.steps[0]?.soakMs ?? 0);
    expect((await warningsOf(text))[0]).toContain(
      `1.5 times as many bad events (1.5 % instead of 1 %) would take ${roughly(needed?.ms ?? null)} to notice`,
    );
  });

  it('is said of no metric whose traffic is enough, and of none whose traffic is not known', async () => {
    const tolerant = metrics('    tolerance: { relative: 200% }\n');
    expect(await warningsOf(policyText(`traffic: 1000/s\n${steps}${tolerant}`))).toEqual([]);
    expect(await warningsOf(policyText(`traffic: 1/h\n${steps}${tolerant}`))).toHaveLength(1);
    expect(await warningsOf(policyText(`${steps}${tolerant}`))).toEqual([]);
  });

  it('names the later step that would notice it', async () => {
    const two =
      'steps:\n  - { exposure: 1, soak: 10m, maxSoak: 2h }\n  - { exposure: 50, soak: 90m, maxSoak: 2h }\n  - { exposure: 100 }\n';
    const [warning] = await warningsOf(
      policyText(`traffic: 100/s\n${two}${metrics('    tolerance: { relative: 200% }\n')}`),
    );
    expect(warning).toMatch(
      /at 100\/s and 1 % exposure, 5 times as many .* The step at 50 % would notice it in about \d+ min\./,
    );
  });

  it('does not advise to soak longer where a day would not do', async () => {
    const [warning] = await warningsOf(policyText(`traffic: 1/min\n${steps}${metrics('    minimum: 0\n')}`));
    expect(warning).toContain('would take more than a day to notice');
    expect(warning).toContain('people would be asked each time. Raise the exposure of the step, or tolerate more.');
    expect(warning).toContain('Even a candidate as good as stable would be called healthy only after more than a day');
  });

  it('takes a tenth of the requests of a latency for slow, and says so', async () => {
    const latency =
      'metrics:\n  - name: latency\n    kind: latency\n    buckets: \'b_bucket{version="{{version}}"}\'\n';
    const [warning] = await warningsOf(policyText(`traffic: 5/s\n${steps}${latency}`));
    expect(warning).toContain('1.5 times as many slow requests (15 % instead of 10 %)');
    expect(warning).toContain('(Taken for granted: a tenth of the requests is slow.)');
  });

  it('needs to be told how many events a rate has', async () => {
    const rate = (more: string) =>
      `metrics:\n  - name: sales\n    kind: rate\n    events: 's{version="{{version}}"}'\n    per: 'v{version="{{version}}"}'\n    direction: higher-is-better\n${more}`;
    expect(await warningsOf(policyText(`traffic: 5/s\n${steps}${rate('')}`))).toEqual([]);
    const [warning] = await warningsOf(policyText(`traffic: 5/s\n${steps}${rate('    expected: 0.05\n')}`));
    expect(warning).toContain("a drop to 67 % of stable's would take");
  });

  it('of an objective is about twice what is allowed', async () => {
    const objective = `metrics:\n  - name: slo\n    kind: objective\n    bad: 'e{version="{{version}}"}'\n    total: 'a{version="{{version}}"}'\n    objective: 99%\n`;
    const [warning] = await warningsOf(policyText(`traffic: 2/s\n${steps}${objective}`));
    expect(warning).toContain('2 % bad events (twice what is allowed) would take');
  });
});

describe('how long something takes', () => {
  it.each([
    [40_000, 'about 40 s'],
    [12.4 * 60_000, 'about 12 min'],
    [80 * 60_000, 'about 80 min'],
    [100 * 60_000, 'about 1.5 h'],
    [170 * 60_000, 'about 3 h'],
    [null, 'more than a day'],
  ])('%s ms is said no more exactly than it is known', (ms, words) => {
    expect(roughly(ms)).toBe(words);
  });
});

describe('the change that is asked about', () => {
  it.each([
    ['{ relative: 25% }', 0.01, 1.5],
    ['{ absolute: 0.5% }', 0.02, 1.5],
    ['{ relative: 25%, absolute: 0.5% }', 0.01, 2],
    ['{ relative: 0% }', 0.01, 1.25],
  ])('of %s is twice what is tolerated', async (tolerance, badShare, ratio) => {
    const { metrics: built } = await policyOf(policyText(metrics(`    tolerance: ${tolerance}\n`)));
    const [metric] = built;
    expect(metric && changeAskedAbout(metric, badShare)).toBeCloseTo(ratio, 9);
  });
});

describe('what could not happen at any traffic', () => {
  const withSteps = (step: string, more = '') =>
    policyText(`steps:\n  - ${step}\n  - { exposure: 100 }\n${metrics(more)}`);

  it('is a gate within a soak shorter than its warm-up and windows', async () => {
    const text = withSteps('{ exposure: 10, soak: 3m, maxSoak: 30m }');
    expect(await warningsOf(text)).toEqual([
      `p.yaml:${lineOf(text, 'exposure: 10,')}:27  warning: steps[0].soak: the warm-up (2 min) and 3 windows of 30 s take 3 min 30 s: the gate cannot be passed within the soak of 3 min, only later`,
    ]);
    expect((await warningsOf(withSteps('{ exposure: 10, soak: 1m, maxSoak: 3m }')))[0]).toContain(
      'steps[0].maxSoak: the warm-up (2 min) and 3 windows of 30 s take 3 min 30 s, and the step waits 3 min at most: its gate can never be passed',
    );
    expect(await warningsOf(withSteps('{ exposure: 10, soak: 4m }'))).toEqual([]);
  });

  it('is a judgement of labels that come when the step is over', async () => {
    const text = withSteps('{ exposure: 10, soak: 10m, maxSoak: 30m }', '    labelDelay: 30m\n');
    expect(await warningsOf(text)).toEqual([
      `p.yaml:${lineOf(text, 'labelDelay')}:17  warning: metrics[0].labelDelay: errors: its labels come 30 min late, and the step at 10 % (at most 30 min) is over by then: this metric judges nothing of it in time`,
    ]);
  });

  it('is a minimum that the expected traffic does not reach', async () => {
    const text = policyText(`traffic: 1/s\n${steps}${metrics('    minimum: 1000\n')}`);
    const warnings = await warningsOf(text);
    expect(warnings).toHaveLength(1);
    // 3 a window in the candidate's arm: 334 windows of 30 s and the warm-up.
    expect(warnings[0]).toContain(
      `p.yaml:${lineOf(text, 'minimum')}:14  warning: metrics[0].minimum: errors: at 1/s and 10 % exposure, an arm has the 1000 events of its minimum after about 3 h; the step waits 30 min at most`,
    );
  });

  it('is six windows of a gauge in a step that is shorter', async () => {
    const gauge =
      'metrics:\n  - name: memory\n    kind: gauge\n    value: \'m{version="{{version}}"}\'\n    direction: lower-is-better\n';
    const [warning] = await warningsOf(
      policyText(`steps:\n  - { exposure: 10, soak: 4m, maxSoak: 4m }\n  - { exposure: 100 }\n${gauge}`),
    );
    expect(warning).toContain(
      'a gauge is judged from six windows on, which with the warm-up take 5 min; the step at 10 % waits 4 min',
    );
  });

  it('is telling apart what has one series', async () => {
    const one = "metrics:\n  - name: errors\n    kind: proportion\n    bad: 'errors'\n    total: 'all'\n";
    expect((await warningsOf(policyText(`${steps}${one}`)))[0]).toContain(
      'errors: has one series for the whole service, so only before and after can be compared',
    );
  });

  it('is "better" where no metric could show it in time', async () => {
    const rare = metrics('    tolerance: { relative: 1000% }\n    minimum: 0\n');
    const warnings = await warningsOf(policyText(`objective: better\ntraffic: 2/s\n${steps}${rare}`));
    expect(warnings.find((line) => line.includes('warning: objective: '))).toMatch(
      /at 10 % exposure no metric could show in time that the candidate is better: errors \(half as many bad events\) (about|more than)/,
    );
    const often = metrics('    tolerance: { relative: 100% }\n    expected: 20%\n');
    expect(await warningsOf(policyText(`objective: better\ntraffic: 1000/s\n${steps}${often}`))).toEqual([]);
  });

  it('is a share of bad events that is one of good ones', async () => {
    expect((await warningsOf(policyText(`${steps}${metrics('    expected: 98%\n')}`)))[0]).toContain(
      'metrics[0].expected: errors: expected is the share of bad events with stable: 98 % would be most of them. If so many are good, write 2%',
    );
  });
});

describe('a directory with warnings', () => {
  it('is valid, counts them, and lists them after the problems', async () => {
    const directory = await directoryWith({
      'a.yaml': policyText('steps:\n  - { exposure: 10, soak: 3m }\n  - { exposure: 100 }\n'),
      'b.yaml': policyText('mode: maybe\n').replace('service: fraud-scorer', 'service: b'),
    });
    const { lines, ok, policies } = await validateDirectory(directory, options);
    expect([ok, policies.length]).toEqual([false, 1]);
    expect(lines.map(({ level }) => level)).toEqual(['problem', 'warning', 'summary']);
    expect(lines[2]?.text).toBe('2 policies, 1 problem, 1 warning');
  });

  it('is asked about once: what has not changed keeps its warnings', async () => {
    const directory = await directoryWith({
      'a.yaml': policyText('steps:\n  - { exposure: 10, soak: 3m }\n  - { exposure: 100 }\n'),
    });
    const first = await loadPolicies({ ...options, directory });
    expect(first.warnings).toHaveLength(1);
    const silent = first.policies.map((loaded) => ({ ...loaded, warnings: [] }));
    const before = (service: string) => silent.find(({ policy }) => policy.service === service);
    expect((await loadPolicies({ ...options, directory, before })).warnings).toEqual([]);
    await writeFile(
      join(directory, 'a.yaml'),
      policyText('steps:\n  - { exposure: 10, soak: 2m }\n  - { exposure: 100 }\n'),
    );
    expect((await loadPolicies({ ...options, directory, before })).warnings).toHaveLength(1);
  });
});
