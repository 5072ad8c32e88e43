import { isAlertmanagers, LAPSED_AFTER_MS } from '../domain/alerting.ts';
import { compileSelector } from '../domain/match.ts';
import type { Policy } from '../domain/policy.ts';
import type { Alert, ServiceState } from '../domain/state.ts';
import type { AlertList } from '../ports/alert-source.ts';

/**
 * An Alertmanager that came up just now holds nothing until Prometheus has sent again, which it does about once a minute
 * (`--rules.alert.resend-delay`, 1 min by default): absence from a younger one's list says nothing.
 */
export const KNOWS_AFTER_MS = 3 * 60_000;

/**
 * What began to fire less than this ago may still be on its way: Alertmanager gathers a group for `group_wait` (30 s by default)
 * before it tells anybody.
 */
export const ON_ITS_WAY_MS = 60_000;

/** What of a state hangs on alerts. */
export type OfAlerts = Pick<ServiceState, 'alerts' | 'degradation'>;

export interface Reconciling {
  readonly list: AlertList;
  /** Of the services that have this Alertmanager. */
  readonly policies: readonly Policy[];
  /** Read after the list. */
  readonly states: ReadonlyMap<string, OfAlerts>;
  /** What the answer before this one lacked as well, as `absent` of its plan; empty where that is long ago. */
  readonly absentBefore: ReadonlySet<string>;
  /** When what was waited for was seen first, as `awaited` of the plan before. */
  readonly awaitedBefore: ReadonlyMap<string, number>;
  /** Since when it has answered without a break (Unix ms): counts where it does not tell since when it runs. */
  readonly answersSinceMs: number;
  readonly nowMs: number;
}

export interface Plan {
  /** What is to be delivered as found, by service. */
  readonly found: ReadonlyMap<string, readonly Alert[]>;
  /** Known as firing and not in the list: resolved, if the next answer agrees. */
  readonly absent: ReadonlySet<string>;
  /** Fires there and is not known here, and its webhook may come yet: when it was seen first (Unix ms). */
  readonly awaited: ReadonlyMap<string, number>;
}

/**
 * What Alertmanager's list and our states differ in. Fires there and is not known here: found. Known as firing and twice in a row
 * not there: resolved. What others than we have muted says nothing either way, and neither does an Alertmanager that came up just now.
 */
export function reconcile(input: Reconciling): Plan {
  const { list, nowMs } = input;
  const held = new Set(list.alerts.map(({ alert }) => alert.fingerprint));
  const loud = list.alerts.filter(({ mutedByOthers }) => !mutedByOthers).map(({ alert }) => alert);
  const isAnswer = nowMs - (list.upSinceMs ?? input.answersSinceMs) >= KNOWS_AFTER_MS;
  const found = new Map<string, readonly Alert[]>();
  const absent = new Set<string>();
  const awaited = new Map<string, number>();
  for (const policy of input.policies) {
    const known = input.states.get(policy.service)?.alerts ?? [];
    const lacking = known.filter(
      (alert) => alert.status === 'firing' && isAlertmanagers(alert) && !held.has(alert.fingerprint),
    );
    const over = lacking.filter((alert) => isAnswer && input.absentBefore.has(nameOf(policy, alert)));
    for (const alert of lacking) if (isAnswer && !over.includes(alert)) absent.add(nameOf(policy, alert));
    const fresh = newTo(known, policy, loud, nowMs).filter((alert) => {
      const name = nameOf(policy, alert);
      const seenAtMs = input.awaitedBefore.get(name) ?? nowMs;
      const isDue = nowMs - Math.min(alert.startsAtMs, seenAtMs) >= ON_ITS_WAY_MS;
      if (!isDue) awaited.set(name, seenAtMs);
      return isDue;
    });
    const news: readonly Alert[] = [
      ...fresh,
      ...over.map((alert) => ({ ...alert, status: 'resolved' as const, endsAtMs: nowMs })),
    ];
    if (news.length > 0) found.set(policy.service, news);
  }
  return { found, absent, awaited };
}

/** One start of one alert, for one service. */
function nameOf({ service }: Policy, { fingerprint, startsAtMs }: Alert): string {
  return `${service}/${fingerprint}/${startsAtMs}`;
}

function newTo(known: readonly Alert[], policy: Policy, firing: readonly Alert[], nowMs: number): readonly Alert[] {
  const byFingerprint = new Map(known.map((alert) => [alert.fingerprint, alert]));
  const selectors = policy.alerts.map(compileSelector);
  return firing.filter(
    (alert) => isNews(byFingerprint.get(alert.fingerprint), alert, nowMs) && selectors.some((is) => is(alert.labels)),
  );
}

/** The decisions ignore what is no news; what they would ignore need not be brought before them every few seconds. */
function isNews(known: Alert | undefined, alert: Alert, nowMs: number): boolean {
  if (!known) return true;
  if (known.startsAtMs !== alert.startsAtMs) return alert.startsAtMs > known.startsAtMs;
  return known.status === 'resolved' && nowMs - (known.endsAtMs ?? nowMs) >= LAPSED_AFTER_MS;
}

/** Whether anything of a service hangs on what Alertmanager knows: then it is asked often. */
export function hangsOnAlerts({ degradation, alerts }: OfAlerts): boolean {
  const isOpen = degradation !== null && degradation.stage.name !== 'ended';
  return isOpen || alerts.some(({ status }) => status === 'firing');
}
