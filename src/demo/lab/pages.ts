import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ModelServer } from './model.ts';

/** Pages of metrics that are answered at once however busy this process is. */
export interface Pages {
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** How often what the models have counted is handed over. */
const EVERY_MS = 100;

/**
 * Serves what the models count from a thread of its own, as a push gateway would: a Prometheus that scrapes several times a second
 * gives up after a fraction of a second, and a process that plays five models and their customers may be busy for longer.
 */
export async function startPages(models: readonly ModelServer[]): Promise<Pages> {
  // Type stripping runs the source; the published package has JavaScript.
  const script = new URL(import.meta.url.endsWith('.ts') ? './pages-thread.ts' : './pages-thread.js', import.meta.url);
  const thread = new Worker(script, { workerData: models.length });
  const handOver = () => thread.postMessage(models.map((model): Page => model.metricsPage()));
  handOver();
  const [ports] = (await once(thread, 'message')) as [readonly number[]];
  const timer = setInterval(handOver, EVERY_MS);
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}/metrics`),
    async stop() {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}
