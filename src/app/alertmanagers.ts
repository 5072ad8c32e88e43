import { createAlertSource } from '../alerts/index.ts';
import type { Config } from '../config.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';
import type { Http } from '../outbound/http.ts';
import type { AlertSource } from '../ports/alert-source.ts';
import type { Clock } from '../ports/clock.ts';
import { bring } from '../runtime/performers/message.ts';
import type { World } from '../runtime/performers/performer.ts';
import type { Logger } from '../server/logger.ts';
import { alertmanagerOf } from './checks.ts';
import type { Duty } from './duty.ts';
import { createReconciler, type Reconciler, type ReconcilingParts } from './reconciling.ts';
import { createUnmatchedTelling, type Telling } from './unmatched-telling.ts';

/** The Alertmanagers of the policies, to ask and to silence. */
export interface Alertmanagers {
  endpointOf(policy: Policy): Endpoint | null;
  at(endpoint: Endpoint): AlertSource;
  of(policy: Policy): AlertSource | null;
}

export function createAlertmanagers(parts: {
  readonly config: Config;
  readonly http: Http;
  readonly clock: Clock;
  readonly instance: string;
}): Alertmanagers {
  const { config, http, clock, instance } = parts;
  const endpointOf = (policy: Policy) => alertmanagerOf(config, policy);
  const at = (endpoint: Endpoint) => createAlertSource({ http, endpoint, instance, now: () => clock.now() });
  return {
    endpointOf,
    at,
    of(policy) {
      const endpoint = endpointOf(policy);
      return endpoint ? at(endpoint) : null;
    },
  };
}

/** What goes on by itself about alerts: asking Alertmanager, and telling of those that no policy matches. */
export interface AlertWatch extends Pick<Reconciler, 'start' | 'settled' | 'stop'> {
  policiesChanged(): void;
  /** Alerts came that no policy matches. */
  unmatched(): void;
}

export function createAlertWatch(parts: {
  readonly config: Config;
  readonly alertmanagers: Alertmanagers;
  readonly application: ReconcilingParts['application'];
  readonly world: World;
  readonly log: Logger;
  /** Which replica does what, by name; absent: this one does all. */
  readonly dutyOf?: ((name: string) => Duty) | undefined;
}): AlertWatch {
  const { config, alertmanagers, application, world, log, dutyOf } = parts;
  const { store, clock, telemetry } = world;
  const reconciler = createReconciler({
    application,
    store,
    clock,
    endpointOf: alertmanagers.endpointOf,
    sourceOf: alertmanagers.at,
    onReach({ url }, ok, problem) {
      // People are told by the health checks, once; this is for who looks closer.
      const text = ok ? 'Alertmanager answers' : `${problem} Nothing is taken for resolved meanwhile.`;
      log.debug({ alertmanager: url }, text);
    },
    onProblem: (error) => telemetry.problem('alertmanager', error),
    ...(dutyOf && { duty: dutyOf('alertmanagers') }),
  });
  const telling =
    config.defaultChannel === null ? null : tellingOf(config.defaultChannel, world, dutyOf?.('unmatched'));
  return {
    start() {
      reconciler.start();
      telling?.start();
    },
    policiesChanged: () => reconciler.wake(),
    unmatched: () => telling?.wake(),
    async settled() {
      await reconciler.settled();
      await telling?.settled();
    },
    async stop() {
      await Promise.all([reconciler.stop(), telling?.stop()]);
    },
  };
}

function tellingOf(channel: string, world: World, duty: Duty | undefined): Telling {
  const { store, clock, telemetry, policies } = world;
  return createUnmatchedTelling({
    channel,
    book: store.unmatched,
    policies: () => policies.all(),
    bring: (message, signal) => bring(world, message, signal, duty?.stillOurs),
    duty,
    clock,
    onProblem: (error) => telemetry.problem(`default channel ${channel}`, error),
  });
}
