import type { AlertIntake } from '../application/alerts.ts';
import type { Application } from '../application/api.ts';
import type { LeftBehind } from '../application/left-behind.ts';
import { afterRestore } from '../application/restored.ts';
import type { Store } from '../ports/store.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Worker } from '../runtime/worker.ts';
import type { Logger } from '../server/logger.ts';
import type { HttpServer } from '../server/server.ts';
import type { UpkeepDoor } from '../server/upkeep.ts';
import type { Slack } from '../slack/index.ts';
import type { AlertWatch } from './alertmanagers.ts';
import type { HealthWatch } from './health-watch.ts';
import type { PolicyBook } from './policy-book.ts';
import { orProblem } from './start-problems.ts';

/** How long what the worker is doing may go on after a stop was asked for. */
const workerDrainMs = 10_000;

export interface Lifecycle {
  /** Resolves when alerts are taken in; Slack's sign-in goes on in the background. */
  start(): Promise<{ readonly url: string }>;
  /** Lets what is under way end, then closes everything. May be called at any time, and again. */
  stop(): Promise<void>;
}

interface LifecycleParts {
  readonly book: PolicyBook;
  readonly tellOfPolicies: (services: readonly string[]) => Promise<void>;
  readonly application: Pick<Application, 'deliver'> & Pick<AlertIntake, 'drained'>;
  readonly leftBehind: LeftBehind;
  readonly worker: Worker;
  readonly alertWatch: AlertWatch;
  readonly health: Pick<HealthWatch, 'start' | 'stop'>;
  readonly server: HttpServer;
  readonly upkeep: UpkeepDoor;
  readonly slack: Slack;
  readonly store: Store;
  readonly log: Logger;
  readonly closeHttp: () => void;
}

/** What begins when an instance starts, and in which order it ends. */
export function lifecycle(parts: LifecycleParts): Lifecycle {
  const { book, worker, alertWatch, health, server, slack, store, log } = parts;
  const ending = new AbortController();
  let watching: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | null = null;

  async function start(): Promise<{ url: string }> {
    const fresh = await book.open();
    await afterRestore({ store, deliver: parts.application.deliver });
    await worker.start();
    await parts.leftBehind.start();
    alertWatch.start();
    const { url } = await orProblem('HOST, PORT', () => server.listen());
    const { problem } = await parts.upkeep.open();
    if (problem !== null)
      log.warn({ problem }, 'backup, audit and journal need this instance stopped: no socket could be opened');
    slack.start();
    await orProblem('DATA_DIR', () => health.start());
    // Real files change in real time, whatever clock the decisions run on.
    watching = book.watch(systemClock, ending.signal);
    // What was edited while we were down is news to what was under way.
    if (fresh.length > 0) await parts.tellOfPolicies(fresh);
    log.info({ url, services: book.all().map(({ service }) => service) }, `Lastgood listens on ${url}`);
    return { url };
  }

  /** In this order: nothing new comes in, what is under way ends, what it needs is closed last. */
  async function end(): Promise<void> {
    ending.abort();
    server.retire();
    await server.close();
    await watching;
    await parts.leftBehind.stop();
    await parts.application.drained();
    await alertWatch.stop();
    await health.stop();
    await worker.stop(workerDrainMs);
    await slack.stop();
    parts.closeHttp();
    await parts.upkeep.close();
    await store.close();
  }

  return {
    start,
    stop: () => {
      stopped ??= end();
      return stopped;
    },
  };
}
