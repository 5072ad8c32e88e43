import { describe, expect, it } from 'vitest';
import { DemoUsageError, demoUsage, parseDemoArguments } from '../../src/demo/arguments.ts';
import { createScreen } from '../../src/demo/live/screen.ts';
import { type LiveMoment, liveLines } from '../../src/demo/live/view.ts';
import { runDemo } from '../../src/demo/main.ts';
import { expectedEnding, scenarios } from '../../src/demo/scenarios/index.ts';

const START = Date.parse('2026-11-21T03:00:00Z');
const visible = (line: string) => line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');

const moment: LiveMoment = {
  title: 'The candidate fails',
  card: 'Degraded, decision needed. '.repeat(30),
  metrics: [],
  snapshot: {
    nowMs: START,
    speed: { factor: 3, choices: [1, 3] },
    service: 'fraud-scorer',
    slowMs: 500,
    split: { stable: { version: 'v41', percent: 30 }, candidate: { version: 'v42', percent: 70 } },
    points: {
      v41: [{ atMs: START, requestsPerSecond: 45, errorShare: 0.005, slowShare: 0, wrongShare: 0.02 }],
      v42: [{ atMs: START, requestsPerSecond: 105, errorShare: 0.313, slowShare: null, wrongShare: null }],
    },
    now: { tone: 'alarm', title: 'People are asked', detail: '', until: 'Decides at', untilMs: START + 12_000 },
    moment: 'asked',
    road: [
      { direction: 'forward', exposurePercent: 10, state: 'done', sinceMs: null, untilMs: null, note: 'gate passed' },
      {
        direction: 'forward',
        exposurePercent: 70,
        state: 'present',
        sinceMs: START,
        untilMs: START + 12_000,
        note: 'people are asked',
      },
    ],
    alerts: [],
    incidents: [],
    journal: [{ atMs: START, who: 'Automation', what: 'paged', text: 'Paged through PagerDuty.' }],
    lines: [],
    controls: [],
    sources: [],
  },
};

describe('the view in the terminal', () => {
  it('shows split, road, numbers, card and journal, and is never wider than the terminal', () => {
    const lines = liveLines(moment, 60).map(visible);
    const text = lines.join('\n');
    expect(text).toMatch(/v41 30 % {2}█{40} {2}v/);
    expect(text).toContain('✓ 10 % → ● 70 % people are asked 12 s');
    expect(text).toMatch(/errors +0\.5 % +31\.3 %/);
    expect(text).toMatch(/slow answers +0\.0 % +–/);
    expect(text).toContain('Paged through PagerDuty.');
    expect(lines.filter((line) => line.includes('decision needed')).length).toBe(5);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('is drawn over itself, and never higher than the terminal', () => {
    const written: string[] = [];
    const screen = createScreen({ write: (text) => written.push(text), columns: 80, rows: 4 });
    screen.draw(['a', 'b', 'c', 'd', 'e']);
    screen.draw(['f']);
    screen.end();
    expect(written[0]?.split('\n').length).toBe(4);
    expect(written[1]).toContain('\u001b[3A');
    expect(written[2]).toBe('\u001b[?25h');
  });
});

describe('the command line of the demo', () => {
  it('plays errors at the usual speed and nobody answers, unless it is told otherwise', () => {
    expect(parseDemoArguments([])).toMatchObject({ speed: 1, answer: 'none', headless: false, story: true });
    expect(parseDemoArguments([]).scenario.name).toBe('errors');
    const told = parseDemoArguments(['--scenario', 'both', '--headless', '--speed', '3', '--answer', 'hold']);
    expect(told).toMatchObject({ speed: 3, answer: 'hold', headless: true });
    expect(told.scenario.name).toBe('both');
  });

  it.each([
    [['--scenario', 'fire'], 'There is no scenario "fire": it is one of errors, latency'],
    [['--speed', '2'], '--speed must be one of 1, 3, is "2"'],
    [['--answer', 'cancel'], '--answer must be one of none, rollback, hold, promote'],
    [['--headless', '--no-story'], '--headless plays a story'],
    [['--port', '70000'], '--port must be a number'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseDemoArguments(argv)).toThrow(DemoUsageError);
    expect(() => parseDemoArguments(argv)).toThrow(message);
  });

  it('names the scenarios and how each ends, and answers 2 with the usage for what it does not know', async () => {
    const printed: string[] = [];
    const io = { print: (line: string) => void printed.push(line), signal: new AbortController().signal };
    expect(await runDemo(['--list'], io)).toBe(0);
    expect(printed.map((line) => line.split(' ')[0])).toEqual(scenarios.map(({ name }) => name));
    printed.length = 0;
    expect(await runDemo(['--scenario', 'fire'], io)).toBe(2);
    expect(printed.slice(1)).toEqual(demoUsage);
  });

  it('knows for each scenario and each answer how it ends', () => {
    const ends = scenarios.map(
      (one) => `${one.name} ${expectedEnding(one, 'none')} ${expectedEnding(one, 'rollback')}`,
    );
    expect(ends).toEqual([
      'errors rolled_back rolled_back',
      'latency rolled_back rolled_back',
      'accuracy rolled_back rolled_back',
      'drift held rolled_back',
      'both held stuck',
      'metrics-gone held stuck',
    ]);
  });
});
