import type { Config } from '../config.ts';
import type { Http } from '../outbound/http.ts';
import type { Chat } from '../ports/chat.ts';
import type { Clock } from '../ports/clock.ts';
import type { Health } from '../ports/health.ts';
import type { Pager } from '../ports/pager.ts';
import type { Store } from '../ports/store.ts';
import type { ServerTelemetry } from '../server/telemetry.ts';
import { checkPrometheus } from '../sources/prometheus.ts';
import { prometheusOf } from './checks.ts';
import type { Duty } from './duty.ts';
import { createFileWatch } from './file-watch.ts';
import { createHealth, type Finding, type HealthChange, type HealthMonitor, keyOf } from './health.ts';
import { type CheckParts, createChecks } from './health-checks.ts';
import { createOperators, type Operators } from './operators.ts';
import type { OperatorsMemory } from './operators-memory.ts';
import { watchedChat, watchedPager } from './outcomes.ts';
import type { PolicyBook } from './policy-book.ts';
import { createStorePage, type StorePage } from './store-page.ts';
import { createWayOut, type WayOutParts } from './way-out.ts';

export interface HealthWatchParts {
  readonly config: Config;
  readonly http: Http;
  readonly store: Store;
  readonly instance: string;
  /** This process among the replicas, different at every start. */
  readonly owner: string;
  readonly book: PolicyBook;
  readonly slack: CheckParts['slack'] & { readonly chat: Chat };
  readonly pager: Pager;
  readonly application: Pick<CheckParts, 'lookAtTarget'> & Pick<WayOutParts, 'deliver'>;
  readonly alertmanagerOf: CheckParts['alertmanagerOf'];
  readonly telemetry: ServerTelemetry;
  /** What is outside answers in real time, whatever clock the decisions run on. */
  readonly clock: Clock;
  readonly memory: { readonly operators: OperatorsMemory; readonly clock: Clock | null };
  /** Which replica does what, by name; absent: this one does all. */
  readonly dutyOf?: ((name: string) => Duty) | undefined;
  /** Between rounds; 15 s. */
  readonly everyMs?: number | undefined;
}

export interface HealthWatch extends Health {
  /** The same as were given, with what came of each call remembered. */
  readonly chat: Chat;
  readonly pager: Pager;
  /** Reads the embedded database's file whole; null: there is none, or it takes longer than a person waits. */
  lookAtFile(): Promise<Finding | null>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The instance's health: looked at in the background, shown in metrics, told in the log and to operators. */
export function createHealthWatch(parts: HealthWatchParts): HealthWatch {
  const { config, http, store, book, clock, telemetry } = parts;
  const { clock: shared } = parts.memory;
  const chat = watchedChat(parts.slack.chat);
  const pager = watchedPager(parts.pager);
  const file = createFileWatch({
    inspect: store.inspect,
    clock,
    onProblem: (error) => telemetry.problem('file', error),
  });
  const checks = createChecks({
    store,
    lookAtFile: () => file.look(),
    book,
    policyDir: config.policyDir,
    slack: parts.slack,
    http,
    prometheusOf: (policy) => prometheusOf(config, policy),
    alertmanagerOf: parts.alertmanagerOf,
    checkPrometheus: (endpoint, signal) => checkPrometheus(http, endpoint, signal),
    lookAtTarget: parts.application.lookAtTarget,
    chat: chat.outcomes,
    pager: pager.outcomes,
    pages: () => config.pagerduty.routingKey !== null || book.all().some(({ escalate }) => escalate !== null),
    clockAheadMs: shared && (() => clock.now() - shared.now()),
    operationsChannel: config.operationsChannel,
  });
  const storePage = storePageOf(parts, pager);
  const wayOut = createWayOut({ store, policies: book, deliver: parts.application.deliver });
  let monitor: HealthMonitor | null = null;
  const duty = parts.dutyOf?.('operators');
  telemetry.watchHealth(() => ({
    parts: monitor?.each() ?? [],
    policies: { ok: book.problem() === null, loadedAtMs: book.loadedAtMs() },
  }));

  async function operatorsOf(channel: string | null): Promise<Operators | null> {
    if (channel === null) return null;
    const seen = (key: string) => monitor?.parts().find((part) => keyOf(part) === key) ?? null;
    const memory = parts.memory.operators;
    return createOperators({ store, chat, clock, telemetry, channel, memory, seen, ...(duty && { duty }) });
  }

  return {
    chat,
    pager,
    parts: () => monitor?.parts() ?? [],
    degraded: () => monitor?.degraded() ?? [],
    lookAtFile: () => file.now(),
    async start() {
      const operators = await operatorsOf(config.operationsChannel);
      await storePage.begin();
      monitor = createHealth({
        checks,
        clock,
        known: operators?.known ?? [],
        everyMs: parts.everyMs,
        onProblem: (error) => telemetry.problem('health', error),
        async onRound(signal) {
          await operators?.deliver(signal);
          await storePage.round(monitor?.degraded() ?? [], signal);
          await wayOut(monitor?.degraded() ?? []).catch((error) => telemetry.problem('way out', error));
        },
        onChange(change) {
          tell(telemetry, change);
          // Of one machine, and not of what all replicas lean on: versions before do not know it in what they share.
          if (change.now.part !== 'clock') operators?.changed(change);
        },
      });
      monitor.start();
    },
    async stop() {
      await monitor?.stop();
      await file.stop();
      await storePage.end();
      await duty?.release();
    },
  };
}

function tell(telemetry: ServerTelemetry, { now, text }: HealthChange): void {
  const { part, name, ok, detail } = now;
  telemetry.healthChanged({ part, name, ok, text, detail });
}

function storePageOf(parts: HealthWatchParts, pager: Pager): StorePage {
  const { config, store, telemetry, everyMs } = parts;
  return createStorePage({
    pager,
    instance: parts.instance,
    isPossible: config.pagerduty.routingKey !== null,
    duties: store.duties,
    owner: parts.owner,
    clock: parts.memory.clock ?? parts.clock,
    ...(everyMs !== undefined && { leaseMs: 3 * everyMs }),
    onProblem: (error) => telemetry.problem('page of the database', error),
  });
}
