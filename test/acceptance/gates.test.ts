import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prometheusPath } from '../support/prometheus.ts';
import { LABELS_LATE_MS } from './gates-traffic.ts';
import { type GatesWorld, type Story, startGatesWorld, type Told } from './gates-world.ts';

const skipped = prometheusPath === null ? ' (skipped: prometheus is not installed)' : '';
/** Of every wait: against hanging. What is waited for takes some seconds. */
const LONG_MS = 150_000;

const errors = `
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="{{service}}",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="{{service}}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 0.5% }`;
const disagreement = `
  - name: disagreement
    title: Other verdict than stable
    kind: objective
    bad: 'shadow_predictions_total{service="{{service}}",version="{{version}}",agrees="false"}'
    total: 'shadow_predictions_total{service="{{service}}",version="{{version}}"}'
    allowed: 4%`;
const conversion = `
  - name: conversion
    title: Conversions
    kind: rate
    events: 'conversions_total{service="{{service}}",version="{{version}}"}'
    per: 'sessions_total{service="{{service}}",version="{{version}}"}'
    direction: higher-is-better`;
const split = `
  - name: split
    title: Requests of each arm
    kind: split
    requests: 'http_requests_total{service="{{service}}",version="{{version}}"}'
    slack: 10%`;
const recall = `
  - name: recall
    title: Recall
    kind: labelled
    measure: recall
    truePositives: 'labels_total{service="{{service}}",version="{{version}}",is="found"}'
    falseNegatives: 'labels_total{service="{{service}}",version="{{version}}",is="missed"}'
    labelDelay: ${LABELS_LATE_MS / 1000}s`;
const drift = `
  - name: predictions
    title: Predictions
    kind: drift
    counts: 'predictions_total{service="{{service}}",version="{{version}}"}'
    by: bin`;
const oneArmed = `
  - name: front-end
    title: Failures at the front end
    kind: proportion
    bad: 'frontend_requests_total{service="{{service}}",code=~"5.."}'
    total: 'frontend_requests_total{service="{{service}}"}'`;

const shadowThenAb = `
gates:
  shadow-check: { kind: shadow, metrics: [disagreement, errors] }
  experiment: { kind: ab, objective: better, metrics: [conversion] }
steps:
  - { exposure: 0, soak: 4s, maxSoak: 4m, gate: shadow-check }
  - { exposure: 50, soak: 4s, maxSoak: 4m, gate: experiment }
  - { exposure: 100 }
metrics:${errors}${disagreement}${conversion}${split}${recall}${drift}
`;

const stories: readonly Story[] = [
  // Twice as many buy; it says "high" more often, which by itself is nothing bad.
  { service: 'better', mirrors: true, candidate: { converts: 0.1, high: 0.4 }, policy: shadowThenAb },
  { service: 'stranger', mirrors: true, candidate: { converts: 0.1, disagrees: 0.25 }, policy: shadowThenAb },
  {
    service: 'skewed',
    candidate: { converts: 0.1 },
    // As a cache before one of the arms would do.
    really: (share) => share * 0.7,
    policy: `
gates:
  experiment: { kind: ab, objective: better, metrics: [conversion] }
steps:
  - { exposure: 50, soak: 4s, maxSoak: 40s, gate: experiment }
  - { exposure: 100 }
metrics:${errors}${conversion}${split}
`,
  },
  {
    service: 'forgetful',
    candidate: {},
    policy: `
gates:
  quality: { kind: comparison, metrics: [recall, errors] }
steps:
  - { exposure: 50, soak: 4m, maxSoak: 10m, gate: quality }
  - { exposure: 100 }
metrics:${errors}${recall}${drift}
`,
  },
  {
    service: 'unlabelled',
    candidate: {},
    policy: `
steps:
  - { exposure: 50, soak: 4m, maxSoak: 10m }
  - { exposure: 100 }
metrics:${oneArmed}
`,
  },
];

let world: GatesWorld;

describe.skipIf(prometheusPath === null)(`gates, with a real Prometheus${skipped}`, { timeout: 2 * LONG_MS }, () => {
  beforeAll(async () => {
    world = await startGatesWorld(stories);
    // The noise of an arm is learned from stable's past, and what has one arm has nothing but its past.
    await world.hasPast(12);
  });
  afterAll(() => world?.stop());

  it.concurrent('a better candidate passes the shadow, wins the A/B test and gets all traffic', async () => {
    const told = world.of('better');
    await told.start();
    await told.until('it is in the shadow', () => /\*Shadow\* `v42` gets copies/.test(told.card('r1')), LONG_MS);
    await told.until('it is tested', () => told.exposures().includes(50), LONG_MS);
    await told.until('it has all traffic', () => told.exposures().includes(100), LONG_MS);
    await told.until('the thread says so', () => /v42 gets all traffic/.test(told.said()), LONG_MS);

    expect(told.exposures()).toEqual([0, 50, 100]);
    const journal = await told.history();
    expect(journal).toMatch(
      /The gate shadow-check at 0 % passed: Other verdict than stable and Error rate are healthy/,
    );
    expect(journal).toMatch(
      /The gate experiment at 50 % passed: Conversions got better; nothing is worse than its limit/,
    );
    // Drift is seen, said, and stops nothing.
    expect(journal).toMatch(/Predictions looks different \(drift\), which by itself stops nothing/);
    expect(told.everOnCard('r1')).toMatch(/\*A\/B\* `v42` 50 % \/ `v41` 50 % as configured; counted (4[89]|5[012])/);
    expect(told.everOnCard('r1')).not.toMatch(/not as configured/);
    expect(told.card('d1')).toBe('');
  });

  it.concurrent('a candidate that answers otherwise in the shadow never gets traffic', async () => {
    const told = world.of('stranger');
    await told.start();
    await isRolledBack(told);

    expect(told.exposures()).toEqual([0]);
    expect(told.everOnCard('d1')).toMatch(/🔴 Other verdict than stable .*above the 4 % allowed/);
    expect(told.everOnCard('d1')).not.toMatch(/Error rate [^"]*above the/);
    expect(await told.history()).toMatch(/Nobody answered in time on stranger\. Measured at the deadline: degraded/);
  });

  it.concurrent('where traffic is not split as configured nothing is won', async () => {
    const told = world.of('skewed');
    await told.start();
    const isOff = () =>
      /the split is not as configured\b.*What is compared over it proves nothing/.test(told.card('r1'));
    await told.until('the card says that the split is off', isOff, LONG_MS);
    await told.until('it is better for all that', () => /Conversions .*, better/.test(told.everOnCard('r1')), LONG_MS);
    await told.until('people are asked', () => told.card('d1') !== '', LONG_MS);

    // Healthy as everything is, it goes no further.
    expect(told.exposures().slice(0, 2)).toEqual([0, 50]);
    expect(told.exposures()).not.toContain(100);
    expect(told.everOnCard('r1')).toMatch(/waits for the split to be as configured/);
    expect(told.everOnCard('r1')).not.toMatch(/🔴 Degraded/);
    expect(await told.history()).not.toMatch(/The gate experiment at 50 % passed/);
  });

  it.concurrent('a recall that drops is found by labels that come late, and rolled back', async () => {
    const told = world.of('forgetful');
    await told.start();
    await told.until('it gets its half', () => told.exposures().includes(50), LONG_MS);
    await told.until('it is measured', () => /Recall/.test(told.card('r1')), LONG_MS);
    told.becomes({ recall: 0.7 });
    await isRolledBack(told);

    expect(told.exposures()).toEqual([0, 50, 0]);
    expect(told.everOnCard('r1')).toMatch(/waits for labels of Recall/);
    expect(told.everOnCard('d1')).toMatch(/🔴 Recall .* the failures .*above the 1\.25× limit/);
    expect(await told.history()).toMatch(/Measured at the deadline: degraded\. Recall/);
  });

  it.concurrent('what carries no version label is held against its past, and the card says what that cannot tell', async () => {
    const told = world.of('unlabelled');
    await told.start();
    await told.until('it gets its half', () => told.exposures().includes(50), LONG_MS);
    told.becomes({ errors: 0.4 });
    await isRolledBack(told);

    expect(told.exposures()).toEqual([0, 50, 0]);
    const card = told.everOnCard('d1');
    expect(card).toMatch(
      /Cannot tell whether stable is equally bad: Failures at the front end carries no version label/,
    );
    expect(card).toMatch(/🔴 Failures at the front end .* vs .* (ago|earlier): .*above the 1\.25× limit/);
    expect(card).not.toMatch(/Common cause/);
  });
});

/** The question is put, nobody answers, and it ends at 0 %. */
async function isRolledBack(told: Told): Promise<void> {
  await told.until('people are asked', () => told.card('d1') !== '', LONG_MS);
  await told.until('it is rolled back', () => /Report: .*Rolled back/.test(told.said()), LONG_MS);
  expect(told.said()).toMatch(/Nobody answered in time/);
  expect(told.router.weights.candidate.percent).toBe(0);
}
