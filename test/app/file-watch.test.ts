import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileWatch, type FileWatch } from '../../src/app/file-watch.ts';
import type { Inspection } from '../../src/ports/store.ts';
import { pause } from '../../src/runtime/clock.ts';

const HOUR_MS = 3_600_000;
const sound: Inspection = { ok: true, detail: 'every page is sound' };
const damaged: Inspection = { ok: false, detail: 'page 7 is not what it was' };

let nowMs: number;
/** What is found next, in order; the last one for ever. */
let finds: (Inspection | Error | null)[];
let looks: number;
let problems: unknown[];
let watch: FileWatch;

beforeEach(() => {
  nowMs = 0;
  finds = [sound];
  looks = 0;
  problems = [];
  watch = createFileWatch({
    async inspect() {
      looks += 1;
      const found = finds.length > 1 ? finds.shift() : finds[0];
      if (found instanceof Error) throw found;
      return found ?? null;
    },
    clock: { now: () => nowMs, sleepUntil: (atMs, signal) => pause(atMs - nowMs, signal) },
    onProblem: (error) => void problems.push(error),
  });
});
afterEach(() => watch.stop());

/** As the health checks look, at this hour. */
async function lookedAt(hour: number) {
  nowMs = hour * HOUR_MS;
  watch.look();
  await new Promise((resolve) => setImmediate(resolve));
  return watch.look();
}

describe('the watch over the database file', () => {
  it('looks an hour after the start, then once a day', async () => {
    expect(await lookedAt(0.9)).toBeNull();
    expect(looks).toBe(0);
    expect(await lookedAt(1)).toMatchObject(sound);
    for (const hour of [2, 12, 24.9]) expect(await lookedAt(hour)).toMatchObject(sound);
    expect(looks).toBe(1);
    await lookedAt(25);
    expect(looks).toBe(2);
  });

  it('believes damage when it sees it twice, and then at once', async () => {
    finds = [damaged, sound];
    expect(await lookedAt(1)).toMatchObject({ ok: true });
    finds = [damaged];
    expect(await lookedAt(25)).toMatchObject({ ...damaged, sure: true });
    finds = [sound];
    expect(await lookedAt(49)).toMatchObject({ ok: true });
  });

  it('keeps to what it knows where the file cannot be read or held still, and tries again in an hour', async () => {
    await lookedAt(1);
    finds = [new Error('not within a minute')];
    expect(await lookedAt(25)).toMatchObject({ ok: true });
    expect(problems).toHaveLength(1);
    finds = [null];
    expect(await lookedAt(26)).toMatchObject({ ok: true });
    finds = [damaged];
    expect(await lookedAt(26.5)).toMatchObject({ ok: true });
    expect(await lookedAt(27)).toMatchObject({ ok: false });
  });

  it('looks at once where somebody asks, and not again within a minute', async () => {
    expect(await watch.now()).toMatchObject(sound);
    finds = [damaged];
    nowMs += 59_000;
    expect(await watch.now()).toMatchObject({ ok: true });
    nowMs += 1_000;
    expect(await watch.now()).toMatchObject({ ok: false });
    expect(watch.look()).toMatchObject({ ok: false });
    // What was known before is no answer to who asks how it is now.
    nowMs += 60_000;
    finds = [null];
    expect(await watch.now()).toBeNull();
    expect(watch.look()).toMatchObject({ ok: false });
  });
});
