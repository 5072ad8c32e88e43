import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createListeners } from '../../src/application/listeners.ts';
import { matches } from '../../src/domain/match.ts';
import type { AlertSelector, Policy } from '../../src/domain/policy.ts';
import type { Alert } from '../../src/domain/state.ts';
import { policy } from '../runtime/support.ts';

const label = fc.constantFrom('service', 'team', 'severity', 'constructor');
const value = fc.constantFrom('', 'a', 'b', 'c');
const matcher = fc.record({ label, operator: fc.constantFrom('=' as const, '=' as const, '!=' as const), value });
const selector: fc.Arbitrary<AlertSelector> = fc.record({
  matchers: fc.array(matcher, { maxLength: 3 }),
  severity: fc.constantFrom(null, 'critical' as const),
});
const policies = fc.array(fc.array(selector, { maxLength: 3 }), { maxLength: 8 });
const labels = fc.dictionary(label, value);

const policyWith = (alerts: readonly AlertSelector[], index: number): Policy => ({
  ...policy(),
  service: `s${index}`,
  alerts,
});
const alertWith = (of: Readonly<Record<string, string>>) => ({ labels: of }) as Alert;

it('finds whatever matches, and by the same selector, as asking every policy would', () => {
  fc.assert(
    fc.property(policies, policies, fc.array(labels, { maxLength: 5 }), (first, second, alerts) => {
      const listeners = createListeners();
      for (const all of [first.map(policyWith), second.map(policyWith)]) {
        const among = listeners.among(all);
        for (const of of alerts) {
          const heard = among(alertWith(of)).flatMap(({ policy, hear }) => {
            const found = hear(alertWith(of));
            return found ? [[policy.service, found] as const] : [];
          });
          const asked = all.flatMap(({ service, alerts }) => {
            const found = alerts.find((one) => matches(one, of));
            return found ? [[service, found] as const] : [];
          });
          expect(heard).toEqual(asked);
        }
      }
    }),
    { seed: 21, numRuns: 300 },
  );
});

it('asks none of a thousand policies that name another service', () => {
  const all = Array.from({ length: 1000 }, (_, i) =>
    policyWith([{ matchers: [{ label: 'service', operator: '=', value: `s${i}` }], severity: null }], i),
  );
  const near = createListeners().among(all)(alertWith({ service: 's7', severity: 'warning' }));
  expect(near.map(({ policy }) => policy.service)).toEqual(['s7']);
});
