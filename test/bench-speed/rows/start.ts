import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { atMost, percentile, told } from '../figures.ts';
import { alternating, type Row } from '../row.ts';
import { seedRollouts } from '../world/seed.ts';
import { type Stage, setStage } from '../world/stage.ts';

const EVERY_MS = 3_600_000;
/** After it was ready, what it read at the start is let go of. */
const REST_MS = 2000;

/** From the start of the process to the first 200 of /readyz. */
export const startRow: Row = {
  name: 'start',
  title: 'Start to ready',
  floor: 'node -e 0',
  async measure({ rounds, quick, say }) {
    const many = quick ? 200 : 10_000;
    let fullRounds = 0;
    const empty = await setStage({ services: 1, start: false });
    const full = await setStage({ services: many, kind: { metrics: 5, every: '1h', grace: '0s' }, start: false });
    const seconds = { empty: [] as number[], full: [] as number[], floor: [] as number[] };
    const megabytes: number[] = [];
    let anew = 0;
    try {
      say(`putting ${many} rollouts under way`);
      await seedRollouts({ directory: full.directory, everyMs: EVERY_MS, nowMs: Date.now() + 60_000 });
      // Whose rollouts are under way has read these policies before; the very first time is told by itself.
      anew = await start(full);
      await full.app.kill();
      await alternating(
        rounds,
        async (round) => {
          seconds.empty.push(await start(empty));
          await new Promise((resolve) => setTimeout(resolve, REST_MS));
          megabytes.push((empty.app.residentBytes() ?? 0) / 1024 ** 2);
          await empty.app.stop();
          // Where it takes minutes, one round tells enough.
          if (fullRounds === 0 || (seconds.full[0] ?? 0) < 15) {
            fullRounds += 1;
            seconds.full.push(await start(full));
            await full.app.kill();
          }
          const [a, b] = [seconds.empty.at(-1) ?? 0, seconds.full.at(-1) ?? 0];
          say(`round ${round + 1}: ${a.toFixed(2)} s empty, ${b.toFixed(2)} s with ${many} rollouts`);
        },
        async () => void seconds.floor.push(await nothing()),
      );
    } finally {
      await empty.stop();
      await full.stop();
    }
    const floor = percentile(seconds.floor, 0.5);
    return {
      figures: [
        told('empty, median', 's', percentile(seconds.empty, 0.5), floor),
        atMost('empty, slowest', 's', Math.max(...seconds.empty), 2),
        told(`with ${many.toLocaleString('en-GB')} rollouts, median`, 's', percentile(seconds.full, 0.5), floor),
        atMost(`with ${many.toLocaleString('en-GB')} rollouts, slowest`, 's', Math.max(...seconds.full), 4),
        told('the same, policies never read before by this version', 's', anew, floor),
        atMost('memory, empty and idle', 'MB', Math.max(...megabytes), 150),
      ],
      notes: [`Each rollout has a policy file of its own, all with one template.`],
    };
  },
};

async function start({ app }: Stage): Promise<number> {
  app.start();
  return (await app.ready(300_000)) / 1000;
}

async function nothing(): Promise<number> {
  const beganMs = performance.now();
  await once(spawn(process.execPath, ['-e', '0']), 'exit');
  return (performance.now() - beganMs) / 1000;
}
