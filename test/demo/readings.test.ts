import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createModelMetrics, type ModelMetrics } from '../../src/demo/lab/model-metrics.ts';
import { createDemoClock } from '../../src/demo/time/demo-clock.ts';
import { type Readings, takeReadings } from '../../src/demo/world/readings.ts';
import { until } from './support.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A model's page of metrics, read as the panel reads it. */
async function reading(): Promise<{ metrics: ModelMetrics; readings: Readings; asked: () => number }> {
  const metrics = createModelMetrics('fraud-scorer', 'v42');
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end(metrics.text());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  ends.push(() => new Promise((closed) => server.close(closed)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const readings = takeReadings([{ version: 'v42', url }], createDemoClock(3));
  ends.push(() => readings.stop());
  return { metrics, readings, asked: () => asked };
}

function serve(metrics: ModelMetrics, requests: number, seconds: number): void {
  for (let index = 0; index < requests; index += 1) {
    metrics.request(200, seconds);
    metrics.prediction(0.7, index % 4 !== 0);
  }
}

describe('the readings of the panel', () => {
  it('say which share of the judged scores was wrong', async () => {
    const { metrics, readings, asked } = await reading();
    const told = () => readings.points().v42?.find(({ wrongShare }) => wrongShare !== null);
    await until(() => asked() > 0);
    serve(metrics, 40, 0.01);
    await until(() => told() !== undefined);
    expect(told()).toMatchObject({ wrongShare: 0.25, errorShare: 0, slowShare: 0 });
  });

  it('say nothing of the scores where too few were judged', async () => {
    const { metrics, readings, asked } = await reading();
    await until(() => asked() > 0);
    for (let index = 0; index < 40; index += 1) {
      metrics.request(200, 0.01);
      metrics.prediction(0.7, null);
    }
    const told = () => readings.points().v42?.find(({ errorShare }) => errorShare === 0);
    await until(() => told() !== undefined);
    expect(told()?.wrongShare).toBe(null);
  });

  it('leave out what was slow while everything started', async () => {
    const began = performance.now();
    const { metrics, readings, asked } = await reading();
    await until(() => {
      if (performance.now() - began > 1_000) return true;
      serve(metrics, 40, 2);
      return false;
    });
    await until(() => asked() > 0);
    serve(metrics, 40, 0.01);
    const shares = () => readings.points().v42?.map(({ slowShare }) => slowShare) ?? [];
    await until(() => shares().some((share) => share !== null));
    expect(shares().filter((share) => share !== null && share > 0)).toEqual([]);
  });
});
