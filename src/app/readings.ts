import type { Application, Status } from '../application/api.ts';
import { isEnded } from '../domain/turn.ts';
import type { Store } from '../ports/store.ts';
import type { Readings, ServiceReading } from '../server/metrics.ts';

/** What is true now, for the gauges. */
export async function takeReadings(application: Pick<Application, 'statuses'>, store: Store): Promise<Readings> {
  const [statuses, jobsPending] = await Promise.all([application.statuses(), store.jobs.pending()]);
  return { services: statuses.map(readingOf), jobsPending };
}

function readingOf({ policy, state }: Status): ServiceReading {
  const { rollout, degradation } = state;
  return {
    service: policy.service,
    phase: rollout?.phase.name ?? null,
    exposurePercent: rollout && !isEnded(rollout.phase) ? rollout.exposurePercent : null,
    degradationOpen: degradation !== null && degradation.stage.name !== 'ended',
    frozen: state.freeze !== null,
    automationOff: state.automationOff !== null,
  };
}
