import { parentPort } from 'node:worker_threads';
import type { Task } from './pool.ts';
import { scenarios } from './scenarios.ts';
import { simulate } from './simulate.ts';

parentPort?.on('message', (task: Task) => {
  const scenario = scenarios.find((s) => s.name === task.scenario);
  if (!scenario) throw new Error(`There is no scenario ${task.scenario}`);
  const results = Array.from({ length: task.to - task.from }, (_, i) => simulate(scenario, task.seed, task.from + i));
  parentPort?.postMessage(results);
});
