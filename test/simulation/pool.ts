import { Worker } from 'node:worker_threads';
import type { RunResult } from './run.ts';

/** A run takes seconds: one that has not ended by then goes in circles. */
const LONGEST_RUN_MS = 600_000;

/** Room for what is new: what a moment makes is gone by the next, and is collected the more cheaply the seldomer. */
const YOUNG_MB = 64;

export interface Pool {
  readonly workers: number;
  /** The seed to be run next; null: no more. */
  readonly next: () => number | null;
  readonly done: (result: RunResult) => void;
}

/** Runs seed after seed in worker threads. What a run comes to depends on its seed alone. */
export async function runAll({ workers, next, done }: Pool): Promise<void> {
  const lane = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    try {
      for (let seed = next(); seed !== null; seed = next()) done(await run(worker, seed));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, lane));
}

function run(worker: Worker, seed: number): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(limit);
      worker.off('message', answered).off('error', failed).off('exit', ended);
      end();
    };
    const answered = (result: RunResult) => settle(() => resolve(result));
    const failed = (error: Error) =>
      settle(() => reject(new Error(`Seed ${seed}: ${error.message}`, { cause: error })));
    const ended = (code: number) => failed(new Error(`its worker ended with code ${code}`));
    const limit = setTimeout(() => failed(new Error('it goes in circles')), LONGEST_RUN_MS);
    worker.once('message', answered).once('error', failed).once('exit', ended);
    worker.postMessage(seed);
  });
}
