import fc from 'fast-check';
import { alertmanagerApi } from '../../src/alerts/alertmanager-api.ts';
import { createAlertSource } from '../../src/alerts/index.ts';
import type { LookPeriod } from '../../src/analysis/types.ts';
import type { Http } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { createPrometheusSource } from '../../src/sources/prometheus.ts';
import { createTargets } from '../../src/targets/index.ts';
import { entry, NOON } from '../slack/states.ts';
import { endpoint, metric } from '../sources/support.ts';
import { routerConfig } from '../targets/stand.ts';
import { area } from './area.ts';
import { checkMessage } from './drawn.ts';
import { mostly, text } from './words.ts';

const names = [
  'status',
  'data',
  'result',
  'resultType',
  'metric',
  'values',
  'histograms',
  'warnings',
  'stable',
  'candidate',
  'version',
  'percent',
  'versions',
  'labels',
  'startsAt',
];
const seconds = NOON / 1000;
const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100_000).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('NaN', '+Inf', '-Inf', '1e999', '-5', '', '0x10') },
);
const sample = mostly(fc.tuple(mostly(fc.integer({ min: -40, max: 4 }).map((n) => seconds + 15 * n)), mostly(number)));
const histogram = mostly(
  fc.tuple(
    fc.integer({ min: -40, max: 4 }).map((n) => seconds + 15 * n),
    mostly(
      fc.record({
        count: mostly(number),
        sum: mostly(number),
        buckets: mostly(
          fc.array(mostly(fc.tuple(mostly(fc.nat(3)), mostly(number), mostly(number), mostly(number))), {
            maxLength: 4,
          }),
        ),
      }),
    ),
  ),
);
const series = fc.record(
  {
    metric: mostly(
      fc.dictionary(fc.constantFrom('version', 'le', 'instance', 'code', '__name__'), mostly(fc.oneof(text, number)), {
        maxKeys: 4,
      }),
    ),
    values: mostly(fc.array(sample, { maxLength: 12 })),
    histograms: mostly(fc.array(histogram, { maxLength: 4 })),
  },
  { requiredKeys: ['metric'] },
);
const prometheusAnswer = fc.record(
  {
    status: mostly(fc.constant('success')),
    data: mostly(
      fc.record({
        resultType: mostly(fc.constant('matrix')),
        result: mostly(fc.array(mostly(series), { maxLength: 4 })),
      }),
      names,
    ),
    warnings: mostly(fc.array(text, { maxLength: 2 })),
    error: mostly(text),
  },
  { requiredKeys: ['status', 'data'] },
);
const answers = <T>(right: fc.Arbitrary<T>) =>
  fc.record({
    status: fc.oneof(
      { weight: 8, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constantFrom(201, 204, 404, 422, 500) },
    ),
    body: fc.oneof(
      { weight: 8, arbitrary: mostly(right, names).map((value) => JSON.stringify(value) ?? '') },
      { weight: 1, arbitrary: text },
    ),
  });

/** Answers everything the same, statuses judged as the real one does. */
function saying({ status, body }: { status: number; body: string }): Http {
  return {
    async request({ accept = (s) => s < 300 }) {
      if (!accept(status))
        throw new PortError(status < 500 ? 'permanent' : 'retryable', `it answered ${status}: ${body.slice(0, 200)}`);
      return { status, headers: {}, body };
    },
  };
}

/** Nothing but PortError comes out, and what it says can be shown. */
async function outcome(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    checkMessage(draw({ kind: 'entry', entry: entry({ text: error.message, reason: error.message }) }));
  }
}

const selector = (name: string) => `${name}{version="{{version}}"}`;
const metrics = [
  metric({ kind: 'proportion', bad: selector('bad'), good: null, total: selector('all') }, 'share'),
  metric({ kind: 'latency', buckets: selector('duration_bucket'), bounds: [0.1, 0.5] }, 'classic'),
  metric({ kind: 'latency', buckets: selector('duration'), bounds: [0.1, 0.5] }, 'native'),
  metric({ kind: 'gauge', value: selector('value') }, 'gauge'),
  metric({ kind: 'drift', counts: selector('predictions'), by: 'code' }, 'drift'),
];
const period: LookPeriod = {
  fromMs: NOON - 300_000,
  toMs: NOON,
  healthyFromMs: NOON - 300_000,
  restartsAtMs: [NOON - 300_000],
  beforeOffsetMs: 600_000,
  against: 'stable',
};

/** Prometheus never makes a look throw: what cannot be read is missing, and said so that it can be shown. */
export const prometheusAnswers = area('answers of Prometheus', 0.5, answers(prometheusAnswer), async (answer) => {
  const source = createPrometheusSource({
    http: saying(answer),
    endpoint: endpoint('http://prometheus'),
    now: () => NOON,
  });
  const request = { service: 'fraud-scorer', stable: 'v41', candidate: 'v42', metrics, windowMs: 30_000, period };
  const samples = await source.read(request, new AbortController().signal);
  if (samples.length !== metrics.length) throw new Error('A metric was lost.');
});

const split = fc.record(
  {
    stable: mostly(fc.record({ version: mostly(fc.constant('v41')), percent: mostly(fc.nat(120)) })),
    candidate: mostly(
      fc.record({
        version: mostly(fc.oneof(fc.constant('v42'), text)),
        percent: mostly(fc.double({ min: -5, max: 120 })),
      }),
    ),
    versions: mostly(fc.record({ v42: mostly(fc.record({ ready: mostly(fc.boolean()), detail: mostly(text) })) })),
    revision: mostly(text),
  },
  { requiredKeys: [] },
);

export const targetAnswers = area('answers of targets', 1, answers(split), async (answer) => {
  const target = createTargets({ http: saying(answer) })({
    target: { kind: 'http', config: routerConfig('http://router') },
  });
  const signal = new AbortController().signal;
  await outcome(async () => {
    const seen = await target.observe(signal, ['v41', 'v42']);
    const { exposurePercent } = seen as unknown as { exposurePercent?: number };
    if (exposurePercent !== undefined && !(exposurePercent >= 0 && exposurePercent <= 100))
      throw new Error(`${exposurePercent} % is no exposure.`);
  });
});

const held = fc.array(
  fc.record(
    {
      fingerprint: mostly(text),
      labels: mostly(fc.dictionary(fc.constantFrom('alertname', 'service', 'severity'), mostly(text))),
      annotations: mostly(fc.dictionary(fc.constantFrom('summary', 'description'), mostly(text))),
      startsAt: mostly(fc.constant('2026-11-21T11:00:00.000Z')),
      endsAt: mostly(fc.constant('2026-11-21T13:00:00.000Z')),
      status: mostly(
        fc.record({
          state: mostly(fc.constantFrom('active', 'suppressed')),
          silencedBy: mostly(fc.array(text)),
          inhibitedBy: mostly(fc.array(text)),
        }),
      ),
    },
    { requiredKeys: ['labels', 'startsAt'] },
  ),
  { maxLength: 3 },
);

export const alertmanagerAnswers = area('answers of Alertmanager', 0.5, answers(held), async (answer) => {
  const http = saying(answer);
  const at = endpoint('http://alertmanager');
  const signal = new AbortController().signal;
  const source = createAlertSource({ http, endpoint: at, instance: 'lastgood-1', now: () => NOON });
  await outcome(() => source.list(signal));
  await outcome(() => source.lift('lastgood-1/d1', signal));
  await outcome(() => alertmanagerApi(http, at).silence('s1', signal));
});
