import { z } from 'zod';
import { duration, line, quoted, share, traffic, unlessMissing } from './values.ts';

/** The form of one metric. What depends on several of its keys is in `metric-checks.ts`. */

const percentHint = (value: number) => `${value} means ${Number((value * 100).toPrecision(12))} %: write ${value}%`;

/** `shares`: the metric itself is a share 0..1, so nothing about it can be more than 1. */
function limit(shares: boolean, what: string) {
  return share(what).transform(({ value, percent }, context) => {
    if (value < 0) context.addIssue('must not be negative');
    else if (shares && value > 1) {
      context.addIssue(percent ? `must be at most 100%, is ${value * 100}%` : percentHint(value));
    } else return value;
    return z.NEVER;
  });
}

const relative = share('how much worse than stable it may be').transform(({ value, percent }, context) => {
  if (value < 0) context.addIssue('must not be negative');
  else if (value > 10 && !percent) context.addIssue(percentHint(value));
  else return value;
  return z.NEVER;
});

/** `counted`: events of a total, whose past can teach how much the service differs from itself. */
function tolerance(shares: boolean, counted: boolean) {
  return z
    .strictObject({
      relative: relative.optional(),
      absolute: limit(shares, "how much worse it may be in the metric's own unit").optional(),
      healthy: z
        .number({ error: unlessMissing('must be a ratio such as 1.5') })
        .gt(1, { error: 'must be more than 1: the ratio of candidate to stable that counts as well' })
        .optional(),
      fromHistory: counted
        ? z.boolean().optional()
        : not('is learned from counts: proportion, labelled, rate and latency have it, a gauge does not'),
    })
    .optional();
}

/** A key that people write here and that means nothing here: why, instead of "is not known". */
function not(words: string) {
  return z.never({ error: words }).optional();
}

const total = z
  .number({ error: unlessMissing('must be a number of events') })
  .min(0, { error: 'must not be negative' })
  .optional();

export const baselineWords = ['stable', 'yesterday', 'last-week'] as const;
const baselineForms = 'must be stable, yesterday, last-week, { offset: 3d }, or totals that are known';

/** Totals have the names of the metric's own counters; which of them belong together is checked with the metric. */
const baseline = z.union(
  [
    z.enum(baselineWords),
    z.strictObject({
      offset: duration(60_000).optional(),
      bad: total,
      good: total,
      total,
      events: total,
      exposure: total,
      truePositives: total,
      falsePositives: total,
      falseNegatives: total,
      trueNegatives: total,
    }),
  ],
  {
    error: (issue) =>
      typeof issue.input === 'string'
        ? `${baselineForms}, is ${quoted(issue.input)}`
        : unlessMissing(baselineForms)(issue),
  },
);

const critical = share("the value that is beyond discussion, in the metric's own unit").transform(({ value }) => value);
const criticalShare = limit(true, 'the share that is beyond discussion');
const someShare = (what: string, above: string) =>
  limit(true, what).superRefine((value, context) => {
    if (value === 0) context.addIssue(above);
  });

const promql = line(4000);
const common = {
  name: line(40).superRefine((text, context) => {
    if (!/^[A-Za-z][\w-]*$/.test(text)) {
      context.addIssue(`must be letters, digits, "-" and "_", beginning with a letter, is ${quoted(text)}`);
    }
  }),
  title: line(80).optional(),
  unit: line(16).optional(),
  direction: z.enum(['lower-is-better', 'higher-is-better']).optional(),
  minimum: z.number().min(0, { error: 'must not be negative' }).optional(),
  weight: z
    .number()
    .gt(0, { error: 'must be more than 0' })
    .max(1000, { error: 'must be at most 1000: it is in relation to the other metrics, which have 1' })
    .optional(),
  labelDelay: duration().optional(),
  /** Events of the denominator a second that are expected, over both arms: linting only. */
  traffic: traffic.optional(),
  /** The share of events that are bad with stable: linting only. */
  expected: someShare('the share of events that are bad with stable', 'must be more than 0').optional(),
};

const compared = {
  baseline: baseline.optional(),
};
/** Held against what the metric itself says, so neither another arm nor a tolerance between arms has a place. */
const alone = (against: string) => ({
  baseline: not(`is held against ${against}, not against a baseline: leave it out`),
  tolerance: not(`is held against ${against}: there is no tolerance besides`),
});
const warnsOnly = {
  weight: not('has no place here: drift warns and decides nothing'),
  critical: not('has no place here: drift warns, and is never by itself the reason for a rollback'),
};

const proportion = z.strictObject({
  ...common,
  ...compared,
  kind: z.literal('proportion'),
  bad: promql.optional(),
  good: promql.optional(),
  total: promql,
  tolerance: tolerance(true, true),
  critical: criticalShare.optional(),
});

const labelled = z.strictObject({
  ...common,
  ...compared,
  kind: z.literal('labelled'),
  measure: z.enum(['accuracy', 'precision', 'recall', 'f1']),
  truePositives: promql,
  falsePositives: promql.optional(),
  falseNegatives: promql.optional(),
  trueNegatives: promql.optional(),
  tolerance: tolerance(true, true),
  critical: criticalShare.optional(),
});

const rate = z.strictObject({
  ...common,
  ...compared,
  kind: z.literal('rate'),
  expected: z
    .number({ error: unlessMissing('must be a number: events with stable in one of what they are set against') })
    .gt(0, { error: 'must be more than 0' })
    .optional(),
  events: promql,
  per: promql.optional(),
  tolerance: tolerance(false, true),
  critical: critical.optional(),
});

const latency = z.strictObject({
  ...common,
  ...compared,
  kind: z.literal('latency'),
  buckets: promql,
  bounds: z.array(z.number().gt(0, { error: 'must be more than 0' })).optional(),
  tolerance: tolerance(false, true),
  critical: critical.optional(),
});

const gauge = z.strictObject({
  ...common,
  ...compared,
  kind: z.literal('gauge'),
  value: promql,
  tolerance: tolerance(false, false),
  critical: critical.optional(),
});

const drift = z.strictObject({
  ...common,
  ...compared,
  ...warnsOnly,
  kind: z.literal('drift'),
  counts: promql.optional(),
  by: line(128)
    .superRefine((text, context) => {
      if (!/^[a-zA-Z_]\w*$/.test(text))
        context.addIssue(`must be the name of a label, such as bin, is ${quoted(text)}`);
    })
    .optional(),
  score: promql.optional(),
  limit: z.number({ error: unlessMissing('must be a number, such as 0.25') }).optional(),
  tolerance: not('has no place here: binned counts have a limit of their own (PSI), a score has limit'),
});

const absolute = z.strictObject({
  ...common,
  ...alone('its limit'),
  kind: z.literal('limit'),
  value: promql,
  limit: share("the value it must not pass, in the metric's own unit").transform(({ value }) => value),
  critical: critical.optional(),
});

const objective = z.strictObject({
  ...common,
  ...alone('its objective'),
  kind: z.literal('objective'),
  bad: promql.optional(),
  good: promql.optional(),
  total: promql,
  objective: someShare('how much must be good', 'must be more than 0').optional(),
  allowed: someShare('how much may be bad', 'must be more than 0').optional(),
  critical: criticalShare.optional(),
});

const split = z.strictObject({
  ...common,
  ...alone('the configured split'),
  kind: z.literal('split'),
  requests: promql,
  slack: limit(true, "how far off an arm's share of the traffic may be, as a part of that share")
    .refine((value) => value < 1, { error: 'must be less than 100%, or no split would be a wrong one' })
    .optional(),
  critical: not('has no place here: a wrong split makes the comparison undecided, and nobody is to blame for it'),
});

export const metric = z.discriminatedUnion('kind', [
  proportion,
  labelled,
  rate,
  latency,
  gauge,
  drift,
  absolute,
  objective,
  split,
]);

export type MetricFile = z.output<typeof metric>;
export type BaselineFile = z.output<typeof baseline>;
