import type { DoctorReport } from '../../app/doctor.ts';
import { duration, utcTime } from '../../domain/words.ts';
import type { HealthKind, HealthPart } from '../../ports/health.ts';
import { type Finding, fine, problem, remark, type Section } from './findings.ts';

/** More jobs than this are not timers of rollouts under way, but effects that do not get done. */
const manyJobs = 500;
const shownUnmatched = 10;
const shownMisses = 2;

/** What an instance said of itself, as findings. */
export function reportSections(report: DoctorReport): readonly Section[] {
  return [
    { title: 'Health', findings: healthFindings(report) },
    { title: 'Hosts it asks', findings: circuitFindings(report) },
    { title: 'Alerts that no policy matched', findings: unmatchedFindings(report) },
  ];
}

function healthFindings(report: DoctorReport): readonly Finding[] {
  if (report.health.length === 0)
    return [remark('nothing was looked at yet', 'It looks right after its start: ask again in some seconds.')];
  const { file } = report;
  const others = file ? report.health.filter(({ part }) => part !== 'file') : report.health;
  const findings = others.map((part) => partFinding(part, report));
  if (file) findings.splice(1, 0, fileFinding(file));
  const { jobsPending } = report;
  if (jobsPending !== null && jobsPending > manyJobs) {
    const todo = 'Look at lastgood_effects_total in /metrics for what fails, and at the log.';
    findings.push(remark(`${jobsPending} jobs are not done`, todo));
  }
  return findings;
}

/** As it is now, not as the daily look found it. */
function fileFinding({ ok, detail }: NonNullable<DoctorReport['file']>): Finding {
  return ok ? fine(`database file: ${detail}`) : problem(`The database file is damaged (${detail})`, todos.file);
}

function partFinding(part: HealthPart, { atMs, degraded }: DoctorReport): Finding {
  const text = `${part.part === 'store' ? 'database' : `${names[part.part]} ${part.name}`}: ${part.detail}`;
  if (part.ok)
    return part.failures === 0 ? fine(text) : remark(text, 'It is looked at again in seconds: ask again then.');
  const mode = degraded.find((one) => one.part === part.part && one.name === part.name);
  const meaning = mode ? mode.text : text;
  return problem(`${meaning}\nfor ${duration(atMs - part.sinceMs)} now`, todos[part.part]);
}

const names: Readonly<Record<HealthKind, string>> = {
  store: 'database',
  file: 'database file',
  policies: 'policies',
  slack: 'Slack',
  channel: 'channel',
  prometheus: 'Prometheus',
  alertmanager: 'Alertmanager',
  target: 'target of',
  pagerduty: 'PagerDuty',
  clock: 'clock',
};

const todos: Readonly<Record<HealthKind, string>> = {
  store: 'Look at the disk and the permissions of DATA_DIR, and at the log.',
  file: 'Stop it, keep the file, restore the last sound backup (`lastgood restore`), and look at the disk.',
  policies: 'Mend the files; `lastgood validate` lists every problem with its line.',
  slack: 'Check SLACK_BOT_TOKEN, SLACK_API_URL and the way out to slack.com.',
  channel: 'Do what Slack asks for; mostly it is inviting the bot, or the name of the channel in the policy.',
  prometheus: 'Check whether it runs, its address (PROMETHEUS_URL, or prometheus.url in the policy) and how to get in.',
  alertmanager:
    'Check whether it runs, its address (ALERTMANAGER_URL, or alertmanager.url in the policy) and how to get in.',
  target: 'Check whether it runs, and `target` in the policy of this service.',
  pagerduty: 'Check the routing key, PAGERDUTY_EVENTS_HOST and the way out to PagerDuty.',
  clock: 'Keep the clocks of this machine and of the database by NTP (`timedatectl`, chrony).',
};

function circuitFindings({ circuits, atMs }: DoctorReport): readonly Finding[] {
  if (circuits.length === 0) return [fine('none was asked yet')];
  return circuits.map(({ host, state, sinceMs, lastProblem, failures, againAtMs, answeredAtMs }) => {
    if (state === 'closed')
      return failures === 0
        ? fine(
            answeredAtMs === null
              ? `${host} was not asked yet`
              : `${host} answered ${duration(atMs - answeredAtMs)} ago`,
          )
        : remark(`${host} has not answered ${failures} times in a row: ${lastProblem}`, 'See its part above.');
    const again = againAtMs === null ? 'now' : `at ${utcTime(againAtMs)}`;
    const text = `${host} has not answered since ${utcTime(sinceMs)} (${lastProblem}) and is left alone; it is asked again ${again}`;
    return remark(text, 'Nothing needs to be reset: the first answer ends it. See its part above.');
  });
}

function unmatchedFindings({ unmatched, atMs }: DoctorReport): readonly Finding[] {
  if (unmatched === null) return [remark('could not be read', 'The database did not answer: see above.')];
  if (unmatched.length === 0) return [fine('none')];
  return unmatched.slice(0, shownUnmatched).map(({ alert, misses }) => {
    const times = alert.count === 1 ? 'once' : `${alert.count} times`;
    const head = `${alert.name} (${alert.status}), heard of ${times}, last ${duration(atMs - alert.lastSeenMs)} ago`;
    const near = misses.slice(0, shownMisses).map(({ text }) => text);
    const todo =
      'If a service should answer to it, change the labels of the alert or `alerts` in its policy; if none, do not route it here.';
    return remark([head, ...near].join('\n'), todo);
  });
}
