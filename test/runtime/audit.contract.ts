import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Store } from '../../src/ports/store.ts';
import { saveState, service, state, t0 } from './support.ts';

export function entry(text: string, over: Partial<JournalEntry> = {}): JournalEntry {
  const actor = { kind: 'policy', id: 'fraud-scorer@r1', name: 'fraud-scorer' } as const;
  const nowhere = { rolloutId: null, degradationId: null, from: null, to: null };
  return {
    atMs: t0,
    actor,
    what: 'gate-passed',
    ...nowhere,
    reason: text,
    text,
    numbers: [],
    policyRevision: 'r1',
    ...over,
  };
}

export function append(store: Store, to: string, ...entries: JournalEntry[]): Promise<void> {
  return store.transaction((unit) => unit.append(to, entries));
}

/** What every store's journal has to show, whatever database is below it. `open` gives an empty one. */
export function auditContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: the journal's chains`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    const verify = (one: string | null = null) => store.audit.verify({ service: one, anchors: [] });

    it('grow by service, and are sound', async () => {
      await append(store, 'a', entry('1'), entry('2'));
      await append(store, 'b', entry('1'));
      await append(store, 'a', entry('3'));
      await append(store, 'a');
      const [a, b, ...more] = await verify();
      expect(more).toEqual([]);
      expect(a).toMatchObject({ service: 'a', rows: 3, problem: null, anchor: { service: 'a', position: 3 } });
      expect(b).toMatchObject({ service: 'b', rows: 1, problem: null, anchor: { service: 'b', position: 1 } });
      // The same words in another place have another hash.
      expect(a?.anchor?.hash).not.toBe(b?.anchor?.hash);
      expect(await verify('a')).toEqual([a]);
    });

    it('do not fork where many write at once, and are empty where nothing was committed', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => append(store, service, entry(`at once ${i}`))));
      const lost = store.transaction(async (unit) => {
        await unit.append(service, [entry('never was')]);
        throw new Error('lost power');
      });
      await expect(lost).rejects.toThrow('lost power');
      expect(await verify()).toMatchObject([{ rows: 20, problem: null, anchor: { position: 20 } }]);
    });

    it('are held against anchors kept elsewhere', async () => {
      await append(store, service, entry('1'), entry('2'));
      const anchor = (await verify())[0]?.anchor;
      if (!anchor) throw new Error('there is no anchor');
      await append(store, service, entry('3'));
      const held = (anchors: (typeof anchor)[]) => store.audit.verify({ service: null, anchors });
      expect(await held([anchor])).toMatchObject([{ problem: null, rows: 3 }]);
      expect(await held([{ ...anchor, hash: 'f'.repeat(64) }])).toMatchObject([
        { problem: { kind: 'not-as-anchored', position: 2 } },
      ]);
      expect(await held([{ ...anchor, position: 7 }])).toMatchObject([{ problem: { kind: 'missing', position: 4 } }]);
      expect(await held([{ ...anchor, service: 'gone' }])).toMatchObject([
        { problem: null },
        { service: 'gone', problem: { kind: 'missing', position: 1 } },
      ]);
    });

    it('let go of their beginnings, and what stays is verified from there', async () => {
      const at = (day: number) => ({ atMs: t0 + day * 86_400_000 });
      for (let day = 1; day <= 5; day += 1) await append(store, service, entry(`day ${day}`, at(day)));
      await append(store, 'quiet', entry('long ago', at(1)));
      const old = (await verify(service))[0]?.anchor;
      expect(await store.audit.prune(t0 + 3 * 86_400_000)).toMatchObject([
        { service, rows: 2, upTo: { service, position: 2 } },
        { service: 'quiet', rows: 1, upTo: { position: 1 } },
      ]);
      expect(await store.audit.prune(t0 + 3 * 86_400_000)).toEqual([]);
      const anchors = old ? [old, { ...old, position: 1 }] : [];
      expect(await store.audit.verify({ service, anchors })).toMatchObject([
        { rows: 3, prunedPosition: 2, problem: null, anchor: { position: 5 }, anchorsPruned: [{ position: 1 }] },
      ]);
      expect(await verify('quiet')).toMatchObject([{ rows: 0, prunedPosition: 1, problem: null }]);
      // Numbers go on, although no row is left.
      await append(store, 'quiet', entry('again', at(6)));
      expect(await verify('quiet')).toMatchObject([{ rows: 1, problem: null, anchor: { position: 2 } }]);
      const kept: string[] = [];
      for await (const one of store.audit.entries({ service: null })) kept.push(`${one.service} ${one.entry.text}`);
      expect(kept).toEqual([`${service} day 3`, `${service} day 4`, `${service} day 5`, 'quiet again']);
    });

    it('keep what belongs to a rollout that is not over', async () => {
      const rolloutId = `${service}-r1`;
      await saveState(store, state());
      await append(store, service, entry('before'), entry('its start', { rolloutId }), entry('other'));
      expect(await store.audit.prune(t0 + 1)).toMatchObject([{ rows: 1, upTo: { position: 1 } }]);
      expect(await verify()).toMatchObject([{ rows: 2, prunedPosition: 1, problem: null }]);
    });
  });
}
