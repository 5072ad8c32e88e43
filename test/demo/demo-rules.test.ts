import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startJanitor } from '../../src/demo/janitor.ts';
import { createLab, type Lab } from '../../src/demo/lab/index.ts';
import { findProgram } from '../../src/demo/programs.ts';
import { startPrometheus } from '../../src/demo/prometheus/index.ts';
import { alertRules, JOB } from '../../src/demo/rules.ts';
import { prometheusPath } from '../support/prometheus.ts';
import { until } from './support.ts';

interface Listed {
  readonly data: { readonly alerts: readonly { readonly labels: Record<string, string>; readonly state: string }[] };
}

/** `ModelSlow v42 critical`, sorted: what fires there. */
async function firing(url: string): Promise<string[]> {
  const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as Listed;
  return data.alerts
    .filter(({ state }) => state === 'firing')
    .map(({ labels }) => [labels.alertname, labels.service, labels.version ?? '-', labels.severity].join(' '))
    .sort();
}

const program = prometheusPath === null ? null : await findProgram(['prometheus']);

describe.skipIf(program === null)(
  'the demo’s alert rules, in PromQL and in code (skipped where prometheus is missing)',
  () => {
    const steps: [name: string, worsen: (lab: Lab) => void, expected: string[]][] = [
      ['nothing while all is well', () => undefined, []],
      ['errors of one', (lab) => lab.worsen('errors', 0.4), ['ModelErrorRateHigh fraud-scorer v42 critical']],
      [
        'errors of both, and wrong scores of one',
        (lab) => {
          lab.heal();
          lab.worsen('errors', 0.4, 'v41');
          lab.worsen('errors', 0.4, 'v42');
          lab.worsen('accuracy', 0.6, 'v42');
        },
        [
          'ModelErrorRateHigh fraud-scorer v41 critical',
          'ModelErrorRateHigh fraud-scorer v42 critical',
          'ModelOftenWrong fraud-scorer v42 critical',
        ],
      ],
      [
        'slowness and drift',
        (lab) => {
          lab.heal();
          lab.worsen('latency', 0.8);
          lab.worsen('drift', 0.6, 'v41');
        },
        ['DriftHigh fraud-scorer v41 warning', 'ModelSlow fraud-scorer v42 critical'],
      ],
      [
        'metrics that are gone',
        (lab) => {
          lab.heal();
          lab.showMetrics(false);
        },
        ['MetricsMissing fraud-scorer - warning'],
      ],
      ['nothing once all is well again', (lab) => lab.heal(), []],
    ];

    test('fire alike', { timeout: 240_000 }, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'lastgood-rules-'));
      await using ends = new AsyncDisposableStack();
      ends.defer(() => rmSync(directory, { recursive: true, force: true }));
      const janitor = startJanitor();
      ends.defer(() => janitor.dismiss());
      const lab = await createLab({ ratePerSecond: 120 });
      ends.defer(() => lab.stop());
      const split = { stable: { version: 'v41', percent: 50 }, candidate: { version: 'v42', percent: 50 } };
      await fetch(lab.splitUrl, { method: 'PUT', body: JSON.stringify(split) });
      const start = async (one: typeof program) => {
        const server = await startPrometheus({
          program: one,
          directory: join(directory, one ? 'real' : 'stand-in'),
          janitor,
          port: 0,
          scrapeUrls: lab.scrape.map(({ url }) => url),
          job: JOB,
          rules: alertRules,
          alertmanagerUrl: null,
          // Slower than the demo's: here the models have no thread of their own for their pages.
          intervalMs: 500,
          onProblem: () => undefined,
        });
        ends.defer(() => server.stop());
        return server.url;
      };
      const [real, standIn] = await Promise.all([start(program), start(null)]);
      for (const [name, worsen, expected] of steps) {
        worsen(lab);
        const both = async () => ({ real: await firing(real), standIn: await firing(standIn) });
        await until(
          async () => JSON.stringify(await both()) === JSON.stringify({ real: expected, standIn: expected }),
          38_000,
        ).catch(async () => expect(await both(), name).toEqual({ real: expected, standIn: expected }));
      }
    });
  },
);
