import type { Traffic } from '../traffic.ts';

/** One way of deciding whether to roll back, looked at once a minute after the warm-up. */
export interface Method {
  readonly name: string;
  /** The minute of the first look that would roll back; null: none within the run. */
  firstAlarm(traffic: Traffic): number | null;
}
