import { initialState } from '../../src/domain/initial.ts';
import { openStore } from '../../src/runtime/store.ts';
import { event, newJob, service, t0 } from './support.ts';

// Commits unit after unit, and says which ones are acknowledged, until it is killed.
const file = process.argv[2];
if (!file) throw new Error('usage: child-write.ts FILE');
const store = await openStore(file);
for (let n = ((await store.load(service))?.state.sequence ?? 0) + 1; ; n += 1) {
  await store.transaction(async (unit) => {
    await unit.insertEvent(event(`e${n}`));
    const stored = await unit.load(service);
    const state = stored?.state ?? initialState(service, t0);
    await unit.save({ ...state, sequence: n }, stored?.version ?? 0);
    await unit.enqueue(newJob({ key: `job${n}` }));
  });
  process.stdout.write(`${n}\n`);
}
