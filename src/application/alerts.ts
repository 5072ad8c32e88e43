import { LAPSED_AFTER_MS } from '../domain/alerting.ts';
import { compileSelector } from '../domain/match.ts';
import type { AlertSelector, Policy } from '../domain/policy.ts';
import type { Alert, ServiceState } from '../domain/state.ts';
import type { Policies } from '../ports/policies.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AlertReceipt } from './api.ts';
import type { Submission, Submit } from './submit.ts';

/** Takes a body of alerts in: each goes to every service with a policy that matches, one commit a service. */
export function createAlertIntake(parts: { policies: Policies; submit: Submit; telemetry: Telemetry }) {
  const { policies, submit, telemetry } = parts;
  return async function receiveAlerts(alerts: readonly Alert[]): Promise<AlertReceipt> {
    const services = new Map<Policy, Submission[]>();
    let unmatched = 0;
    const listeners = policies.all().map(listenerOf);
    for (const alert of alerts) {
      const claims = listeners.flatMap((listener) => listener(alert) ?? []);
      if (claims.length === 0) {
        unmatched += 1;
        telemetry.alertUnmatched({ name: alert.name, fingerprint: alert.fingerprint });
      }
      for (const { policy, submission } of claims) {
        const batch = services.get(policy);
        if (batch) batch.push(submission);
        else services.set(policy, [submission]);
      }
    }
    let duplicates = 0;
    const failures: unknown[] = [];
    for (const [policy, batch] of services) {
      try {
        const outcomes = await submit.batch(policy, batch);
        duplicates += outcomes.filter((outcome) => outcome === 'duplicate').length;
      } catch (error) {
        // The others' are stored all the same: the sender comes again with all of them, and theirs are duplicates then.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    const receipt = { matched: alerts.length - unmatched, unmatched, duplicates };
    telemetry.alertsReceived(receipt);
    return receipt;
  };
}

interface Claim {
  readonly policy: Policy;
  readonly submission: Submission;
}

/** Whether an alert is this policy's, prepared once for a body of alerts; the first selector that matches says its severity. */
function listenerOf(policy: Policy): (alert: Alert) => Claim | null {
  const selectors = policy.alerts.map((selector) => ({ selector, accepts: compileSelector(selector) }));
  return (alert) => {
    const match = selectors.find(({ accepts }) => accepts(alert.labels));
    return match ? claim(policy, match.selector, alert) : null;
  };
}

function claim(policy: Policy, selector: AlertSelector, alert: Alert): Claim {
  const told = selector.severity ? { ...alert, severity: selector.severity } : alert;
  const key = `alert/${policy.service}/${alert.fingerprint}/${alert.startsAtMs}/${alert.status}`;
  return {
    policy,
    submission: {
      key,
      event: { type: 'alert', alert: told },
      anew: (state, nowMs) => lapsedKey(key, alert, state, nowMs),
    },
  };
}

function lapsedKey(key: string, alert: Alert, state: ServiceState, nowMs: number): string | null {
  const known = state.alerts.find((one) => one.fingerprint === alert.fingerprint);
  if (!known || known.startsAtMs !== alert.startsAtMs || known.status === alert.status) return null;
  // It lapsed and fires on; then this new firing ends.
  const lapsed = alert.status === 'firing' && known.endsAtMs !== null && nowMs - known.endsAtMs >= LAPSED_AFTER_MS;
  if (lapsed) return `${key}/${known.endsAtMs}`;
  return alert.status === 'resolved' && alert.endsAtMs !== null ? `${key}/${alert.endsAtMs}` : null;
}
