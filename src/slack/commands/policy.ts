import type { Metric } from '../../analysis/types.ts';
import type { Gate, Policy, Step, Strategy } from '../../domain/policy.ts';
import { duration, list, percent } from '../../domain/words.ts';
import { LIMIT, section } from '../cards/blocks.ts';
import { gateWords, shareOf } from '../cards/gate.ts';
import { figure } from '../cards/numbers.ts';
import { policyRef } from '../cards/revision.ts';
import { code, fitted, link, outside } from '../cards/text.ts';
import { defineCommand, takeService } from './define.ts';

const METRICS = 15;
const STEPS = 20;

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
    `*${outside(p.service, 80)}* · ${p.mode} · ${policyRef(p)} · target ${code(p.target.kind)}`,
    outside(p.description, 300),
    `*Strategy* ${strategyText(p.strategy)}`,
    `*Gate* ${p.objective === 'better' ? 'passes when no metric is worse and at least one is better' : 'passes when no metric is worse than its limit'}`,
    p.requires ? `*Requires* that the version has succeeded on ${code(p.requires.service)} first` : '',
    `*Steps* ${p.steps.slice(0, STEPS).map(stepText).join(' → ')}${p.steps.length > STEPS ? ` → and ${p.steps.length - STEPS} more` : ''}`,
    `*Watch* ${duration(p.watchMs)} after 100 %`,
    `*Back* ${back}; last known good is what served ${duration(p.lastGoodAfterMs)} without a degradation`,
    p.silence
      ? `*Silence* alerts are silenced in Alertmanager while it is rolled back, for ${duration(p.silence.forMs)} at most`
      : '',
    `*Question* ${respond.graceMs === 0 ? 'at once' : `after ${duration(respond.graceMs)}`}; then ${duration(respond.deadlineMs)} to answer (${duration(respond.criticalDeadlineMs)} if critical), then ${respond.defaultAction}; without numbers ${respond.whenUnknown}`,
    `*Approvers* ${anybody ? 'everybody' : list(approvers.users.slice(0, 20).map((id) => code(id)))}; all steps at once take ${approvers.quorum}`,
    `*Metrics* ${p.metrics.slice(0, METRICS).map(metricText).join('; ')}${p.metrics.length > METRICS ? `; and ${p.metrics.length - METRICS} more` : ''}`,
    p.runbookUrl === null ? '' : `📖 ${link(p.runbookUrl, 'Runbook')}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** At 100 % nothing soaks: it is watched. */
function stepText({ exposurePercent, soakMs, maxSoakMs, gate }: Step): string {
  const share = shareOf(exposurePercent, gate);
  const asked = gate ? `; ${gateWords(gate)}${askedAbout(gate)}` : '';
  if (maxSoakMs === 0) return `${share}${gate ? ` (${gateWords(gate)})` : ''}`;
  return `${share} (${duration(soakMs)}, at most ${duration(maxSoakMs)}${asked})`;
}

/** " of Conversion and errors": by their names, as the policy has them. */
function askedAbout({ metrics }: Gate): string {
  if (metrics.length === 0) return '';
  const shown = metrics.slice(0, 4).map((name) => outside(name, 40));
  return ` on ${list(metrics.length > 4 ? [...shown, `${metrics.length - 4} more`] : shown)}`;
}

const KINDS: Readonly<Record<Strategy['kind'], string>> = {
  canary: 'canary: by steps',
  'blue-green': 'blue/green: two whole arms, all traffic in one step',
  switch: 'switch: all or nothing, in one step',
};

function strategyText({ kind, warmUp, keepMs }: Strategy): string {
  const parts = [
    KINDS[kind],
    warmUp ? `warm-up: ready for ${duration(warmUp.soakMs)} on end within ${duration(warmUp.maxSoakMs)}` : '',
    keepMs > 0 ? `the old arm is kept ${duration(keepMs)}` : '',
  ];
  return parts.filter((s) => s !== '').join('; ');
}

function metricText(metric: Metric): string {
  const { title, name, weight, baseline, labelDelayMs, arms } = metric;
  const facts = [
    allowed(metric),
    baseline?.kind === 'offset' ? `against ${duration(baseline.offsetMs)} before` : '',
    baseline?.kind === 'fixed' ? 'against a fixed baseline' : '',
    arms === 'one' ? 'no version label: before and after only' : '',
    labelDelayMs ? `labels take ${duration(labelDelayMs)}` : '',
    weight === 0 ? 'warns only' : '',
  ];
  return `${outside(title === '' ? name : title, 60)} (${facts.filter((s) => s !== '').join(', ')})`;
}

/** What a metric is allowed, by its kind. */
function allowed({ source, tolerance, unit }: Metric): string {
  switch (source.kind) {
    case 'limit':
    case 'drift-score':
      return `limit ${figure(source.limit)}${unit === '' ? '' : ` ${outside(unit, 12)}`}`;
    case 'objective':
      return `objective ${figure((1 - source.allowed) * 100)} %`;
    case 'split':
      return `split as set, ${figure(source.slack * 100)} % slack`;
    case 'drift':
      return 'distribution';
    default: {
      const worse = [
        tolerance.relative === null ? '' : `${figure(tolerance.relative * 100)} % worse`,
        tolerance.absolute === null ? '' : `${figure(tolerance.absolute)} absolute`,
      ].filter((s) => s !== '');
      const learned = tolerance.fromHistory ? ', then learned from its history' : '';
      return `${worse.length === 0 ? 'no worse' : `up to ${worse.join(' or ')}`}${learned}`;
    }
  }
}
