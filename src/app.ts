import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseWebhook, WebhookProblem } from './alerts/index.ts';
import { type AlertWatch, createAlertmanagers, createAlertWatch } from './app/alertmanagers.ts';
import { prometheusOf, unmetNeeds } from './app/checks.ts';
import { type Duty, sharedDuty } from './app/duty.ts';
import { followPolicies } from './app/follow-policies.ts';
import { createHealthWatch, type HealthWatch } from './app/health-watch.ts';
import { type Lifecycle, lifecycle } from './app/lifecycle.ts';
import { type Memory, openMemory } from './app/memory.ts';
import { oncePer } from './app/once-per.ts';
import { createPolicyBook, type PolicyBook, type PolicyBookParts } from './app/policy-book.ts';
import { createReadings } from './app/readings.ts';
import { selfReports } from './app/self-reports.ts';
import { StartProblems } from './app/start-problems.ts';
import { servicesUnderWay } from './app/under-way.ts';
import type { AlertIntake } from './application/alerts.ts';
import type { Application } from './application/api.ts';
import { createApplication, type Recorder } from './application/application.ts';
import { createLeftBehind } from './application/left-behind.ts';
import { type Config, secretsOf } from './config.ts';
import type { Endpoint, Policy } from './domain/policy.ts';
import { createHttp, type Http } from './outbound/http.ts';
import { createPagerDuty } from './paging/index.ts';
import { formatProblems, KeptPolicies, type LoadResult, loadPolicies } from './policies/index.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { Health } from './ports/health.ts';
import type { MetricSource } from './ports/metric-source.ts';
import type { Pager } from './ports/pager.ts';
import type { Store } from './ports/store.ts';
import { systemClock } from './runtime/clock.ts';
import { createPerformers } from './runtime/performers/index.ts';
import type { World } from './runtime/performers/performer.ts';
import { createWorker, type Worker } from './runtime/worker.ts';
import { createLogger, type Logger, type LoggerOptions } from './server/logger.ts';
import type { ParsedAlerts } from './server/routes.ts';
import { createHttpServer } from './server/server.ts';
import { createTelemetry, type ServerTelemetry } from './server/telemetry.ts';
import { createUpkeepDoor } from './server/upkeep.ts';
import { createSlack } from './slack/index.ts';
import { createPrometheusSources } from './sources/prometheus.ts';
import { createTargets, targetSchemas } from './targets/index.ts';

export { StartProblems };

/** What tests (and the demo) put in the place of the real thing. */
export interface AppOverrides {
  readonly clock: Clock;
  readonly random: Random;
  /** 0..1; for the jitter of waits. */
  readonly jitter: () => number;
  readonly http: Http;
  readonly logDestination: LoggerOptions['destination'];
  readonly pager: Pager;
  /** Between two looks at everything this instance leans on; 15 s. */
  readonly healthEveryMs: number;
}

export interface App extends Lifecycle {
  readonly log: Logger;
  readonly application: Application;
  readonly store: Store;
  /** Resolves when nothing is due and nothing is running. */
  settled(): Promise<void>;
  /** Reads the policy directory now instead of within seconds. */
  reloadPolicies(): Promise<void>;
}

/** Alertmanager cuts a delivery off after 10 s where its interval is short. */
const answerWithinMs = 8_000;

/**
 * Puts an instance together: policies, then the store, then everything that works on them. Nothing listens and nothing is sent
 * before `start`.
 * @throws {StartProblems} where it cannot run, with every problem.
 */
export async function createApp(config: Config, overrides: Partial<AppOverrides> = {}): Promise<App> {
  const random = overrides.random ?? { id: () => randomBytes(12).toString('base64url') };
  const log = createLogger({
    level: config.logLevel,
    secrets: secretsOf(config),
    destination: overrides.logDestination,
    onLost: (error) => telemetry.problem('log', error),
  });
  const telemetry: ServerTelemetry = createTelemetry(log);
  const policyOptions = { targets: targetSchemas, secrets: config.policySecrets };
  const kept = await KeptPolicies.open(join(config.dataDir, 'policies.kept'), config.policySecrets);
  const first = await loadPolicies({ directory: config.policyDir, ...policyOptions, kept });
  const problems = [
    ...(first.problems.length > 0 ? formatProblems(first.problems).split('\n') : []),
    ...unmetNeeds(
      config,
      first.policies.map(({ policy }) => policy),
    ),
  ];
  if (problems.length > 0) throw new StartProblems(problems);

  const memory = await openMemory(config, random, telemetry);
  const { instance, store } = memory;
  const clock = overrides.clock ?? memory.clock ?? systemClock;
  const owner = random.id();
  const dutyOf = memory.replicas === null ? undefined : (name: string) => sharedDuty(name, { store, clock, owner });
  try {
    const begun = {
      config,
      overrides,
      clock,
      random,
      log,
      telemetry,
      kept,
      memory,
      instance,
      store,
      owner,
      dutyOf,
    };
    return assemble(begun, first);
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Beginnings {
  readonly config: Config;
  readonly overrides: Partial<AppOverrides>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly telemetry: ServerTelemetry;
  readonly kept: KeptPolicies;
  readonly memory: Memory;
  readonly instance: string;
  readonly store: Store;
  /** This process among the replicas, different at every start. */
  readonly owner: string;
  /** Which replica does what, by name; undefined: there is nobody to share with. */
  readonly dutyOf: ((name: string) => Duty) | undefined;
}

/** The one place where everything meets. Rings are closed by functions: Slack presses reach the application, its effects reach Slack. */
function assemble(begun: Beginnings, first: LoadResult): App {
  const { config, overrides, clock, random, log, telemetry, store } = begun;
  const ownHttp = httpOf(begun);
  const http = overrides.http ?? ownHttp;
  const targets = oncePer(({ target }) => target, createTargets({ http }));
  const prometheuses = createPrometheusSources({ http, now: () => clock.now() });
  const sources = oncePer(
    ({ prometheus }) => prometheus ?? config,
    (policy) => sourceOf(config, prometheuses, policy),
  );
  const book = bookOf(begun, first, (services) => tellOfPolicies(services));
  const application = createApplication({
    store,
    clock,
    telemetry,
    policies: book,
    targets,
    wake: () => worker.wake(),
    place: () => worker.place(),
    onUnmatched: () => alertWatch.unmatched(),
  });
  const slack = createSlack({ ...config.slack, application, clock, telemetry, health: lazily(() => health) });
  const alertmanagers = createAlertmanagers({ config, http, clock, instance: begun.instance });
  const pagerduty = createPagerDuty({ ...config.pagerduty, now: () => clock.now() });
  const health: HealthWatch = createHealthWatch({
    ...begun,
    http,
    book,
    slack,
    pager: overrides.pager ?? pagerduty,
    application,
    alertmanagerOf: alertmanagers.endpointOf,
    clock: systemClock,
    everyMs: overrides.healthEveryMs,
  });
  const outside = { targets, sources, alertSources: alertmanagers.of, chat: health.chat, pager: health.pager };
  const world: World = { store, policies: book, clock, telemetry, instance: begun.instance, ...outside };
  const alertWatch = createAlertWatch({ ...begun, alertmanagers, application, world });
  const worker = workerOf(begun, world, application);
  hearOthers(begun, worker, alertWatch);
  const circuits = () => [...ownHttp.circuits(), slack.circuit(), pagerduty.circuit()];
  const server = createHttpServer({
    host: config.host,
    port: config.port,
    random,
    application,
    alertTokens: config.alertmanager.webhookTokens,
    parseAlerts,
    slack: (request, response) => slack.handle(request, response),
    ...selfReports({ ...begun, book, slack, health, http, application, circuits }),
    telemetry,
    answerWithinMs,
  });
  telemetry.watch(createReadings({ store, policies: book }));

  const tellOfPolicies = async (services: readonly string[]) => {
    await followPolicies(begun, application, services);
    alertWatch.policiesChanged();
  };

  const parts = { book, application, tellOfPolicies, worker, alertWatch, health, server, slack, store, log };
  return {
    log,
    application,
    store,
    async settled() {
      await application.drained();
      await alertWatch.settled();
      await worker.settled();
    },
    reloadPolicies: () => book.reload(),
    ...lifecycle({ ...parts, ...keeping(begun, application), closeHttp: () => ownHttp.close() }),
  };
}

function httpOf({ config, clock }: Beginnings) {
  const { privateAddresses } = config;
  return createHttp({ secrets: secretsOf(config), now: () => clock.now(), privateAddresses });
}

/** What sees to it that nothing stored is forgotten, and that operators can get at it. */
function keeping({ config, store, random, clock, telemetry, memory }: Beginnings, application: AlertIntake) {
  const leftBehind = createLeftBehind({ application, clock, telemetry, alone: memory.replicas === null });
  return { leftBehind, upkeep: createUpkeepDoor({ dataDir: config.dataDir, store, random }) };
}

function workerOf({ config, overrides, owner, memory }: Beginnings, world: World, recorder: Recorder): Worker {
  return createWorker({
    store: world.store,
    recorder,
    performers: createPerformers(world),
    clock: world.clock,
    telemetry: world.telemetry,
    owner,
    alone: memory.replicas === null,
    ...(memory.replicas && { leaseMs: memory.replicas.leaseMs, pollMs: memory.replicas.pollMs }),
    random: overrides.jitter,
    journalKeptMs: typeof config.journalRetentionDays === 'number' ? config.journalRetentionDays * 86_400_000 : null,
  });
}

function bookOf(
  { config, telemetry, store, kept, log }: Beginnings,
  first: LoadResult,
  onChange: PolicyBookParts['onChange'],
): PolicyBook {
  return createPolicyBook(first, {
    directory: config.policyDir,
    targets: targetSchemas,
    secrets: config.policySecrets,
    archive: store.policies,
    kept,
    onUnkept: (reason) => log.info({ reason }, 'each start reads all policies anew'),
    check: (policies) => unmetNeeds(config, policies),
    onProblem: (error) => telemetry.problem('policies', error),
    onWarnings: (lines) => log.warn(`The policies are in force, and have warnings:\n${lines}`),
    underWay: (isAsked) => servicesUnderWay(store, isAsked),
    onChange,
  });
}

function hearOthers({ memory }: Beginnings, worker: Worker, alertWatch: AlertWatch): void {
  memory.replicas?.onNotice(() => {
    worker.wake();
    alertWatch.unmatched();
  });
}

/** Slack shows the health, and is part of it. */
function lazily(health: () => Health): Health {
  return { parts: () => health().parts(), degraded: () => health().degraded() };
}

function parseAlerts(body: unknown): ParsedAlerts {
  try {
    return { alerts: parseWebhook(body).alerts };
  } catch (error) {
    if (error instanceof WebhookProblem) return { problem: error.message };
    throw error;
  }
}

/** A policy without one was refused at the start, unless it has no metrics: then there is nothing to read. */
function sourceOf(config: Config, prometheuses: (endpoint: Endpoint) => MetricSource, policy: Policy): MetricSource {
  const endpoint = prometheusOf(config, policy);
  return endpoint ? prometheuses(endpoint) : { read: async () => [] };
}
