import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { costs, costText } from './cost.ts';
import { goalsOf } from './goals.ts';
import { intoReadme, markdownOf, README_BEGIN, README_END, tableIn } from './markdown.ts';
import { scenarios } from './scenarios.ts';
import { methods } from './simulate.ts';
import { type ScenarioSummary, summarise, summariseMethod } from './summary.ts';
import { plainPaint, tableOf } from './table.ts';

const RUNS = 100;

/** Ours and one other; `wrong` of a hundred runs, or minutes until each finds it. */
function healthy(scenario: string, wrong: readonly number[], over: Partial<ScenarioSummary> = {}): ScenarioSummary {
  return summary(
    scenario,
    'healthy',
    wrong.map((n) => Array.from({ length: RUNS }, (_, i) => (i < n ? 5 : null))),
    over,
  );
}
function regression(delays: readonly number[], twin: string, over: Partial<ScenarioSummary> = {}): ScenarioSummary {
  return summary(
    'worse',
    'regression',
    delays.map((minute) => Array.from({ length: RUNS }, () => minute)),
    { twin, promised: false, ...over },
  );
}
function summary(
  scenario: string,
  sort: ScenarioSummary['sort'],
  alarms: readonly (readonly (number | null)[])[],
  over: Partial<ScenarioSummary>,
): ScenarioSummary {
  const names = ['Lastgood', 'A', 'B'];
  const from = sort === 'regression' ? 0 : Number.POSITIVE_INFINITY;
  return {
    scenario,
    kind: 'errors',
    perSecond: 10,
    sort,
    twin: null,
    promised: true,
    inReadme: true,
    runs: RUNS,
    methods: alarms.map((list, i) => summariseMethod(names[i] ?? '', list, from)),
    ...over,
  };
}

describe('the race against the others', () => {
  it('is against the fastest that is under 5 % false in all of the kind, and names the one of this very traffic, too', () => {
    const { races, reached } = goalsOf([
      healthy('calm', [0, 0, 4]),
      healthy('noisy', [0, 5, 4]),
      regression([6, 3, 7], 'calm'),
    ]);
    expect(races).toEqual([
      {
        scenario: 'worse',
        own: 6,
        rival: { method: 'B', medianDelay: 7 },
        sameTraffic: { method: 'A', medianDelay: 3 },
        lost: false,
      },
    ]);
    expect(reached).toBe(true);
  });

  it('is lost where such a method is sooner, and where it alone finds anything', () => {
    const calm = healthy('calm', [0, 0, 40]);
    expect(goalsOf([calm, regression([4, 3, 3], 'calm')])).toMatchObject({ reached: false, races: [{ lost: true }] });
    expect(goalsOf([calm, regression([Infinity, 90, 3], 'calm')]).reached).toBe(false);
    expect(goalsOf([calm, regression([3, 3, 1], 'calm')]).reached).toBe(true);
  });

  it('is not run below 10 rps, and scenarios below, of another kind or beyond what is promised disqualify nobody', () => {
    const calm = healthy('calm', [0, 0, 40]);
    expect(goalsOf([calm, regression([4, 3, 3], 'calm', { perSecond: 1 })]).races).toEqual([]);
    expect(goalsOf([calm, regression([4, 3, 3], 'calm', { kind: 'gauge' })]).races).toEqual([]);
    const others = [
      healthy('slow', [0, 99, 99], { perSecond: 1 }),
      healthy('latency', [0, 99, 99], { kind: 'latency' }),
      healthy('wild', [0, 99, 99], { promised: false }),
    ];
    expect(goalsOf([calm, ...others, regression([4, 3, 3], 'calm')]).races[0]?.rival?.method).toBe('A');
  });

  it('is won by default where nobody else is under 5 %, and the text says so', () => {
    const all = [healthy('calm', [0, 5, 50]), regression([9, 3, 3], 'calm')];
    expect(goalsOf(all).reached).toBe(true);
    expect(tableOf(all, 1, plainPaint)).toContain(
      'worse: ours 9 min; no other method is under 5 %. This traffic: no other\n',
    );
  });

  it('a broken promise misses the goals, too', () => expect(goalsOf([healthy('calm', [2, 0, 0])]).reached).toBe(false));
});

describe('scenarios', () => {
  it('every regression has a twin with the same traffic, and a name of its own', () => {
    expect(new Set(scenarios.map((s) => s.name)).size).toBe(scenarios.length);
    for (const s of scenarios.filter((one) => one.regression !== null)) {
      const twin = scenarios.find((one) => one.name === s.twin);
      expect(twin?.regression).toBeNull();
      for (const key of [
        'kind',
        'perSecond',
        'badShare',
        'against',
        'noise',
        'labelsLateMinutes',
        'metrics',
      ] as const) {
        expect(twin?.[key], `${s.name}: ${key}`).toEqual(s[key]);
      }
    }
  });

  it('what is exactly tolerated is neither a find nor a broken promise', () => {
    const scenario = scenarios.find((s) => s.isTolerated);
    if (scenario === undefined) throw new Error('none');
    const all = [
      summarise(scenario, [
        [5, 5, 5, 5, 5],
        [null, 5, 5, 5, 5],
      ]),
    ];
    expect(all[0]).toMatchObject({ sort: 'tolerated', methods: [{ wrong: 0.5, found: null }, {}, {}, {}, {}] });
    expect(goalsOf(all)).toMatchObject({ reached: true, races: [] });
    expect(tableOf(all, 1, plainPaint)).toMatch(/At the limit .*\n.*50 \(/);
  });
});

describe("the README's table", () => {
  const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

  it('strikes out what is wrong in the same traffic, and marks what is seldom found', () => {
    const found = [4, 3, ...Array.from({ length: 98 }, () => 3)];
    const calm = healthy('calm', [0, 5, 0], { promised: false });
    const seldom = summary('worse', 'regression', [found, found, found.map((m, i) => (i < 60 ? m : null))], {
      twin: 'calm',
    });
    const text = markdownOf([calm, seldom], { seed: 3, runs: 100 });
    expect(text).toContain('| calm * | 0 % | 5.0 % | 0 % |\n');
    expect(text).toContain('| worse | 3 | ~~3~~ | 3 † |\n');
    expect(text).toContain('Seed 3, up to 100 runs');
  });

  it('is put between its marks and leaves the rest alone', () => {
    const readme = `before\n${README_BEGIN}\nold\n${README_END}\nafter`;
    expect(intoReadme(readme, 'new\n')).toBe(`before\n${README_BEGIN}\nnew\n${README_END}\nafter`);
    expect(tableIn(intoReadme(readme, 'new\n'))).toBe('new\n');
    expect(() => intoReadme('nothing', 'new\n')).toThrow('no place for the table');
  });

  it('has the form the command prints: the same scenarios, methods and kinds of cells', () => {
    const nothing = scenarios.map((s) => summarise(s, [methods.map(() => null)]));
    /** Cells that are numbers are only looked at for being some. */
    const form = (text: string) =>
      text
        .replace(/Seed \d+, up to \d+ runs/, 'Seed N, up to N runs')
        .split('\n')
        .map((line) =>
          line.startsWith('|')
            ? line.replace(/ \| (~~)?(\d+(\.\d)?( %| †)?|– \([<>]?\d+ %\))(~~)?(?= \|)/g, ' | N')
            : line,
        )
        .join('\n');
    expect(form(tableIn(README))).toBe(form(markdownOf(nothing, { seed: 1, runs: 1 })));
  });
});

describe('the cost', () => {
  it('is measured of four ways, and the first one is judged', () => {
    const all = costs(1);
    expect(all).toHaveLength(4);
    expect(all.every(({ milliseconds }) => milliseconds > 0)).toBe(true);
    expect(costText([{ what: 'w', milliseconds: 4.94 }])).toContain('Reached');
    expect(costText([{ what: 'w', milliseconds: 5 }])).toContain('Missed');
  });
});
