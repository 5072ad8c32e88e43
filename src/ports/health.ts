/** The kinds of what Lastgood leans on, in the order in which people are told of them. */
export const healthKinds = [
  'store',
  /** The embedded database's file, read whole once a day. */
  'file',
  'policies',
  'slack',
  'channel',
  'prometheus',
  'alertmanager',
  'target',
  'pagerduty',
  /** How far this machine's clock is from the database's, by which all replicas go. */
  'clock',
] as const;

/** Each has a name of its own: `target/fraud-scorer`, `prometheus/http://prometheus:9090`. */
export type HealthKind = (typeof healthKinds)[number];

/** How one of them does, as last seen. */
export interface HealthPart {
  readonly part: HealthKind;
  /** Without credentials. */
  readonly name: string;
  /** False only after two failures in a row; true again with the first success. */
  readonly ok: boolean;
  /** Since when it is as `ok` says, Unix ms; of trouble: since its first failure. */
  readonly sinceMs: number;
  /** What it last said, or why it could not. */
  readonly detail: string;
  /** Failures in a row, while `ok` too: one alone may be chance. */
  readonly failures: number;
}

/** What goes without which part, and what still works: a sentence for people. */
export interface DegradedMode {
  readonly part: HealthKind;
  readonly name: string;
  readonly sinceMs: number;
  readonly text: string;
}

/** The health of this instance, as its background checks last saw it. Never asks anybody, never throws. */
export interface Health {
  parts(): readonly HealthPart[];
  degraded(): readonly DegradedMode[];
}
