import { z } from 'zod';
import { metric } from './metric-schema.ts';
import { nearest, oneOf } from './problem.ts';
import { duration, exposure, key, line, quoted, traffic, unlessMissing, url } from './values.ts';

/** The form of a policy file. What depends on several keys is in `checks.ts`; every key is described in docs/policy.md. */

const moment = duration();
const positive = duration(1);

const slackChannel = line(100).superRefine((text, context) => {
  if (/^[CG][A-Z0-9]{1,20}$/.test(text) || /^#[^\s#@,.!A-Z]{1,80}$/u.test(text)) return;
  const hint = /^[a-z0-9_-]+$/.test(text) ? `: write "#${text}"` : '';
  context.addIssue(
    `must be a Slack channel, "#ml-rollouts" (lower case) or its id such as C024BE91L, is ${quoted(text)}${hint}`,
  );
});

const service = line(63).superRefine((text, context) => {
  if (/^[a-z0-9][a-z0-9-]*$/.test(text)) return;
  context.addIssue(`must be lower-case letters, digits and "-", such as fraud-scorer, is ${quoted(text)}`);
});

const count = (words: string) => z.int({ error: unlessMissing(words) }).min(1, { error: words });

const phase = z.strictObject({ exposure, soak: positive.optional(), maxSoak: positive.optional() });
const step = z.strictObject({ ...phase.shape, gate: key('gate').optional() });

export const gateKinds = ['comparison', 'shadow', 'ab'] as const;
const objective = z.enum(['no-worse', 'better']);
const gate = z.strictObject({
  kind: z.enum(gateKinds),
  objective: objective.optional(),
  metrics: z
    .array(key('metric'))
    .min(1, { error: 'must name a metric: left out, the gate asks for all of them' })
    .optional(),
});

export const strategyKinds = ['canary', 'blue-green', 'switch'] as const;
const strategy = z.union(
  [
    z.enum(strategyKinds),
    z.strictObject({
      kind: z.enum(strategyKinds),
      warmUp: z.strictObject({ for: positive.optional(), within: positive.optional() }).optional(),
      keepOldArm: moment.optional(),
    }),
  ],
  { error: shortOr(`must be ${oneOf(strategyKinds)}, or a mapping with kind`, strategyKinds) },
);

const requires = z.union([service, z.strictObject({ service })], {
  error: unlessMissing(
    'must be the name of a service (lower-case letters, digits and "-"), such as fraud-scorer-staging',
  ),
});

/** The names of the templates, in the order in which they are laid over each other. */
export const extendsSchema = z.union([line(200), z.array(line(200)).min(1, { error: 'must name a template' })], {
  error: unlessMissing('must be the file of a template such as templates/fraud-scorer.yaml, or a list of them'),
});

/** What to say of a value that has a short form of one word: which of the words was meant. */
function shortOr(words: string, known: readonly string[]) {
  return (issue: { input?: unknown }) => {
    if (typeof issue.input !== 'string') return unlessMissing(words)(issue);
    const close = nearest(issue.input, known);
    return `${words}, is ${quoted(issue.input)}${close ? `: did you mean ${close}?` : ''}`;
  };
}

const headerValue = z
  .union([z.string(), z.number(), z.boolean()], { error: unlessMissing('must be a text') })
  .transform(String)
  .superRefine((text, context) => {
    // Says nothing of the value: it may be a secret, with a line feed from the file it was read from.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
      context.addIssue('must not contain line feeds or other control characters');
  });
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'is not the name of an HTTP header' });

/** The name of a file, or (from a secret) what such a file holds. */
const pem = z.string({ error: unlessMissing('must be the name of a PEM file') }).min(1, { error: 'must not be empty' });

const endpoint = z.strictObject({
  url: url.superRefine((text, context) => {
    if (/[?#]/.test(text))
      context.addIssue('must end before "?" or "#": it is the address the API paths are put behind');
  }),
  headers: z.record(headerName, headerValue).optional(),
  bearer: headerValue.optional(),
  basic: z.strictObject({ username: headerValue, password: headerValue }).optional(),
  tls: z
    .strictObject({
      ca: pem.optional(),
      cert: pem.optional(),
      key: pem.optional(),
      insecure: z.boolean().optional(),
    })
    .optional(),
});

const matcherText = z.string({ error: unlessMissing('must be a matcher such as severity="critical"') });
const alert = z.strictObject({
  match: z.union([matcherText, z.array(matcherText)], {
    error: unlessMissing('must be a list of matchers such as [\'severity="critical"\']'),
  }),
  severity: z.enum(['warning', 'critical']).optional(),
});

const user = z
  .string({ error: unlessMissing('must be a Slack user id such as U024BE7LH') })
  .superRefine((text, context) => {
    if (text === '*' || /^[UW][A-Z0-9]{1,20}$/.test(text)) return;
    const hint = text.startsWith('@') ? ' (Slack: profile, "…", Copy member ID)' : '';
    context.addIssue(`must be a Slack user id such as U024BE7LH, or "*" for everybody, is ${quoted(text)}${hint}`);
  });

export const policySchema = z.strictObject({
  extends: extendsSchema.optional(),
  service,
  description: line(300).optional(),
  mode: z.enum(['enforce', 'observe']),
  channel: slackChannel,
  runbook: url.optional(),
  dashboard: url.optional(),
  target: z.looseObject({ kind: line(40) }),
  strategy: strategy.optional(),
  objective: objective.optional(),
  requires: requires.optional(),
  /** Requests a second that the whole service is expected to get: linting only. */
  traffic: traffic.optional(),
  gates: z.record(key('gate'), gate).optional(),
  steps: z.array(step).min(1, { error: 'must have at least one step: - { exposure: 100 }' }),
  rollback: z
    .strictObject({
      phases: z.array(phase).min(1, { error: 'must have at least one phase: - { exposure: 0 }' }).optional(),
      verify: z.strictObject({ soak: positive.optional(), maxSoak: positive.optional() }).optional(),
    })
    .optional(),
  comparison: z
    .strictObject({
      window: duration(1000).optional(),
      warmUp: moment.optional(),
      every: duration(100).optional(),
      minimumWindows: count('must be a whole number, 1 or more').optional(),
      lastWeek: duration(60_000).optional(),
    })
    .optional(),
  metrics: z.array(metric).min(1, { error: 'must have at least one metric: without one nothing can be compared' }),
  alerts: z.array(alert),
  approvers: z.strictObject({
    users: z.array(user).min(1, { error: 'must name somebody, or "*" for everybody' }),
    quorum: count('must be a whole number, 1 or more').optional(),
  }),
  respond: z
    .strictObject({
      grace: moment.optional(),
      deadline: positive.optional(),
      criticalDeadline: positive.optional(),
      default: z.enum(['rollback', 'hold', 'page']).optional(),
      whenUnknown: z.enum(['hold', 'rollback']).optional(),
      extendCap: moment.optional(),
      acknowledge: moment.optional(),
      stability: moment.optional(),
      hold: positive.optional(),
    })
    .optional(),
  escalate: z
    .strictObject({
      after: moment,
      repeat: positive.optional(),
      routingKey: line(200).optional(),
      severity: z.enum(['critical', 'error', 'warning', 'info']).optional(),
    })
    .optional(),
  silence: z.strictObject({ for: positive }).optional(),
  lastGood: z.strictObject({ after: moment }).optional(),
  watch: moment.optional(),
  prometheus: endpoint.optional(),
  alertmanager: endpoint.optional(),
});

/** A policy file as it was read: every text checked, durations in milliseconds, traffic a second, what is optional may be missing. */
export type PolicyFile = z.output<typeof policySchema>;
export type EndpointFile = z.output<typeof endpoint>;
