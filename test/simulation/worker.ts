import { parentPort } from 'node:worker_threads';
import { simulate } from './run.ts';

parentPort?.on('message', (seed: number) => {
  simulate(seed).then(
    (result) => parentPort?.postMessage(result),
    // What the simulation itself stumbles over has a seed, too.
    (error: unknown) => {
      const broken = [`the simulation failed: ${error instanceof Error ? error.stack : String(error)}`];
      parentPort?.postMessage({ seed, hours: 0, faults: {}, reached: {}, broken, lines: [] });
    },
  );
});
