import type { Metric } from '../../analysis/types.ts';
import type { Policy } from '../../domain/policy.ts';
import { duration, list, percent } from '../../domain/words.ts';
import { LIMIT, section } from '../cards/blocks.ts';
import { figure } from '../cards/numbers.ts';
import { code, fitted, link, outside } from '../cards/text.ts';
import { defineCommand, takeService } from './define.ts';

const METRICS = 15;

export const policy = defineCommand({
  name: 'policy',
  usage: 'SERVICE',
  summary: 'The rules a service is judged by',
  parse: (words, context) => {
    const { service } = takeService(words, context, { atLeast: 0, atMost: 0 });
    return { found: context.policies.find((one) => one.service === service) };
  },
  run: async ({ found }) => {
    if (!found) return { text: 'That policy was removed just now.' };
    const text = fitted(policyText(found), LIMIT.text);
    return { text, blocks: [section(text)] };
  },
});

/** A policy in sentences; its secrets and addresses with keys stay out of it. Markdown, escaped. */
export function policyText(p: Policy): string {
  const { respond, approvers } = p;
  const back = p.rollback.phases.map((phase) => percent(phase.exposurePercent)).join(' → ');
  const anybody = approvers.users.includes('*');
  const lines = [
    `*${outside(p.service, 80)}* · ${p.mode} · revision ${code(p.revision.slice(0, 12))} · target ${code(p.target.kind)}`,
    outside(p.description, 300),
    `*Steps* ${p.steps.map((s) => `${percent(s.exposurePercent)} (${duration(s.soakMs)}, at most ${duration(s.maxSoakMs)})`).join(' → ')}`,
    `*Back* ${back}`,
    `*Question* after ${duration(respond.graceMs)}; then ${duration(respond.deadlineMs)} to answer (${duration(respond.criticalDeadlineMs)} if critical), then ${respond.defaultAction}; without numbers ${respond.whenUnknown}`,
    `*Approvers* ${anybody ? 'everybody' : list(approvers.users.slice(0, 20).map((id) => code(id)))}; all steps at once take ${approvers.quorum}`,
    `*Metrics* ${p.metrics.slice(0, METRICS).map(metricText).join('; ')}${p.metrics.length > METRICS ? `; and ${p.metrics.length - METRICS} more` : ''}`,
    p.runbookUrl === null ? '' : `📖 ${link(p.runbookUrl, 'Runbook')}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

function metricText({ title, name, tolerance }: Metric): string {
  const allowed = [
    tolerance.relative === null ? '' : `${figure(tolerance.relative * 100)} % worse`,
    tolerance.absolute === null ? '' : `${figure(tolerance.absolute)} absolute`,
  ].filter((s) => s !== '');
  return `${outside(title === '' ? name : title, 60)} (${allowed.length === 0 ? 'no worse' : `up to ${allowed.join(' or ')}`})`;
}
