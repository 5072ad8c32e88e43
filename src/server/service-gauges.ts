import type { Phase } from '../domain/state.ts';

/** What is true now of a service. The same object from scrape to scrape, where nothing of it has changed. */
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
 * The gauges of all services as Prometheus reads them, line by line. There may be thousands of services, of which a few change between two scrapes:
 * only those are put into words again. Names of services need no escaping: they are small letters, digits and dashes.
 */
export function createServiceGauges(): (readings: readonly ServiceReading[]) => Iterable<string> {
  const written = new WeakMap<ServiceReading, readonly string[]>();
  const linesOf = (reading: ServiceReading): readonly string[] => {
    const known = written.get(reading);
    if (known) return known;
    const lines = gauges.map(({ name, value, label }) => {
      const number = value(reading);
      if (number === null) return '';
      // Joined into one piece: what is put together otherwise is kept in as many pieces as it was made of.
      return [name, '{service="', reading.service, '"', label?.(reading) ?? '', '} ', number, '\n'].join('');
    });
    written.set(reading, lines);
    return lines;
  };
  return function* (readings) {
    for (const [at, { name, help }] of gauges.entries()) {
      yield `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
      for (const reading of readings) yield linesOf(reading)[at] ?? '';
    }
  };
}
