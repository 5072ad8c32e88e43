interface Count {
  /** As Prometheus reads it, up to the number. */
  readonly head: string;
  value: number;
}

/** A counter by service and a few kinds, as prom-client's own is called. */
export interface ServiceCounter<Label extends string> {
  inc(labels: Readonly<Record<Label, string>>): void;
  /** As Prometheus reads it. */
  lines(): Iterable<string>;
}

/**
 * Tens of thousands of these come together where there are thousands of services, and a scrape shows all of them: each is put into
 * words once. Values of labels need no escaping: they are names of services and words of ours.
 */
export function createServiceCounter<Label extends string>(parts: {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}): ServiceCounter<Label> {
  const { name, help, labelNames } = parts;
  const counts = new Map<string, Count>();
  return {
    inc(labels) {
      let key = '';
      for (const label of labelNames) key += `${labels[label]} `;
      const known = counts.get(key);
      if (known) known.value += 1;
      else {
        const named = labelNames.map((label) => `${label}="${labels[label]}"`).join(',');
        counts.set(key, { head: `${name}{${named}}`, value: 1 });
      }
    },
    *lines() {
      yield `# HELP ${name} ${help}\n# TYPE ${name} counter\n`;
      for (const { head, value } of counts.values()) yield `${head} ${value}\n`;
    },
  };
}
