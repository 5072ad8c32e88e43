import { Worker } from 'node:worker_threads';
import { type Scenario, scenarios } from './scenarios.ts';
import type { RunResult } from './simulate.ts';
import { type ScenarioSummary, summarise } from './summary.ts';

/** A handful of runs of one scenario: what a worker is given at a time. */
export interface Task {
  readonly scenario: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

const RUNS_A_TASK = 10;
/** A share of the runs never says less than this many. */
const FEWEST_RUNS = 2;

export interface BenchOptions {
  readonly seed: number;
  /** Runs of a scenario whose share is 1. */
  readonly runs: number;
  readonly workers: number;
  /** Only these of the known scenarios; left out: all. */
  readonly only?: readonly Scenario[];
  /** Told after every task, 0..1. */
  readonly progress?: (share: number) => void;
}

/** Runs everything in worker threads. What a run sees depends on the seed alone, so the outcome does not depend on the workers. */
export async function bench(options: BenchOptions): Promise<ScenarioSummary[]> {
  const asked = options.only ?? scenarios;
  const results = new Map(asked.map((s) => [s.name, [] as RunResult[]]));
  const tasks = tasksOf(options);
  let next = 0;
  let done = 0;
  const lane = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
        const answer = await ask(worker, task);
        const list = results.get(task.scenario) ?? [];
        answer.forEach((result, i) => {
          list[task.from + i] = result;
        });
        done += 1;
        options.progress?.(done / tasks.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.workers) }, lane));
  return asked.map((s) => summarise(s, results.get(s.name) ?? []));
}

export function tasksOf({ seed, runs, only }: Pick<BenchOptions, 'seed' | 'runs' | 'only'>): Task[] {
  return (only ?? scenarios).flatMap((s) => {
    const all = Math.max(FEWEST_RUNS, Math.round(runs * s.runsShare));
    return Array.from({ length: Math.ceil(all / RUNS_A_TASK) }, (_, k) => ({
      scenario: s.name,
      seed,
      from: k * RUNS_A_TASK,
      to: Math.min(all, (k + 1) * RUNS_A_TASK),
    }));
  });
}

/** One question, one answer. The listeners are taken off by name: a worker has some of its own. */
function ask(worker: Worker, task: Task): Promise<RunResult[]> {
  return new Promise((resolve, reject) => {
    const answered = (answer: RunResult[]) => {
      worker.off('error', failed).off('exit', ended);
      resolve(answer);
    };
    const failed = (error: Error) => {
      worker.off('message', answered).off('exit', ended);
      reject(error);
    };
    const ended = (code: number) => failed(new Error(`A worker ended with code ${code}`));
    worker.once('message', answered).once('error', failed).once('exit', ended);
    worker.postMessage(task);
  });
}
