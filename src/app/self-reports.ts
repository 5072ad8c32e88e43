import type { Application } from '../application/api.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../domain/policy.ts';
import type { Circuit } from '../outbound/breaker.ts';
import type { Http } from '../outbound/http.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Doors } from '../server/routes.ts';
import type { ServerTelemetry } from '../server/telemetry.ts';
import { checkPrometheus } from '../sources/prometheus.ts';
import { prometheusOf } from './checks.ts';
import { createDoctor, type DoctorParts } from './doctor.ts';
import type { PolicyBook } from './policy-book.ts';
import { createReadiness, type ReadinessParts } from './readiness.ts';

/** What the instance answers when it is asked how it does: probes in short, operators at length. */
export function selfReports(parts: {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: ServerTelemetry;
  readonly book: PolicyBook;
  readonly slack: ReadinessParts['slack'] & { circuit(): Circuit };
  readonly health: DoctorParts['health'];
  readonly http: Http;
  readonly application: Pick<Application, 'unmatched'>;
  readonly circuits: () => readonly Circuit[];
}): Pick<Doors, 'readiness' | 'doctor'> {
  const { config, store, clock, telemetry, book, slack, health, http, application, circuits } = parts;
  return {
    readiness: createReadiness({
      store,
      book,
      slack,
      health,
      prometheuses: () => distinct(book.all().map((policy) => prometheusOf(config, policy))),
      checkPrometheus: (endpoint, signal) => checkPrometheus(http, endpoint, signal),
    }),
    doctor: createDoctor({
      health,
      circuits,
      book,
      store,
      application,
      now: () => clock.now(),
      onProblem: (error) => telemetry.problem('doctor', error),
    }),
  };
}

function distinct(endpoints: readonly (Endpoint | null)[]): Endpoint[] {
  const byContent = endpoints.flatMap((e) => (e === null ? [] : [[JSON.stringify(e), e] as const]));
  return [...new Map(byContent).values()];
}
