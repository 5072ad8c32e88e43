import { LAPSED_AFTER_MS } from '../domain/alerting.ts';
import { compileSelector } from '../domain/match.ts';
import type { AlertSelector, Policy } from '../domain/policy.ts';
import type { Alert, ServiceState } from '../domain/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { UnmatchedBook } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Application } from './api.ts';
import type { Submission, Submit } from './submit.ts';

interface IntakeParts {
  readonly policies: Policies;
  readonly submit: Submit;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly unmatched: UnmatchedBook;
  readonly onUnmatched: (() => void) | undefined;
}

/** Takes a body of alerts in: each goes to every service with a policy that matches, one commit a service. */
export function createAlertIntake(parts: IntakeParts): Application['receiveAlerts'] {
  const { policies, submit, telemetry } = parts;
  return async function receiveAlerts(alerts, found) {
    const services = new Map<Policy, Submission[]>();
    const unmatched: Alert[] = [];
    const asked = policies.all().filter(({ service }) => !found || service === found.service);
    const listeners = asked.map((policy) => listenerOf(policy, found !== undefined));
    for (const alert of alerts) {
      const claims = listeners.flatMap((listener) => listener(alert) ?? []);
      if (claims.length === 0) unmatched.push(alert);
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
    // An Alertmanager holds everybody's alerts: only what was sent to us is missed by our policies.
    if (!found) await remember(parts, unmatched).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    const receipt = { matched: alerts.length - unmatched.length, unmatched: unmatched.length, duplicates };
    telemetry.alertsReceived(receipt);
    return receipt;
  };
}

async function remember(parts: IntakeParts, alerts: readonly Alert[]): Promise<void> {
  const { telemetry, clock, unmatched, onUnmatched } = parts;
  for (const { name, fingerprint } of alerts) telemetry.alertUnmatched({ name, fingerprint });
  if (alerts.length === 0) return;
  await unmatched.note(alerts, clock.now());
  onUnmatched?.();
}

interface Claim {
  readonly policy: Policy;
  readonly submission: Submission;
}

const ANY: AlertSelector = { matchers: [], severity: null };

/**
 * Whether an alert is this policy's, prepared once for a body of alerts; the first selector that matches says its severity.
 * The end of one that was found is the service's also where its policy was edited since and matches it no longer.
 */
function listenerOf(policy: Policy, found: boolean): (alert: Alert) => Claim | null {
  const selectors = policy.alerts.map((selector) => ({ selector, accepts: compileSelector(selector) }));
  return (alert) => {
    const match = selectors.find(({ accepts }) => accepts(alert.labels));
    const selector = match?.selector ?? (found && alert.status === 'resolved' ? ANY : null);
    return selector ? claim(policy, selector, alert, found) : null;
  };
}

function claim(policy: Policy, selector: AlertSelector, alert: Alert, found: boolean): Claim {
  const told = selector.severity ? { ...alert, severity: selector.severity } : alert;
  const key = `alert/${policy.service}/${alert.fingerprint}/${alert.startsAtMs}/${alert.status}`;
  return {
    policy,
    submission: {
      key,
      event: found ? { type: 'alert', alert: told, found } : { type: 'alert', alert: told },
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
