import { pause } from '../pause.ts';
import { type HeldAlert, isResolved, webhookBody } from './message.ts';

export interface Receiver {
  readonly name: string;
  readonly webhookUrl: string;
  readonly bearerToken: string;
}

export interface GroupOptions {
  readonly receiver: Receiver;
  readonly groupBy: readonly string[];
  /** From the first alert of a group to its first message, and between two messages. */
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  /** When a message that did not change is sent again. */
  readonly repeatIntervalMs: number;
  readonly externalUrl: string;
  readonly onProblem: (problem: string) => void;
}

/** A delivery may take this long, retries included (Alertmanager's own least). */
const LEAST_CYCLE_MS = 10_000;
const FIRST_RETRY_MS = 500;
const RETRY_FACTOR = 1.5;

/** Alerts with the same group labels, and what the receiver was last told of them. */
export class AlertGroup {
  private readonly options: GroupOptions;
  private readonly stopping: AbortSignal;
  private readonly alerts = new Map<string, HeldAlert>();
  /** What the last accepted message said of each alert. */
  private told = new Map<string, string>();
  private toldAtMs = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(options: GroupOptions, stopping: AbortSignal) {
    this.options = options;
    this.stopping = stopping;
    stopping.addEventListener('abort', () => this.timer && clearTimeout(this.timer), { once: true });
  }

  /** A newer word about an alert. One that goes on keeps its beginning; one that begins anew after its end has a new one. */
  put(alert: HeldAlert): void {
    const before = this.alerts.get(alert.fingerprint);
    const goesOn = before !== undefined && before.endsAtMs >= alert.startsAtMs;
    const startsAtMs = goesOn ? Math.min(before.startsAtMs, alert.startsAtMs) : alert.startsAtMs;
    this.alerts.set(alert.fingerprint, { ...alert, startsAtMs });
    if (this.timer === null && !this.stopping.aborted) this.flushIn(this.options.groupWaitMs);
  }

  firing(nowMs: number): readonly HeldAlert[] {
    return [...this.alerts.values()].filter((alert) => !isResolved(alert, nowMs));
  }

  private flushIn(ms: number): void {
    this.timer = setTimeout(() => {
      this.flush()
        .catch((error: unknown) => this.options.onProblem(messageOf(error)))
        .finally(() => {
          this.timer = null;
          if (this.alerts.size > 0 && !this.stopping.aborted) this.flushIn(this.options.groupIntervalMs);
        });
    }, ms);
  }

  private async flush(): Promise<void> {
    const nowMs = Date.now();
    const { receiver, groupBy, externalUrl, repeatIntervalMs } = this.options;
    // An alert that was never told of while it fired is nobody's business once it is over.
    const alerts = [...this.alerts.values()].filter(
      (alert) => !isResolved(alert, nowMs) || this.told.has(alert.fingerprint),
    );
    const now = new Map(alerts.map((alert) => [alert.fingerprint, identity(alert, nowMs)]));
    const changed = [...now].some(([fingerprint, said]) => this.told.get(fingerprint) !== said);
    const due = changed || (alerts.length > 0 && nowMs - this.toldAtMs >= repeatIntervalMs);
    if (due) {
      const body = webhookBody({ receiver: receiver.name, groupBy, externalUrl, alerts: sortedAlerts(alerts), nowMs });
      if (!(await this.deliver(body))) return;
      this.told = now;
      this.toldAtMs = nowMs;
    }
    for (const [fingerprint, alert] of this.alerts) {
      if (!isResolved(alert, nowMs)) continue;
      this.alerts.delete(fingerprint);
      this.told.delete(fingerprint);
    }
  }

  /** Tries again after 5xx and broken connections until the cycle is over; what is refused with 4xx waits for the next one. */
  private async deliver(body: string): Promise<boolean> {
    const until = Date.now() + Math.max(LEAST_CYCLE_MS, this.options.groupIntervalMs);
    let problem = '';
    for (let waitMs = FIRST_RETRY_MS; Date.now() < until && !this.stopping.aborted; waitMs *= RETRY_FACTOR) {
      const status = await this.post(body, until - Date.now()).catch((error: unknown) => messageOf(error));
      if (typeof status === 'number' && status >= 200 && status < 300) return true;
      problem = typeof status === 'number' ? `answered ${status}` : `could not be reached: ${status}`;
      if (typeof status === 'number' && status < 500) break;
      await pause(Math.min(waitMs, Math.max(0, until - Date.now())), this.stopping);
    }
    if (!this.stopping.aborted) this.options.onProblem(`${this.options.receiver.webhookUrl} ${problem}`);
    return false;
  }

  private async post(body: string, withinMs: number): Promise<number> {
    const { webhookUrl, bearerToken } = this.options.receiver;
    const response = await fetch(webhookUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Alertmanager/0.25.0',
        authorization: `Bearer ${bearerToken}`,
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([this.stopping, AbortSignal.timeout(Math.max(1, withinMs))]),
    });
    await response.arrayBuffer();
    return response.status;
  }
}

function identity(alert: HeldAlert, nowMs: number): string {
  return `${isResolved(alert, nowMs) ? 'resolved' : 'firing'} ${alert.startsAtMs}`;
}

function sortedAlerts(alerts: readonly HeldAlert[]): HeldAlert[] {
  const order = ({ labels }: HeldAlert) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  return alerts.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
