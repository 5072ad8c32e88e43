import type { ActiveAlert } from './rules.ts';
import { keyOf } from './samples.ts';

/** Prometheus' `--rules.alert.resend-delay`: how soon a firing alert is told again although nothing changed. */
const RESEND_AFTER_MS = 60_000;
/** An alert that is not told again by then counts as over (four times the resend delay, as Prometheus has it). */
const VALID_FOR_MS = 4 * RESEND_AFTER_MS;

/** Tells an Alertmanager of firing and resolved alerts: at once when one changes, and again every minute. */
export class Notifier {
  private readonly alertmanagerUrl: string;
  private readonly externalUrl: string;
  /** What was last accepted of each alert, and when. */
  private readonly told = new Map<
    string,
    { readonly state: string; readonly startsAtMs: number; readonly atMs: number }
  >();

  constructor(alertmanagerUrl: string, externalUrl: string) {
    this.alertmanagerUrl = alertmanagerUrl;
    this.externalUrl = externalUrl;
  }

  /** What is not accepted is told again in the next round. Throws where the Alertmanager cannot be reached or refuses. */
  async send(
    alerts: readonly { readonly alert: ActiveAlert; readonly expression: string }[],
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const due = alerts.filter(({ alert }) => alert.state !== 'pending' && this.isDue(alert, nowMs));
    if (due.length === 0) return;
    const response = await fetch(`${this.alertmanagerUrl}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(due.map(({ alert, expression }) => this.body(alert, expression, nowMs))),
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Alertmanager answered ${response.status} to alerts: ${text.slice(0, 200)}`);
    for (const { alert } of due) {
      this.told.set(keyOf(alert.labels), { state: alert.state, startsAtMs: alert.firedAtMs ?? 0, atMs: nowMs });
    }
  }

  private isDue(alert: ActiveAlert, nowMs: number): boolean {
    const told = this.told.get(keyOf(alert.labels));
    if (told?.state !== alert.state || told.startsAtMs !== alert.firedAtMs) return true;
    return nowMs - told.atMs >= RESEND_AFTER_MS;
  }

  private body(alert: ActiveAlert, expression: string, nowMs: number): object {
    const query = new URLSearchParams({ 'g0.expr': expression, 'g0.tab': '1' });
    return {
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.firedAtMs ?? nowMs).toISOString(),
      endsAt: new Date(alert.resolvedAtMs ?? nowMs + VALID_FOR_MS).toISOString(),
      generatorURL: `${this.externalUrl}/graph?${query}`,
    };
  }
}
