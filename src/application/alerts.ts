import { LAPSED_AFTER_MS } from '../domain/alerting.ts';
import type { AlertSelector, Policy } from '../domain/policy.ts';
import type { Alert, ServiceState } from '../domain/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Application } from './api.ts';
import { type Backlog, type BacklogParts, createBacklog } from './backlog.ts';
import { createListeners, type Listener } from './listeners.ts';
import type { Submission, Submit } from './submit.ts';
import { SERVICES_AT_A_TIME } from './together.ts';

interface IntakeParts {
  readonly store: BacklogParts['store'];
  readonly policies: Policies;
  readonly submit: Submit;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly onUnmatched: (() => void) | undefined;
}

export type AlertIntake = Pick<Application, 'receiveAlerts'> & Pick<Backlog, 'takeLeftBehind' | 'drained'>;

/** Takes a body of alerts in: each goes to every service with a policy that matches, one commit a service. */
export function createAlertIntake(parts: IntakeParts): AlertIntake {
  const { policies, telemetry } = parts;
  const listeners = createListeners();
  const backlog = createBacklog({ ...parts, submissionOf: (service, alert) => submissionOf(service, alert, false) });
  async function receiveAlerts(
    alerts: readonly Alert[],
    found?: { readonly service: string },
  ): ReturnType<Application['receiveAlerts']> {
    const services = new Map<Policy, Alert[]>();
    const unmatched: Alert[] = [];
    const all = policies.all();
    const ofService = found && all.filter(({ service }) => service === found.service).map(listeners.of);
    const asked = ofService ? () => ofService : listeners.among(all);
    for (const alert of alerts) {
      const claims = asked(alert).flatMap((one) => claimOf(one, alert, found !== undefined) ?? []);
      if (claims.length === 0) unmatched.push(alert);
      for (const { policy, told } of claims) {
        const batch = services.get(policy);
        if (batch) batch.push(told);
        else services.set(policy, [told]);
      }
    }
    const failures: unknown[] = [];
    const duplicates = await inTurn([...services], async ([policy, batch]) => {
      const submissions = batch.map((alert) => submissionOf(policy.service, alert, found !== undefined));
      try {
        return await backlog.take(policy, batch, submissions, found !== undefined);
      } catch (error) {
        // The others' are stored all the same: the sender comes again with all of them, and theirs are duplicates then.
        failures.push(error);
        return 0;
      }
    });
    // An Alertmanager holds everybody's alerts: only what was sent to us is missed by our policies.
    if (!found) await remember(parts, unmatched).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    const receipt = { matched: alerts.length - unmatched.length, unmatched: unmatched.length, duplicates };
    telemetry.alertsReceived(receipt);
    return receipt;
  }
  return { receiveAlerts, takeLeftBehind: backlog.takeLeftBehind, drained: backlog.drained };
}

/** The sum of what each comes to; begun together, so that they share a flush, but not all of a long body at once. */
async function inTurn<T>(items: T[], work: (item: T) => Promise<number>): Promise<number> {
  let sum = 0;
  const one = async () => {
    for (let item = items.shift(); item !== undefined; item = items.shift()) {
      const came = await work(item);
      sum += came;
    }
  };
  await Promise.all(Array.from({ length: Math.min(items.length, SERVICES_AT_A_TIME) }, one));
  return sum;
}

async function remember(parts: IntakeParts, alerts: readonly Alert[]): Promise<void> {
  const { telemetry, clock, store, onUnmatched } = parts;
  for (const { name, fingerprint } of alerts) telemetry.alertUnmatched({ name, fingerprint });
  if (alerts.length === 0) return;
  await store.unmatched.note(alerts, clock.now());
  onUnmatched?.();
}

interface Claim {
  readonly policy: Policy;
  /** With the severity that the policy gives it. */
  readonly told: Alert;
}

const ANY: AlertSelector = { matchers: [], severity: null };

/**
 * Whether an alert is this policy's; the first selector that matches says its severity. The end of one that was found is the
 * service's also where its policy was edited since and matches it no longer.
 */
function claimOf({ policy, hear }: Listener, alert: Alert, found: boolean): Claim | null {
  const selector = hear(alert) ?? (found && alert.status === 'resolved' ? ANY : null);
  if (!selector) return null;
  return { policy, told: selector.severity ? { ...alert, severity: selector.severity } : alert };
}

function submissionOf(service: string, alert: Alert, found: boolean): Submission {
  const key = `alert/${service}/${alert.fingerprint}/${alert.startsAtMs}/${alert.status}`;
  return {
    key,
    event: found ? { type: 'alert', alert, found } : { type: 'alert', alert },
    anew: (state, nowMs) => lapsedKey(key, alert, state, nowMs),
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
