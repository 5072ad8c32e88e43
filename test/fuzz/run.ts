import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Outcome, tryArea } from './area.ts';
import { areas } from './areas.ts';

/** An area that says nothing for so long hangs: its thread is ended, and its seed told. */
const silenceMs = 120_000;
const side = 2;

interface Task {
  readonly name: string;
  readonly inputs: number;
  readonly seed: number;
  readonly path: string | undefined;
}
type Said = { readonly done: number } | { readonly outcome: Outcome };

if (isMainThread) process.exitCode = await main();
else await work(workerData as Task);

/** `npm run fuzz -- [--inputs 1000000] [--seed N] [--only AREA [--path PATH]]` */
async function main(): Promise<number> {
  const options = {
    inputs: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    path: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options });
  const total = Number(values.inputs ?? 1_000_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const chosen = areas.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0 || !(total >= 1) || !Number.isInteger(seed)) {
    tell(`--inputs and --seed are whole numbers; --only is one of: ${areas.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const waiting = chosen.map(({ name, share }) => ({
    name,
    inputs: Math.ceil((total * share) / shares),
    seed,
    path: values.path,
  }));
  tell(`seed ${seed}, ${total} inputs`);
  const outcomes: Outcome[] = [];
  const beganMs = performance.now();
  const lane = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      const outcome = await inThread(task);
      outcomes.push(outcome);
      const { name, inputs, seconds, slowestMs, failure } = outcome;
      tell(
        `${failure === null ? 'held ' : 'BROKE'}  ${name}: ${inputs} inputs in ${seconds.toFixed(1)} s, slowest ${slowestMs.toFixed(0)} ms`,
      );
      if (failure !== null) tell(failure);
    }
  };
  await Promise.all(Array.from({ length: side }, lane));
  const inputs = outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0);
  const broken = outcomes.filter(({ failure }) => failure !== null).length;
  tell(
    `${inputs} inputs in ${((performance.now() - beganMs) / 1000).toFixed(0)} s: ${broken === 0 ? 'no crash, no hang, nobody called' : `${broken} broke`}`,
  );
  return broken === 0 ? 0 : 1;
}

function inThread(task: Task): Promise<Outcome> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
    let done = 0;
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve(outcome);
      void worker.terminate();
    };
    const ended = (failure: string) => end({ name: task.name, inputs: done, seconds: 0, slowestMs: 0, failure });
    const hung = () => ended(`It hangs, after about ${done} inputs of seed ${task.seed}.`);
    let timer = setTimeout(hung, silenceMs);
    worker.on('message', (said: Said) => {
      clearTimeout(timer);
      timer = setTimeout(hung, silenceMs);
      if ('outcome' in said) end(said.outcome);
      else done = said.done;
    });
    worker.on('error', (error) => ended(`The thread ended: ${error.stack ?? error.message}`));
    // A thread that ends by itself without having said its outcome; after one it is too late to change anything.
    worker.on('exit', (code) =>
      ended(`The thread ended with ${code}, after about ${done} inputs of seed ${task.seed}.`),
    );
  });
}

async function work({ name, inputs, seed, path }: Task): Promise<void> {
  const area = areas.find((one) => one.name === name);
  if (!area) throw new Error(`There is no area ${name}.`);
  const say = (said: Said) => parentPort?.postMessage(said);
  say({ outcome: await tryArea(area, { inputs, seed, path, progress: (done) => say({ done }) }) });
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
