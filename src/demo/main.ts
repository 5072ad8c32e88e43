import { type DemoOptions, DemoUsageError, demoUsage, parseDemoArguments, scenarioList } from './arguments.ts';
import { drawLive, type Terminal } from './live/index.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { type Ending, expectedEnding } from './scenarios/index.ts';
import { buildStage, type Stage, StageProblem } from './stage.ts';
import { play } from './story.ts';
import { createDemoClock } from './time/demo-clock.ts';

export interface DemoIo {
  print(line: string): void;
  /** Aborted: everything ends. */
  readonly signal: AbortSignal;
  /** Absent: colours where standard output is a terminal. */
  readonly colours?: boolean;
  /** What a headless story is drawn on; absent: its lines are printed one below the other. */
  readonly terminal?: Terminal | null;
  /** LASTGOOD_DEMO_STAND_INS=1 is the same as --stand-ins. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** With --once and --headless: longer than any story takes with every wait at its longest. */
const ONCE_WITHIN_MS = 300_000;

/**
 * Runs the demo until `io.signal` is aborted (with --once and --headless: until the story has ended). Everything it starts listens
 * on loopback only and has ended when it resolves. Answers the exit code: 0, 1 where --once or --headless did not end as the scenario
 * expects or the port is taken, 2 where `argv` is not understood. Throws where something else could not be started; then too nothing
 * is left running.
 */
export async function runDemo(argv: readonly string[], io: DemoIo): Promise<number> {
  const options = readArguments(argv, io);
  if (typeof options === 'number') return options;
  const colours = io.colours ?? process.stdout.isTTY === true;
  const terminal = options.headless && colours ? (io.terminal ?? null) : null;
  const clock = createDemoClock(options.speed);
  const narrator = createNarrator(terminal ? () => undefined : io.print, colours, () => clock.now());
  const ends = options.once || options.headless;
  const signal = ends ? AbortSignal.any([io.signal, AbortSignal.timeout(ONCE_WITHIN_MS)]) : io.signal;
  if (signal.aborted) return 0;
  try {
    await using stage = await buildStage({
      port: options.port,
      standIns: options.standIns || io.env?.LASTGOOD_DEMO_STAND_INS === '1',
      narrator,
      clock,
      onAddress: (url) => options.headless || greet(io.print, colours, url, options),
    });
    for (const { label, url } of stage.sources) narrator.tell('note', `${label} at ${url}`);
    const ending = options.story ? await played(stage, options, { narrator, terminal, signal }) : 'unfinished';
    if (ends) return verdict(ending, options, io);
    await stayUp(narrator, signal);
    return 0;
  } catch (error) {
    if (!(error instanceof StageProblem)) throw error;
    io.print(error.message);
    return 1;
  }
}

interface Playing {
  readonly narrator: Narrator;
  readonly terminal: Terminal | null;
  readonly signal: AbortSignal;
}

async function played(stage: Stage, { scenario, answer }: DemoOptions, playing: Playing): Promise<Ending> {
  const { narrator, terminal, signal } = playing;
  const live = terminal ? drawLive(stage, scenario, terminal) : null;
  try {
    return await play({ ...stage, narrator, signal }, scenario, answer);
  } finally {
    await live?.stop();
  }
}

function verdict(ending: Ending, { scenario, answer }: DemoOptions, { print, signal }: DemoIo): number {
  const expected = expectedEnding(scenario, answer);
  if (ending === expected) {
    print(`${scenario.name}: ended as expected (${words(ending)}).`);
    return 0;
  }
  if (!signal.aborted) print(`${scenario.name}: expected ${words(expected)}, but it is ${words(ending)}.`);
  return 1;
}

function words(ending: Ending): string {
  return ending.replace('_', ' ');
}

/** Until the visitor has seen enough. */
async function stayUp(narrator: Narrator, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    narrator.tell(
      'note',
      'Everything stays up. Go on with the buttons in the panel, or type /rollout help. Ctrl-C ends it.',
    );
  }
  await aborted(signal);
  narrator.tell('note', 'Ending everything.');
}

function readArguments(argv: readonly string[], io: DemoIo): DemoOptions | number {
  try {
    const options = parseDemoArguments(argv);
    if (!options.help && !options.list) return options;
    (options.help ? demoUsage : scenarioList()).forEach(io.print);
    return 0;
  } catch (error) {
    if (!(error instanceof DemoUsageError)) throw error;
    io.print(error.message);
    demoUsage.forEach(io.print);
    return 2;
  }
}

function greet(print: (line: string) => void, colours: boolean, url: string, { story, scenario }: DemoOptions): void {
  const [bold, link, end] = colours ? ['\u001b[1m', '\u001b[1;4;36m', '\u001b[0m'] : ['', '', ''];
  print('');
  print(`  ${bold}Lastgood demo${end}  a model degrades, and goes back to its last good version`);
  print('');
  print(`  Open  ${link}${url}${end}`);
  const plays = `“${scenario.title}” plays by itself in under two minutes, unless you answer.`;
  print(`  ${story ? plays : 'Nothing plays by itself: you are the operator.'} Ctrl-C ends it.`);
  print('');
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
