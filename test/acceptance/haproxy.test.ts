import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertmanagerPath } from '../support/alertmanager.ts';
import { haproxyPath } from '../support/haproxy.ts';
import { prometheusPath } from '../support/prometheus.ts';
import { CHANNEL, type HaproxyWorld, SERVICE, startHaproxyWorld } from './haproxy-world.ts';
import { everything, idOf } from './support/slack-talk.ts';
import type { Ending } from './support/users.ts';

const missing = haproxyPath === null || prometheusPath === null || alertmanagerPath === null;
const skipped = missing ? ' (skipped: haproxy, prometheus or prometheus-alertmanager is not installed)' : '';

/** From one change of the weights to the next, as seen at HAProxy. */
interface Stretch {
  readonly percent: number;
  readonly fromMs: number;
  toMs: number;
}

/** Seen on the way from one stretch to the next. */
interface Between {
  readonly percent: number;
  /** How many stretches had begun. */
  readonly after: number;
}

let world: HaproxyWorld;

describe.skipIf(missing)(`people behind a real HAProxy${skipped}`, { timeout: 150_000 }, () => {
  beforeAll(async () => {
    world = await startHaproxyWorld();
  });
  afterAll(() => world?.stop());

  it('notice nothing of a rollout and its rollback but what the candidate itself got wrong', async () => {
    const stretches: Stretch[] = [];
    const between: Between[] = [];
    const watch = watchWeights(stretches, between);
    const isAt = (percent: number) => () => stretches.at(-1)?.percent === percent;
    const said = () => everything(world.workspace, CHANNEL);

    await world.until('v41 serves people', () => isAt(0)() && world.users.endings.length > 200, 30_000);
    const typed = await world.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42`);
    expect(typed.ok).toBe(true);
    await world.until('v42 gets 70 %', isAt(70), 60_000);
    await world.until('the thread says so', () => said().some(({ text }) => /now gets 70 %/.test(text)), 20_000);
    const candidate = world.model('v42');
    candidate.faults = { ...candidate.faults, errorRate: 0.5 };
    // Nobody answers.
    await world.until('all traffic is back', isAt(0), 60_000);
    const isReported = () => said().some((message) => idOf(message) === `report/${SERVICE}-d1`);
    await world.until('the report stands', isReported, 60_000);
    const { endings, skipped: notSent } = world.users;
    await world.users.stop();
    await watch.stop();

    expect(stretches.map(({ percent }) => percent)).toEqual([0, 10, 70, 50, 10, 0]);
    // On the way from one to the next nobody has more than before or after.
    for (const { percent, after } of between) {
      const ends = [stretches[after - 1]?.percent ?? 0, stretches[after]?.percent ?? 0];
      expect(percent).toBeGreaterThanOrEqual(Math.min(...ends));
      expect(percent).toBeLessThanOrEqual(Math.max(...ends));
    }

    // Whoever was not served was failed by a model: nobody by HAProxy, and nobody by the connection.
    const failed = endings.filter(({ status }) => status !== 200);
    expect(failed.filter(({ status, version }) => status !== 500 || version === null)).toEqual([]);
    const byStable = failed.filter(({ version }) => version === 'v41').length;
    // One request in 200 fails in every model, always.
    expect(byStable).toBeLessThan(20 + endings.length * 0.02);
    expect(endings.filter(({ isNew }) => isNew).length).toBeGreaterThan(endings.length / 3);

    const shares = stretches.map((stretch) => ({ percent: stretch.percent, ...sharesIn(stretch, endings) }));
    for (const { percent, asked, candidate } of shares) {
      if (percent === 0) expect(candidate).toBe(0);
      // Weighted round robin is no lottery: it keeps to the weights far better than chance would.
      else expect(Math.abs(candidate - (asked * percent) / 100)).toBeLessThan(Math.max(4, asked * 0.03));
      expect(asked).toBeGreaterThan(40);
    }
    process.stdout.write(
      `${endings.length} requests through HAProxy, ${notSent} not sent; failed: ${failed.length - byStable} by v42, ${byStable} by v41, 0 by the way there; ${endings.filter(({ isRepeated }) => isRepeated).length} asked once more on a new connection.\n${shares.map(({ percent, asked, candidate }) => `  at ${percent} %: ${candidate} of ${asked} to v42 (${((candidate / asked) * 100).toFixed(1)} %)`).join('\n')}\n`,
    );

    const ann = world.workspace.user('U0ANN');
    await ann.type(CHANNEL, `/rollout history ${SERVICE}`);
    const told = /takes fraud-scorer back to v41: 70 % → 50 % → 10 % → 0 %/;
    const isTold = () => ann.ephemerals(CHANNEL).some(({ text }) => told.test(text) && /is back on v41/.test(text));
    await world.until('the history tells it', isTold, 20_000);
  });
});

/** Looks at the weights again and again, not through the app. Of `between` is what was seen while one was set and the other not yet. */
function watchWeights(stretches: Stretch[], between: Between[]): { stop(): Promise<void> } {
  let isOver = false;
  const look = async () => {
    while (!isOver) {
      const sentMs = Date.now();
      const { v41 = 0, v42 = 0 } = await world.haproxy.weights();
      const percent = (100 * v42) / (v41 + v42);
      const last = stretches.at(-1);
      // At rest the two weights read as per cents.
      if (v41 + v42 !== 100) between.push({ percent, after: stretches.length });
      else if (last?.percent === percent) last.toMs = sentMs;
      else stretches.push({ percent, fromMs: Date.now(), toMs: sentMs });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const looking = look();
  return {
    async stop() {
      isOver = true;
      await looking;
    },
  };
}

/** What was asked and answered within a stretch. */
function sharesIn({ fromMs, toMs }: Stretch, endings: readonly Ending[]): { asked: number; candidate: number } {
  const within = endings.filter(({ sentAtMs, endedAtMs }) => sentAtMs > fromMs && endedAtMs < toMs);
  return { asked: within.length, candidate: within.filter(({ version }) => version === 'v42').length };
}
