import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  addressIn,
  attempts,
  demoArguments,
  type Frame,
  selectFrames,
  webpArguments,
} from '../../scripts/record/plan.ts';
import { Problem } from '../../scripts/record/problem.ts';
import { need, run } from '../../scripts/record/programs.ts';
import { record } from '../../scripts/record/record.ts';

const length = { totalMs: 10_000, holdMs: 1_000, mostFrames: 50 };
/** A frame every half second; every picture differs. */
const frames = (count: number, moments: Readonly<Record<number, string>> = {}): Frame[] =>
  Array.from({ length: count }, (_, at) => ({
    file: `${at}.png`,
    atMs: at * 500,
    digest: `d${at}`,
    moment: moments[at] ?? null,
  }));
const total = (shown: readonly { showMs: number }[]) => shown.reduce((sum, one) => sum + one.showMs, 0);

describe('the frames of the animation', () => {
  it('fit the length, keep their order, and hold at moments and at the end', () => {
    const shown = selectFrames(frames(40, { 10: 'asked' }), length);
    expect(shown.map((one) => one.file)).toEqual(frames(40).map((one) => one.file));
    expect(total(shown)).toBeGreaterThan(9_000);
    expect(total(shown)).toBeLessThanOrEqual(10_000);
    expect(shown[10]!.showMs - shown[11]!.showMs).toBe(1_000);
    expect(shown.at(-1)!.showMs).toBeGreaterThanOrEqual(2_000);
  });

  it('show no picture twice in a row, but every moment', () => {
    const same = frames(6, { 4: 'asked' }).map((frame) => ({ ...frame, digest: 'same' }));
    expect(selectFrames(same, length).map((one) => one.file)).toEqual(['0.png', '4.png']);
  });

  it('are thinned evenly where there are too many, never of a moment or the end', () => {
    const shown = selectFrames(frames(400, { 3: 'rolling-out', 201: 'asked' }), length).map((one) => one.file);
    expect(shown.length).toBeLessThanOrEqual(50);
    expect(shown.length).toBeGreaterThan(45);
    expect(shown).toEqual(expect.arrayContaining(['3.png', '201.png', '399.png']));
    const numbers = shown.map((file) => Number.parseInt(file, 10));
    expect(Math.max(...numbers.slice(1).map((number, at) => number - numbers[at]!))).toBeLessThan(20);
  });

  it('are not slower than the story, and do not wait where nothing was photographed', () => {
    const few = frames(3).map((frame, at) => ({ ...frame, atMs: at === 2 ? 60_000 : frame.atMs }));
    const [first, second] = selectFrames(few, { ...length, totalMs: 60_000 });
    expect(first?.showMs).toBeLessThan(600);
    expect(second?.showMs).toBeLessThan(2_100);
  });

  it('of no picture are none', () => {
    expect(selectFrames([], length)).toEqual([]);
  });
});

describe('the programs it calls', () => {
  it('img2webp gets every frame with its time, looping for ever', () => {
    const args = webpArguments(
      [
        { file: 'a.png', showMs: 80 },
        { file: 'b.png', showMs: 1_200 },
      ],
      60,
      'story.webp',
    );
    expect(args.join(' ')).toBe(
      '-loop 0 -kmin 9 -kmax 30 -lossy -q 60 -m 4 -d 80 a.png -lossy -q 60 -m 4 -d 1200 b.png -o story.webp',
    );
  });

  it('every further attempt is smaller', () => {
    for (const [at, one] of attempts.slice(1).entries()) {
      expect(one.quality).toBeLessThan(attempts[at]!.quality);
      expect(one.mostFrames).toBeLessThan(attempts[at]!.mostFrames);
    }
  });

  it('the demo is told the scenario where it knows of them, and its address is read with colours and without', () => {
    expect(demoArguments('Usage: demo [--port PORT]')).toEqual(['demo', '--stand-ins', '--port', '0']);
    expect(demoArguments('[--scenario NAME]').slice(-2)).toEqual(['--scenario', 'errors']);
    expect(addressIn('\n  Open  http://127.0.0.1:4123\n')).toBe('http://127.0.0.1:4123');
    expect(addressIn('  Open  \u001b[1;4;36mhttp://127.0.0.1:4123\u001b[0m')).toBe('http://127.0.0.1:4123');
    expect(addressIn('stand-in for Prometheus at http://127.0.0.1:9')).toBeNull();
  });

  it('what is missing is said with what to install; a failure with what was written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'record-test-'));
    const program = join(folder, 'there');
    await writeFile(program, '#!/bin/sh\necho bad frame >&2\nexit 3\n');
    await chmod(program, 0o755);
    expect(need(['nowhere', 'there'], 'Install it.', folder)).toBe(program);
    expect(() => need(['nowhere'], 'Install it.', folder)).toThrow(new Problem('nowhere is missing. Install it.'));
    await expect(run(program, [])).rejects.toThrow(/ended with 3: bad frame/);
    await rm(folder, { recursive: true });
  });

  it('an unknown flag is refused before anything is started', async () => {
    const signal = new AbortController().signal;
    await expect(record(['--nonsense'], () => undefined, signal)).rejects.toThrow(/Usage: record \[--out DIRECTORY\]/);
  });
});
