import { describe, expect, it } from 'vitest';
import { createBatch } from '../../src/sources/asking.ts';
import { prometheusApi } from '../../src/sources/prometheus-api.ts';
import { evaluator, type Stored } from './evaluator.ts';
import { endpoint } from './support.ts';

const STEP_MS = 30_000;
const BEGAN_MS = 1_795_220_400_000;
const QUERY = 't{service="ranker"}';

function setUp({ mostKeptBytes = 1e7, lateMs = 0 } = {}) {
  const stored: { labels: Stored['labels']; samples: [number, string | null][] }[] = [
    {
      labels: { __name__: 't', service: 'ranker', pod: 'b' },
      samples: Array.from({ length: 2000 }, (_, k) => [BEGAN_MS - 3_600_000 + k * 15_000, String(7 * k)]),
    },
  ];
  const clock = { nowMs: BEGAN_MS };
  const server = evaluator(() =>
    stored.map((s) => ({ ...s, samples: s.samples.filter(([at]) => at <= clock.nowMs - 1000) })),
  );
  const api = prometheusApi(server.http, endpoint('http://prometheus'), 1000);
  const batch = createBatch(api, { now: () => clock.nowMs, gatherMs: 0, mostKeptBytes });
  /** Points that were asked for, stretch by stretch. */
  const ask = async (startMs: number, endMs: number, query = QUERY) => {
    server.asked.length = 0;
    const stretch = { startMs, endMs, stepMs: STEP_MS };
    const found = await batch.look(9).ask(query, stretch, new AbortController().signal, lateMs);
    const sent = server.asked.map((a) => (a.endMs - a.startMs) / STEP_MS + 1);
    expect(found).toEqual(await api.range(query, stretch));
    return sent;
  };
  const past = () => ask(BEGAN_MS - 3_000_000, BEGAN_MS - 600_000);
  const present = () => ask(BEGAN_MS - 300_000, Math.floor((clock.nowMs - 5000) / STEP_MS) * STEP_MS);
  return { stored, clock, ask, past, present };
}

describe('what has settled', () => {
  it('is asked for once; of the present only what is newer than a minute', async () => {
    const { clock, past, present } = setUp();
    expect(await past()).toEqual([81]);
    await present();
    for (let look = 0; look < 10; look += 1) {
      clock.nowMs += STEP_MS;
      expect(await past()).toEqual([]);
      // The new one, the one that was too young before, and one to see that nothing has changed.
      expect(await present()).toEqual([3]);
    }
  });

  it('is read anew after ten minutes, so that what was filled in is seen', async () => {
    const { stored, clock, past } = setUp();
    await past();
    const at = BEGAN_MS - 1_500_000;
    const [one] = stored;
    one?.samples.splice(0, one.samples.length, ...one.samples.filter(([ms]) => ms < at));
    clock.nowMs += 600_000;
    expect(await past()).toEqual([81]);
  });

  it('is read anew as a whole where a point has changed', async () => {
    const { stored, clock, present } = setUp();
    await present();
    clock.nowMs += 4 * STEP_MS;
    await present();
    const [one] = stored;
    for (const sample of one?.samples ?? []) if (sample[0] > BEGAN_MS - 300_000) sample[1] = `1${sample[1]}`;
    clock.nowMs += STEP_MS;
    expect(await present()).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('is read anew as a whole where a series appears, which stands in its place among the others', async () => {
    const { stored, clock, present } = setUp();
    await present();
    clock.nowMs += STEP_MS;
    await present();
    stored.push({ labels: { __name__: 't', service: 'ranker', pod: 'a' }, samples: [[clock.nowMs, '3']] });
    clock.nowMs += STEP_MS;
    expect(await present()).toHaveLength(2);
    clock.nowMs += STEP_MS;
    expect(await present()).toHaveLength(1);
  });

  it('ends where all series end: what is to come may be late as a whole', async () => {
    const { stored, clock, present } = setUp();
    const [one] = stored;
    const late = one?.samples.splice(240) ?? [];
    clock.nowMs += 8 * 60_000;
    await present();
    clock.nowMs += STEP_MS;
    one?.samples.push(...late);
    const [asked = 0] = await present();
    expect(asked).toBeGreaterThan(6);
  });

  it('is what is so much older where labels come late', async () => {
    const { clock, present } = setUp({ lateMs: 120_000 });
    await present();
    clock.nowMs += STEP_MS;
    expect(await present()).toEqual([7]);
  });

  it('is kept by the query and the stretch: what has moved elsewhere is asked for', async () => {
    const { clock, ask, past } = setUp();
    await past();
    expect(await ask(BEGAN_MS - 3_000_000, BEGAN_MS - 600_000, 't{service="search"}')).toEqual([81]);
    clock.nowMs += STEP_MS;
    expect(await ask(BEGAN_MS - 3_060_000, BEGAN_MS - 660_000)).toEqual([19]);
    // What reaches back by a window more at each look was asked for ahead.
    expect(await ask(BEGAN_MS - 3_060_000 - 16 * STEP_MS, BEGAN_MS - 600_000)).toEqual([]);
    clock.nowMs += STEP_MS;
    expect(await ask(BEGAN_MS - 3_000_000 + 7000, BEGAN_MS - 600_000 + 7000)).toEqual([81]);
  });

  it('is of plain selectors only: what is computed over time is asked anew', async () => {
    const { clock, ask } = setUp();
    for (let look = 0; look < 2; look += 1) {
      clock.nowMs += STEP_MS;
      expect(await ask(BEGAN_MS - 3_000_000, BEGAN_MS - 600_000, 't')).toEqual([81]);
    }
  });

  it('is bounded: what does not fit is asked for, and what is in use is not given up for it', async () => {
    const { clock, ask } = setUp({ mostKeptBytes: 5200 });
    const of = (pod: string) => ask(BEGAN_MS - 3_000_000, BEGAN_MS - 600_000, `t{service="ranker",pod="${pod}"}`);
    await of('b');
    const other = `t{pod="b"}`;
    for (let look = 0; look < 3; look += 1) {
      clock.nowMs += STEP_MS;
      expect(await of('b')).toEqual([]);
      expect(await ask(BEGAN_MS - 3_000_000, BEGAN_MS - 30_000, other)).toEqual([100]);
    }
    clock.nowMs += 130_000;
    expect(await ask(BEGAN_MS - 3_000_000, BEGAN_MS - 30_000, other)).toEqual([100]);
    clock.nowMs += STEP_MS;
    expect(await ask(BEGAN_MS - 3_000_000, BEGAN_MS - 30_000, other)).toEqual([]);
    expect(await of('b')).toEqual([81]);
  });

  it('has only half of the room where it grows', async () => {
    for (const [mostKeptBytes, asked] of [
      [1400, 11],
      [2800, 3],
    ] as const) {
      const { clock, present } = setUp({ mostKeptBytes });
      await present();
      clock.nowMs += STEP_MS;
      expect(await present()).toEqual([asked]);
    }
  });
});
