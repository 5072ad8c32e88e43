import { atMost, type Figure, told } from '../figures.ts';
import type { Row } from '../row.ts';
import { boundOf, buckets, processorSeconds } from '../world/process.ts';
import { seedRollouts } from '../world/seed.ts';
import { setStage } from '../world/stage.ts';
import { watchMemory } from './storm.ts';

const METRICS = 5;
const EVERY_MS = 30_000;
/** Twice what it costs at 100 rollouts is not flat any more. */
const FLAT = 2;
/** To seed one and to start with it, on a slow machine. */
const SEEDED_MS = 12;
const LATE = 'lastgood_effect_late_seconds';

/** Many rollouts that soak, each looked at every 30 s. */
export const rolloutsRow: Row = {
  name: 'rollouts',
  title: `Rollouts under way, ${METRICS} metrics, a look each 30 s`,
  floor: '',
  async measure({ quick, say }) {
    const figures: Figure[] = [];
    let costAtFirst: number | null = null;
    const sizes = quick ? [20] : [100, 1000, 10_000];
    for (const size of sizes) {
      const found = await measured(size, quick ? 10_000 : 60_000);
      say(`${size}: ${JSON.stringify(found)}`);
      const cost = (found.processorSeconds * 1e6) / (size * (found.seconds / (EVERY_MS / 1000)));
      costAtFirst ??= cost;
      const name = `${size.toLocaleString('en-GB')} rollouts`;
      figures.push(
        atMost(`${name}: late at p99`, 'ms', found.lateMs, 250),
        atMost(`${name}: of a core`, '%', (100 * found.processorSeconds) / found.seconds, 50),
        atMost(`${name}: memory at most`, 'MB', found.megabytes, 400),
        told(`${name}: queries a look`, '', found.queries / Math.max(1, found.looks)),
        told(`${name}: looks taken of those due`, '%', (100 * found.looks) / ((size * found.seconds) / 30)),
        told(`${name}: processor time a rollout and 30 s, in µs`, '', cost),
      );
      if (costAtFirst !== cost)
        figures.push(atMost(`${name}: cost a rollout, in those at ${sizes[0]}`, '×', cost / costAtFirst, FLAT));
    }
    return {
      figures,
      notes: [
        'Lateness is the bound of the histogram that /metrics shows, of timers and of looks. Where fewer looks are taken than are due, what was',
        'spent is spent on those that were taken.',
      ],
    };
  },
};

/** A look that is put off has no timer that fires. */
function together(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  return new Map(
    [...new Set([...a.keys(), ...b.keys()])]
      .sort((x, y) => x - y)
      .map((le) => [le, (a.get(le) ?? 0) + (b.get(le) ?? 0)]),
  );
}

async function measured(size: number, forMs: number) {
  const stage = await setStage({ services: size, kind: { metrics: METRICS, every: '30s', grace: '0s' }, start: false });
  const memory = watchMemory(stage);
  try {
    // Not before they are seeded and the app is ready: what is overdue is another thing, and is told.
    const beginMs = Date.now() + 5000 + size * SEEDED_MS;
    await seedRollouts({ directory: stage.directory, everyMs: EVERY_MS, nowMs: beginMs });
    stage.app.start();
    await stage.app.ready(300_000);
    // A round of looks first: what is drawn and compiled once is not what is measured.
    const roundMs = Math.min(forMs, EVERY_MS + 5000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, beginMs - Date.now()) + roundMs));
    const scrape = async () => (await fetch(`${stage.app.url}/metrics`)).text();
    const spent = async () => ({
      atMs: performance.now(),
      processor: processorSeconds(stage.app.pid ?? 0) ?? 0,
      queries: ((await (await fetch(`${stage.stubs.url}/queries`)).json()) as { queries: number }).queries,
    });
    // A scrape reads every state, and is no part of the looks.
    const textBefore = await scrape();
    const before = await spent();
    await new Promise((resolve) => setTimeout(resolve, forMs));
    const after = await spent();
    const textAfter = await scrape();
    const late = (text: string) => together(buckets(text, LATE, 'kind="timer"'), buckets(text, LATE, 'kind="measure"'));
    const measures = (text: string) => buckets(text, LATE, 'kind="measure"').get(Number.POSITIVE_INFINITY) ?? 0;
    return {
      seconds: (after.atMs - before.atMs) / 1000,
      processorSeconds: after.processor - before.processor,
      lateMs: 1000 * (boundOf(late(textBefore), late(textAfter), 0.99) ?? Number.POSITIVE_INFINITY),
      looks: measures(textAfter) - measures(textBefore),
      queries: after.queries - before.queries,
      megabytes: memory.most(),
    };
  } finally {
    memory.stop();
    await stage.stop();
  }
}
