import { createModelServer, healthy, type ModelFaults, type ModelServer } from './model.ts';
import { type Random, seededRandom } from './random.ts';
import { createSplitter, type Splitter } from './splitter.ts';
import { createTraffic, type Traffic } from './traffic.ts';

export { createModelServer, type ModelFaults, type ModelServer } from './model.ts';
export { createPagerDutyStandIn, type Incident, type PagerDutyStandIn } from './pagerduty.ts';
export { type Pages, startPages } from './pages.ts';
export { seededRandom } from './random.ts';
export { createSplitter, type Splitter } from './splitter.ts';
export { createTraffic, type Traffic } from './traffic.ts';

export interface LabOptions {
  readonly service?: string;
  /** Deployed versions; the first serves, the second is the candidate (v41, v42). */
  readonly versions?: readonly [stable: string, candidate: string, ...more: string[]];
  /** True: the router knows of no candidate until a split names one. */
  readonly withoutCandidate?: boolean;
  readonly ratePerSecond?: number;
  /** The same seed: the same decisions, as far as the machine's timing lets them be. */
  readonly seed?: number;
  /** Bearer token of the router's /split. */
  readonly token?: string;
}

export type Fault = 'errors' | 'latency' | 'accuracy' | 'drift';

/** Two or more model versions serving real traffic on this machine, behind a router that can be steered. Runs when it is made. */
export interface Lab {
  /** The router's admin API, for a policy's `http` target. */
  readonly splitUrl: string;
  readonly scoreUrl: string;
  /** For Prometheus' scrape configuration: one a version, `http://127.0.0.1:port/metrics`. */
  readonly scrape: readonly { readonly version: string; readonly url: string }[];
  readonly splitter: Splitter;
  readonly traffic: Traffic;
  model(version: string): ModelServer;
  /**
   * @param amount 0..1, how bad: added share of failing requests; added latency in seconds; lost share of right scores; how far
   * the amounts the model sees have moved. @param version the candidate unless given.
   */
  worsen(fault: Fault, amount: number, version?: string): void;
  /** False: every model's page of metrics is a 503, while they go on answering requests. */
  showMetrics(shown: boolean): void;
  /** Every version well, ready and measured again. */
  heal(): void;
  stop(): Promise<void>;
}

/** Starts the models, the router and the traffic. Everything ends with `stop`, also where the start fails half-way. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const [stable, candidate, ...more] = options.versions ?? ['v41', 'v42'];
  const random = seededRandom(options.seed ?? 1);
  const models = new Map<string, ModelServer>();
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<void> }>(part: Part) => started.adopt(part, () => part.stop());
  for (const version of [stable, candidate, ...more]) {
    models.set(version, begun(await createModelServer({ service: options.service, version, random: fork(random) })));
  }
  const splitter = begun(
    await createSplitter({
      models: [...models.values()],
      stable,
      candidate: options.withoutCandidate ? null : candidate,
      random: fork(random),
      token: options.token,
    }),
  );
  const scoreUrl = `${splitter.url}/score`;
  const traffic = begun(
    createTraffic({ url: scoreUrl, ratePerSecond: options.ratePerSecond ?? 60, random: fork(random) }),
  );
  traffic.start();
  const running = started.move();
  return tied({ models, splitter, traffic, scoreUrl, candidate, stop: () => running.disposeAsync() });
}

interface Parts {
  readonly models: ReadonlyMap<string, ModelServer>;
  readonly splitter: Splitter;
  readonly traffic: Traffic;
  readonly scoreUrl: string;
  readonly candidate: string;
  stop(): Promise<void>;
}

function tied({ models, splitter, traffic, scoreUrl, candidate, stop }: Parts): Lab {
  const model = (version: string) => {
    const found = models.get(version);
    if (found) return found;
    throw new Error(`The lab has no ${version}: it has ${[...models.keys()].join(', ')}.`);
  };
  return {
    splitUrl: `${splitter.url}/split`,
    scoreUrl,
    scrape: [...models.values()].map(({ version, url }) => ({ version, url: `${url}/metrics` })),
    splitter,
    traffic,
    model,
    worsen(fault, amount, version = candidate) {
      const bad = model(version);
      bad.faults = { ...bad.faults, ...faultsOf(fault, amount) };
    },
    heal() {
      for (const each of models.values()) Object.assign(each, { faults: healthy, ready: true, metricsShown: true });
    },
    showMetrics(shown) {
      for (const each of models.values()) each.metricsShown = shown;
    },
    stop,
  };
}

function faultsOf(fault: Fault, amount: number): Partial<ModelFaults> {
  switch (fault) {
    case 'errors':
      return { errorRate: amount };
    case 'latency':
      return { extraLatencyMs: amount * 1000 };
    case 'accuracy':
      return { accuracyDrop: amount };
    case 'drift':
      return { inputShift: amount };
  }
}

/** A sequence of its own for each part: what one part does does not change what another one draws. */
function fork(random: Random): Random {
  return seededRandom(Math.floor(random() * 2 ** 32));
}
