import { expect, it } from 'vitest';
import { createMetricTemplates, isCounted } from '../../src/sources/metric-templates.ts';
import { createSelectors } from '../../src/sources/named.ts';
import { createFilling } from '../../src/sources/promql.ts';
import { metric } from './support.ts';

it('metrics have the same template where they say the same, whoever asks, and another where anything differs', () => {
  const templates = createMetricTemplates(createSelectors(), createFilling());
  const templateOf = (source: Parameters<typeof metric>[0], labelDelayMs?: number) => {
    const one = { ...metric(source), ...(labelDelayMs === undefined ? {} : { labelDelayMs }) };
    if (!isCounted(one)) throw new Error('It is none that is counted.');
    return templates(one);
  };
  const proportion = { kind: 'proportion', bad: 'e', good: null, total: 't' } as const;
  const all = [
    templateOf(proportion),
    templateOf(proportion, 60_000),
    templateOf({ ...proportion, bad: 'f' }),
    templateOf({ ...proportion, bad: null, good: 'e' }),
    templateOf({ ...proportion, total: 'u' }),
    templateOf({ ...proportion, kind: 'objective', allowed: 0.01 }),
    templateOf({ ...proportion, kind: 'objective', allowed: 0.02 }),
    templateOf({ kind: 'rate', events: 't', per: null }),
    templateOf({ kind: 'rate', events: 't', per: 'u' }),
    templateOf({ kind: 'split', requests: 't', slack: 0.1 }),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(templateOf({ ...proportion })).toBe(all[0]);
  expect(templateOf({ ...proportion }, 60_000)).toBe(all[1]);
  expect(templateOf({ kind: 'split', slack: 0.1, requests: 't' })).toBe(all.at(-1));
});
