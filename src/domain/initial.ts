import type { ServiceState } from './state.ts';

/** A service nothing was ever heard of. */
export function initialState(service: string, now: number): ServiceState {
  return {
    schema: 1,
    service,
    clockMs: now,
    freeze: null,
    automationOff: null,
    served: [],
    rollout: null,
    degradation: null,
    past: { rollouts: [], degradations: [] },
    alerts: [],
    shift: null,
    assertedPercent: null,
    look: null,
    probe: null,
    timers: {},
    sequence: 0,
    counts: { rollouts: 0, degradations: 0 },
  };
}
