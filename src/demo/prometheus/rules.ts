import { keyOf, type Labels, type SampleStore } from './samples.ts';

/** An alert rule, written twice: for the real Prometheus in PromQL, for the stand-in as a function that means the same. */
export interface AlertRule {
  readonly name: string;
  readonly expression: string;
  readonly forMs: number;
  readonly labels: Labels;
  /** With `{{ $labels.version }}`, `{{ $value }}` and `{{ $value | humanizePercentage }}` in them. */
  readonly annotations: Labels;
  /** The series the expression leaves over at a moment, with their values. */
  evaluate(store: SampleStore, atMs: number): readonly { readonly labels: Labels; readonly value: number }[];
}

export interface ActiveAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing' | 'resolved';
  /** When its condition was first true. */
  readonly activeAtMs: number;
  readonly firedAtMs: number | null;
  readonly resolvedAtMs: number | null;
  readonly value: number;
}

/** Resolved alerts are kept this long, so that they can be told again (Prometheus' resolvedRetention). */
const RESOLVED_KEPT_MS = 15 * 60_000;

/** What a rule's alerts do over time: pending until `for` is over, then firing, then resolved. */
export class RuleState {
  readonly rule: AlertRule;
  private alerts = new Map<string, ActiveAlert>();

  constructor(rule: AlertRule) {
    this.rule = rule;
  }

  /** Every alert that is or was just active, resolved ones included. */
  evaluate(store: SampleStore, nowMs: number): readonly ActiveAlert[] {
    const next = new Map<string, ActiveAlert>();
    for (const { labels: found, value } of this.rule.evaluate(store, nowMs)) {
      const { __name__: _, ...rest } = found;
      const labels = { ...rest, ...this.rule.labels, alertname: this.rule.name };
      const key = keyOf(labels);
      const before = this.alerts.get(key);
      const activeAtMs = before && before.state !== 'resolved' ? before.activeAtMs : nowMs;
      const firing = nowMs - activeAtMs >= this.rule.forMs;
      next.set(key, {
        labels,
        annotations: fill(this.rule.annotations, labels, value),
        state: firing ? 'firing' : 'pending',
        activeAtMs,
        firedAtMs: firing ? (before?.state === 'firing' ? before.firedAtMs : nowMs) : null,
        resolvedAtMs: null,
        value,
      });
    }
    for (const [key, before] of this.alerts) {
      const ended = next.has(key) ? null : this.ended(before, nowMs);
      if (ended) next.set(key, ended);
    }
    this.alerts = next;
    return [...next.values()];
  }

  /** As /api/v1/alerts lists them. */
  active(): readonly ActiveAlert[] {
    return [...this.alerts.values()].filter(({ state }) => state !== 'resolved');
  }

  private ended(before: ActiveAlert, nowMs: number): ActiveAlert | null {
    if (before.state === 'pending') return null;
    if (before.state === 'firing') return { ...before, state: 'resolved', resolvedAtMs: nowMs };
    return nowMs - (before.resolvedAtMs ?? 0) > RESOLVED_KEPT_MS ? null : before;
  }
}

function fill(annotations: Labels, labels: Labels, value: number): Labels {
  const entries = Object.entries(annotations).map(([name, template]) => {
    const text = template
      .replace(/\{\{\s*\$labels\.(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '')
      .replace(/\{\{\s*\$value\s*\|\s*humanizePercentage\s*\}\}/g, `${Number((value * 100).toPrecision(4))}%`)
      .replace(/\{\{\s*\$value\s*\}\}/g, String(value));
    return [name, text] as const;
  });
  return Object.fromEntries(entries);
}
