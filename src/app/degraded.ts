import { duration, utcTime } from '../domain/words.ts';
import type { DegradedMode, HealthKind, HealthPart } from '../ports/health.ts';

/** What is told of a failure is for people: the rest of a long one is in the log and in `lastgood doctor`. */
const longestDetail = 400;
/** Every problem of the policies is something to mend. */
const longestProblems = 2_000;

interface Words {
  readonly subject: (name: string) => string;
  /** What is wrong; absent: it does not answer as it should. */
  readonly what?: string;
  /** What goes without it, and what still works. */
  readonly meaning: string;
}

const words: Readonly<Record<HealthKind, Words>> = {
  store: {
    subject: () => 'The database',
    meaning:
      'Nothing can be decided without it. Alerts are refused with 503, so Alertmanager sends them again; what was under way goes on when it answers.',
  },
  file: {
    subject: () => 'The database file',
    what: 'is damaged',
    meaning:
      'Decisions, alerts and timers go on until one needs what is damaged; then nothing does. Do not wait for that: stop Lastgood, keep the file, restore the last backup that `lastgood restore` takes, and look at the disk.',
  },
  policies: {
    subject: (name) => `The policy directory ${name}`,
    meaning:
      'The last good policies stay in force, and nothing of the edit is. `lastgood validate` lists every problem.',
  },
  slack: {
    subject: () => 'Slack',
    meaning:
      'Cards and buttons wait. Alerts are still taken in, deadlines run, the default action happens without an answer, and PagerDuty is still paged.',
  },
  channel: {
    subject: (name) => `The Slack channel ${name}`,
    what: 'takes no messages',
    meaning:
      'Cards of the services that post there are not seen, and their deadlines run all the same. `/rollout status` and PagerDuty still work.',
  },
  prometheus: {
    subject: (name) => `Prometheus ${name}`,
    meaning:
      'Gates stay closed and a deadline holds and pages instead of rolling back, unless the policy says whenUnknown: rollback. Alerts and buttons still work.',
  },
  alertmanager: {
    subject: (name) => `Alertmanager ${name}`,
    meaning:
      'What it sends is still taken in. Until it answers it cannot be asked what still fires and no silence can be made; an alert not heard of is not taken for resolved.',
  },
  target: {
    subject: (name) => `The target of ${name}`,
    meaning:
      'Its traffic stays where it is: a shift is tried again, and a person is paged where it cannot be made. Other services go on.',
  },
  pagerduty: {
    subject: () => 'PagerDuty',
    meaning: 'Pages are tried again for a day. Questions are still asked in Slack, and deadlines still act.',
  },
  clock: {
    subject: () => "This machine's clock",
    what: "differs from the database's",
    meaning:
      "All replicas go by the database's: leases and deadlines hold. But one of the two is wrong; where it is the database's, numbers are read and Slack's stamps judged at the wrong time. Set both by NTP.",
  },
};

/** What does not work as it should, what that means and what still works: a function of the health alone. */
export function degradedModes(parts: readonly HealthPart[]): readonly DegradedMode[] {
  return parts
    .filter(({ ok }) => !ok)
    .map((part) => ({ part: part.part, name: part.name, sinceMs: part.sinceMs, text: textOf(part) }));
}

/** What is said when a trouble is over. */
export function recoveredText(part: HealthPart, afterMs: number): string {
  const how = part.part === 'policies' ? 'mended' : 'recovered';
  return `${words[part.part].subject(part.name)}: ${how} after ${duration(afterMs)} (${shortened(part.detail)}).`;
}

function textOf({ part, name, sinceMs, detail }: HealthPart): string {
  const { subject, meaning, what = 'does not answer as it should' } = words[part];
  const since = utcTime(sinceMs);
  if (part === 'policies')
    return `${subject(name)} has problems since ${since}. ${meaning}\n${shortened(detail, longestProblems)}`;
  return `${subject(name)} ${what} since ${since} (${shortened(detail)}). ${meaning}`;
}

function shortened(detail: string, longest = longestDetail): string {
  const text = detail.trim().replace(/\.$/, '');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
