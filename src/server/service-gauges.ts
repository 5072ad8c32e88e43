import type { Phase } from '../domain/state.ts';
import { headOf } from './exposition.ts';

/** What is true now of a service. */
export interface ServiceReading {
  readonly service: string;
  /** Null: no rollout was ever made. */
  readonly phase: Phase['name'] | null;
  /** The candidate's share; null without a rollout under way. */
  readonly exposurePercent: number | null;
  readonly degradationOpen: boolean;
  readonly frozen: boolean;
  readonly automationOff: boolean;
}

interface ServiceGauge {
  readonly name: string;
  readonly help: string;
  /** Null: there is nothing to show of this one. */
  readonly value: (reading: ServiceReading) => number | null;
  /** Besides `service`. */
  readonly label?: (reading: ServiceReading) => string;
}

const gauges: readonly ServiceGauge[] = [
  {
    name: 'lastgood_rollout_phase',
    help: 'The phase the latest rollout of a service is in (1 for that phase).',
    value: ({ phase }) => (phase === null ? null : 1),
    label: ({ phase }) => `,phase="${phase}"`,
  },
  {
    name: 'lastgood_exposure_percent',
    help: "The candidate's share of traffic, 0 to 100, as last read back; absent without a rollout under way.",
    value: ({ exposurePercent }) => exposurePercent,
  },
  {
    name: 'lastgood_degradation_open',
    help: '1 while a degradation of the service is open.',
    value: ({ degradationOpen }) => Number(degradationOpen),
  },
  { name: 'lastgood_frozen', help: '1 while frozen.', value: ({ frozen }) => Number(frozen) },
  {
    name: 'lastgood_automation_off',
    help: '1 while automation is switched off.',
    value: ({ automationOff }) => Number(automationOff),
  },
];

/**
 * The gauges of all services as Prometheus reads them, line by line: there may be thousands of services, so a line is there only while
 * it is sent. Names of services need no escaping: they are small letters, digits and dashes.
 */
export function* serviceGauges(readings: readonly ServiceReading[]): Iterable<string> {
  for (const { name, help, value, label } of gauges) {
    yield headOf(name, help, 'gauge');
    for (const reading of readings) {
      const number = value(reading);
      if (number !== null) yield `${name}{service="${reading.service}"${label?.(reading) ?? ''}} ${number}\n`;
    }
  }
}
