import { expect, it } from 'vitest';
import { createLab } from '../../src/demo/lab/index.ts';
import { faults } from '../../src/demo/scenarios/faults.ts';
import { nowOf } from '../../src/demo/world/now.ts';
import { type Given, resolved, rollingBack, soaking } from '../domain/given.ts';

/** What is left of the way back happens, and all is well. */
function toTheEnd(g: Given): Given {
  while (g.state.rollout?.phase.name === 'rolling_back') {
    if (g.state.shift) g.shifted();
    else g.looks({ verdict: 'degraded', stableVerdict: 'healthy' });
  }
  while (g.state.rollout?.phase.name === 'verifying') g.looks({ verdict: 'no-data', stableVerdict: 'healthy' });
  return g.phase('rolled_back');
}

it('says who took it back, and why', () => {
  const byPerson = toTheEnd(
    soaking().command({ name: 'rollback', pace: 'at-once', to: null, reason: 'they are worse' }),
  );
  expect(nowOf(byPerson.state, byPerson.now, byPerson.allJournal)).toMatchObject({
    title: 'Back on v41, and well',
    detail: 'Rolled back by @ann: They are worse.',
  });
  const without = toTheEnd(soaking().command({ name: 'rollback', pace: 'at-once', to: null, reason: '' }));
  expect(nowOf(without.state, without.now, without.allJournal).detail).toBe('Rolled back by @ann.');
  const byItself = toTheEnd(rollingBack().when(resolved('ErrorsHigh')));
  expect(nowOf(byItself.state, byItself.now, byItself.allJournal).detail).toBe(
    'Rolled back by automation: Nobody answered by the deadline.',
  );
});

it('shows only "both" as pressed where both were made to fail', async () => {
  await using parts = new AsyncDisposableStack();
  const lab = parts.adopt(await createLab({ ratePerSecond: 1 }), (one) => one.stop());
  const arms = { stable: 'v41', candidate: 'v42' };
  const pressed = () => Object.values(faults).flatMap((fault) => (fault.inForce(lab, arms) ? [fault.name] : []));
  faults.errors.worsen(lab, arms);
  expect(pressed()).toEqual(['errors']);
  faults.both.worsen(lab, arms);
  expect(pressed()).toEqual(['both']);
  lab.heal();
  expect(pressed()).toEqual([]);
});
