import { describe, expect, it } from 'vitest';
import { nearMisses } from '../../src/application/near-miss.ts';
import type { AlertSelector, Matcher, Policy } from '../../src/domain/policy.ts';
import { policy } from '../runtime/support.ts';

const matcher = (label: string, operator: Matcher['operator'], value: string): Matcher => ({ label, operator, value });
const of = (service: string, ...selectors: (readonly Matcher[])[]): Policy => {
  const alerts: AlertSelector[] = selectors.map((matchers) => ({ matchers, severity: null }));
  return policy({ service, alerts });
};
const loud = matcher('severity', '=~', 'warning|critical');
const fraud = of('fraud-scorer', [matcher('service', '=', 'fraud-scorer'), loud]);
const ranker = of('ranker', [matcher('service', '=', 'ranker'), loud]);

describe('what a policy missed in an alert', () => {
  it('is said in its own words, the nearest policy first', () => {
    const misses = nearMisses([ranker, fraud], { service: 'fraud-scorer', severity: 'info' });
    expect(misses?.map(({ text }) => text)).toEqual([
      'fraud-scorer: wants severity=~"warning|critical", has severity="info"',
      'ranker: wants service="ranker", has service="fraud-scorer"; wants severity=~"warning|critical", has severity="info"',
    ]);
    expect(misses?.[0]).toMatchObject({ held: 1, of: 2 });
  });

  it('is told of the selector that came nearest', () => {
    const two = of('two', [matcher('team', '=', 'x'), loud], [matcher('service', '!=', 'dev'), loud]);
    expect(nearMisses([two], { service: 'prod' })?.[0]?.text).toBe(
      'two: wants severity=~"warning|critical", has no severity',
    );
  });

  it('is nothing where a policy matches after all', () => {
    expect(nearMisses([ranker, fraud], { service: 'fraud-scorer', severity: 'critical' })).toBeNull();
  });

  it('comes last where a policy names no alerts, and knows no labels but the alert own', () => {
    const misses = nearMisses([of('mute'), of('odd', [matcher('constructor', '=~', '.+')])], {});
    expect(misses?.map(({ text }) => text)).toEqual([
      'odd: wants constructor=~".+", has no constructor',
      'mute: its policy names no alerts',
    ]);
  });
});
