import { headOf } from './exposition.ts';

/** A counter by service and a few kinds, called as prom-client's own are. */
export interface ServiceCounter<Label extends string> {
  inc(labels: Readonly<Record<'service' | Label, string>>): void;
  /** As Prometheus reads it: by service, in the order in which they were first counted. */
  lines(): Iterable<string>;
}

/** The place of each service in the lists of counts; counters have them in common. */
export type ServicePlaces = Map<string, number>;

/**
 * There may be tens of thousands of these, for there may be thousands of services: what is kept of one is a number in a list of its
 * kind, and it is put into words while it is sent. Values of labels need no escaping: they are names of services and words of ours.
 */
export function createServiceCounter<Label extends string>(parts: {
  readonly name: string;
  readonly help: string;
  /** Besides `service`. Each has a few values. */
  readonly labelNames: readonly Label[];
  readonly places: ServicePlaces;
}): ServiceCounter<Label> {
  const { name, help, labelNames, places } = parts;
  /** By the labels of a kind as Prometheus reads them: how often it came, at the place of each service. */
  const kinds = new Map<string, number[]>();
  return {
    inc(labels) {
      let kind = '';
      for (const label of labelNames) kind += `,${label}="${labels[label]}"`;
      const counts = kinds.get(kind) ?? [];
      if (counts.length === 0) kinds.set(kind, counts);
      const place = places.get(labels.service) ?? places.size;
      if (place === places.size) places.set(labels.service, place);
      // Without gaps: a list with gaps is kept in another way and takes longer.
      while (counts.length <= place) counts.push(0);
      counts[place] = (counts[place] ?? 0) + 1;
    },
    *lines() {
      yield headOf(name, help, 'counter');
      for (const [service, place] of places) {
        for (const [kind, counts] of kinds) {
          const count = counts[place] ?? 0;
          if (count > 0) yield `${name}{service="${service}"${kind}} ${count}\n`;
        }
      }
    },
  };
}
