import { defineConfig } from 'vitest/config';

/** Whole processes, real servers and browsers in real time, busy: one file after the other, so that they do not starve each other. */
const busy = [
  'test/acceptance/alertmanager-down.test.ts',
  'test/acceptance/kill.test.ts',
  'test/acceptance/overload.test.ts',
  'test/browser/**/*.test.ts',
  'test/cli/serve.test.ts',
  'test/demo/demo-rules.test.ts',
  'test/demo/demo.test.ts',
  'test/demo/scenarios.test.ts',
  'test/workspace/page.test.ts',
];

/** The same, but what they mostly do is wait (a fifth of a processor or less): two at a time. */
const waiting = [
  'test/acceptance/canaries.test.ts',
  'test/acceptance/real.test.ts',
  'test/acceptance/gates.test.ts',
  'test/acceptance/haproxy.test.ts',
  'test/acceptance/kill-late.test.ts',
  'test/acceptance/ground.test.ts',
  'test/acceptance/replicas.test.ts',
  'test/acceptance/skew.test.ts',
  'test/acceptance/two-answers.test.ts',
  'test/chaos/chaos.test.ts',
];

/** Against hanging, not against slowness: a busy machine takes several times as long. */
const common = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...busy, ...waiting],
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: 'waiting', include: waiting, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { test: { ...common, name: 'whole', include: busy, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
