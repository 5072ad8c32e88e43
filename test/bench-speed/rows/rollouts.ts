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
/** A first look reads everything whole: longer than this a rollout is nothing to wait for. */
const FIRST_LOOK_MS = 60;
/** How often it is asked whether all were looked at; a scrape reads every state, so the longer the more there are. */
const ASKED_EVERY_MS = 5_000;

/** Many rollouts that soak, each looked at every 30 s. */
export const rolloutsRow: Row = {
  name: 'rollouts',
  title: `Rollouts under way, ${METRICS} metrics, a look each 30 s`,
  floor: '',
  async measure({ quick, say }) {
    const figures: Figure[] = [];
    const firstRounds: string[] = [];
    let costAtFirst: number | null = null;
    const sizes = quick ? [20] : [100, 1000, 10_000];
    for (const size of sizes) {
      const found = await measured(size, quick ? 10_000 : 60_000);
      say(`${size}: ${JSON.stringify(found)}`);
      const { firstRound } = found;
      firstRounds.push(
        `${size.toLocaleString('en-GB')}: ${Math.round(firstRound.seconds)} s` +
          (firstRound.looks < size ? `, in which only ${firstRound.looks} were looked at` : ''),
      );
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
        'spent is spent on those that were taken. It is measured once every rollout was looked at once since the start, which reads all of its',
        `windows; how long that took, begun over the first 30 s: ${firstRounds.join('; ')}. The memory is the most of both.`,
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
    // Whose rollouts are under way has read these policies before: how long that takes is told by the start's row.
    stage.app.start();
    await stage.app.ready(300_000);
    await stage.app.kill();
    // Not before they are seeded and the app is ready: what is overdue is another thing, and is told.
    const beginMs = Date.now() + 5000 + size * SEEDED_MS;
    await seedRollouts({ directory: stage.directory, everyMs: EVERY_MS, nowMs: beginMs });
    stage.app.start();
    await stage.app.ready(300_000);
    const scrape = async () => (await fetch(`${stage.app.url}/metrics`)).text();
    await pause(beginMs - Date.now());
    const firstRound = await firstRoundOf(size, Math.min(forMs, EVERY_MS + 5000), async () => measures(await scrape()));
    const spent = async () => ({
      atMs: performance.now(),
      processor: processorSeconds(stage.app.pid ?? 0) ?? 0,
      queries: ((await (await fetch(`${stage.stubs.url}/queries`)).json()) as { queries: number }).queries,
    });
    // A scrape reads every state, and is no part of the looks.
    const textBefore = await scrape();
    const before = await spent();
    await pause(forMs);
    const after = await spent();
    const textAfter = await scrape();
    const late = (text: string) => together(buckets(text, LATE, 'kind="timer"'), buckets(text, LATE, 'kind="measure"'));
    return {
      firstRound,
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

function measures(text: string): number {
  return buckets(text, LATE, 'kind="measure"').get(Number.POSITIVE_INFINITY) ?? 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Waits until as many looks were taken as there are rollouts, and at least so long: what is read and compiled once is not what is measured. */
async function firstRoundOf(size: number, atLeastMs: number, looks: () => Promise<number>) {
  const beganMs = Date.now();
  await pause(atLeastMs);
  for (;;) {
    const taken = await looks();
    const passedMs = Date.now() - beganMs;
    if (taken >= size || passedMs > atLeastMs + size * FIRST_LOOK_MS) return { seconds: passedMs / 1000, looks: taken };
    await pause(Math.max(ASKED_EVERY_MS, size));
  }
}
