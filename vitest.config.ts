import { defineConfig } from 'vitest/config';

/** Whole processes, real servers and browsers in real time: one file after the other, so that they do not starve each other. */
const inRealTime = [
  'test/acceptance/alertmanager-down.test.ts',
  'test/acceptance/canaries.test.ts',
  'test/acceptance/real.test.ts',
  'test/acceptance/gates.test.ts',
  'test/acceptance/haproxy.test.ts',
  'test/acceptance/kill*.test.ts',
  'test/acceptance/ground.test.ts',
  'test/acceptance/overload.test.ts',
  'test/acceptance/replicas.test.ts',
  'test/acceptance/skew.test.ts',
  'test/acceptance/two-answers.test.ts',
  'test/browser/**/*.test.ts',
  'test/chaos/chaos.test.ts',
  'test/cli/serve.test.ts',
  'test/demo/demo-rules.test.ts',
  'test/demo/demo.test.ts',
  'test/demo/scenarios.test.ts',
  'test/workspace/page.test.ts',
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
          exclude: inRealTime,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: 'whole', include: inRealTime, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
