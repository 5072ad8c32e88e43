import { parseArgs } from 'node:util';
import { SPEEDS } from './scenario.ts';
import { ANSWERS, type Answer, type Scenario, scenarioNamed, scenarios } from './scenarios/index.ts';

export interface DemoOptions {
  /** Of the workspace's page; 0: any free one. */
  readonly port: number;
  /** Our stand-ins also where Prometheus and Alertmanager are installed. */
  readonly standIns: boolean;
  /** End by itself when the story has ended. */
  readonly once: boolean;
  /** False: everything runs, nothing plays. */
  readonly story: boolean;
  readonly scenario: Scenario;
  /** In the terminal, without a page to open; ends with the story. */
  readonly headless: boolean;
  /** Of the demo's clock. */
  readonly speed: number;
  /** What Maya presses. */
  readonly answer: Answer;
  /** Only names the scenarios. */
  readonly list: boolean;
  readonly help: boolean;
}

/** What was typed is not understood; the message says what would be. */
export class DemoUsageError extends Error {
  override readonly name = 'DemoUsageError';
}

const [FIRST_SCENARIO] = scenarios;
const names = scenarios.map(({ name }) => name);

export const demoUsage: readonly string[] = [
  'Usage: demo [--scenario NAME] [--headless] [--speed N] [--answer WHAT] [--port PORT] [--stand-ins] [--no-story] [--once] [--list]',
  `  --scenario NAME  what gets worse: ${names.join(', ')} (${FIRST_SCENARIO?.name})`,
  '  --headless       play it in the terminal, without a page: exit code 0 if it ended as the scenario expects, else 1',
  `  --speed N        how fast the demo's clock runs: ${SPEEDS.join(' or ')} (${SPEEDS[0]})`,
  `  --answer WHAT    what Maya presses when people are asked: ${ANSWERS.join(', ')} (none)`,
  '  --port PORT      of the page to open (any free one)',
  '  --stand-ins      use the built-in stand-ins even where prometheus and alertmanager are installed',
  '  --no-story       start everything and play nothing: you are the operator',
  '  --once           end when the story has ended, with the same exit code as --headless',
  '  --list           name the scenarios and how each ends',
];

/** The scenarios, and how each ends where nobody answers. */
export function scenarioList(): string[] {
  const width = Math.max(...names.map((name) => name.length));
  return scenarios.map(({ name, title, expectation }) => `${name.padEnd(width)}  ${title}. ${expectation}`);
}

/** @throws {DemoUsageError} */
export function parseDemoArguments(argv: readonly string[]): DemoOptions {
  let values: ReturnType<typeof read>;
  try {
    values = read(argv);
  } catch (error) {
    throw new DemoUsageError(error instanceof Error ? error.message : String(error));
  }
  const { port = '0', once = false, help = false, headless = false, list = false } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new DemoUsageError(`--port must be a number from 0 to 65535, is ${JSON.stringify(port)}`);
  }
  const plays = ['once', 'headless', 'scenario', 'answer'] as const;
  const play = plays.find((name) => values[name]);
  if (play && values['no-story']) {
    throw new DemoUsageError(`--${play} plays a story, --no-story plays none: leave out one of them`);
  }
  return {
    port: Number(port),
    standIns: values['stand-ins'] ?? false,
    once,
    story: !values['no-story'],
    scenario: readScenario(values.scenario),
    headless,
    speed: Number(oneOf('speed', values.speed, SPEEDS.map(String))),
    answer: oneOf('answer', values.answer, ANSWERS),
    list,
    help,
  };
}

function readScenario(name: string = names[0] ?? ''): Scenario {
  const scenario = scenarioNamed(name);
  if (scenario) return scenario;
  throw new DemoUsageError(`There is no scenario ${JSON.stringify(name)}: it is one of ${names.join(', ')}`);
}

function oneOf<T extends string>(option: string, value: string | undefined, allowed: readonly T[]): T {
  const found = value === undefined ? allowed[0] : allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new DemoUsageError(`--${option} must be one of ${allowed.join(', ')}, is ${JSON.stringify(value)}`);
}

function read(argv: readonly string[]) {
  const boolean = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const options = {
    scenario: text,
    headless: boolean,
    speed: text,
    answer: text,
    port: text,
    'stand-ins': boolean,
    once: boolean,
    'no-story': boolean,
    list: boolean,
    help: { type: 'boolean', short: 'h' },
  } as const;
  return parseArgs({ args: [...argv], options, strict: true }).values;
}
