import { expect, it } from 'vitest';
import { servicesUnderWay } from '../../src/app/under-way.ts';
import type { JournalEntry } from '../../src/domain/effect.ts';
import { openStore } from '../../src/runtime/store.ts';
import { degradation, rollout, saveState, state } from '../runtime/support.ts';

it('finds the services with a rollout under way or a question open, and what they were decided by last', async () => {
  const store = await openStore(':memory:');
  try {
    const over = rollout({ phase: { name: 'succeeded', atMs: 1, reason: '' } });
    const answered = degradation({ stage: { name: 'ended', atMs: 1, outcome: 'recovered' } });
    await saveState(store, state({ service: 'rolling' }));
    await saveState(store, state({ service: 'asked', rollout: over, degradation: degradation() }));
    await saveState(store, state({ service: 'quiet', rollout: over, degradation: answered }));
    for (const revision of ['rev1', 'rev2']) {
      await store.transaction((unit) => unit.append('rolling', [entry(revision)]));
    }
    expect(await servicesUnderWay(store)).toEqual([
      { service: 'asked', revision: null },
      { service: 'rolling', revision: 'rev2' },
    ]);
  } finally {
    await store.close();
  }
});

function entry(policyRevision: string): JournalEntry {
  const actor = { kind: 'policy', id: 'p', name: 'p' } as const;
  const nothing = { rolloutId: null, degradationId: null, from: null, to: null, reason: '', text: '', numbers: [] };
  return { atMs: 1, actor, what: 'held', ...nothing, policyRevision };
}
