import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPolicyBook } from '../../src/app/policy-book.ts';
import { loadPolicies } from '../../src/policies/index.ts';
import type { PolicyArchive } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { targetSchemas } from '../../src/targets/index.ts';
import { virtualClock } from '../support/clock.ts';

const minimal = readFileSync(fileURLToPath(new URL('../../policies/minimal.yaml', import.meta.url)), 'utf8');
const options = { targets: targetSchemas, secrets: {} };

let directory = '';
let underWay: { service: string; revision: string | null }[] = [];
const closing: (() => Promise<void>)[] = [];
beforeEach(() => {
  underWay = [];
  directory = mkdtempSync(join(tmpdir(), 'lastgood-book-'));
  write('minimal.yaml', minimal);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

async function archive(): Promise<PolicyArchive> {
  const store = await openStore(':memory:');
  closing.push(() => store.close());
  return store.policies;
}

async function bookWith(shelf: PolicyArchive) {
  const changes: string[][] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  const book = createPolicyBook(await loadPolicies({ directory, ...options }), {
    ...options,
    directory,
    archive: shelf,
    check: (policies) => (policies.length > 2 ? ['too many policies for this test'] : []),
    onProblem: (error) => void problems.push(error.message),
    onWarnings: (lines) => void warnings.push(lines),
    underWay: async () => underWay,
    onChange: async (services) => void changes.push([...services]),
  });
  return { book, changes, problems, warnings };
}

describe('the policies in force', () => {
  it('are those of the directory; new revisions are kept, and said to be new only once', async () => {
    const shelf = await archive();
    const { book } = await bookWith(shelf);
    expect(await book.open()).toEqual(['minimal']);
    const revision = book.get('minimal')?.revision ?? '';
    expect(await shelf.find('minimal', revision)).toBe(minimal);
    expect(await (await bookWith(shelf)).book.open()).toEqual([]);
  });

  it('follow edits, additions and removals, and say which services are concerned', async () => {
    const { book, changes } = await bookWith(await archive());
    await book.open();
    await book.reload();
    expect(changes).toEqual([]);
    write('minimal.yaml', minimal.replace('mode: observe', 'mode: enforce'));
    await book.reload();
    write('second.yaml', minimal.replace('service: minimal', 'service: second'));
    await book.reload();
    rmSync(join(directory, 'minimal.yaml'));
    await book.reload();
    expect(changes).toEqual([['minimal'], ['second'], ['minimal']]);
    expect(book.all().map(({ service }) => service)).toEqual(['second']);
    expect(book.get('minimal')).toBeNull();
  });

  it('stay as they were as a whole while any file has a problem, which is said once', async () => {
    const { book, changes, problems } = await bookWith(await archive());
    await book.open();
    write('minimal.yaml', minimal.replace('mode: observe', 'mode: enforce'));
    write('broken.yaml', 'service: broken\n');
    await book.reload();
    await book.reload();
    expect(book.get('minimal')?.mode).toBe('observe');
    expect(changes).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/those from before stay in force:\n.*broken\.yaml/);
    expect(book.problem()).toContain('broken.yaml');
    rmSync(join(directory, 'broken.yaml'));
    await book.reload();
    expect(book.get('minimal')?.mode).toBe('enforce');
    expect(book.problem()).toBeNull();
  });

  it('are warned of once where they could notice nothing, and again when it is something else', async () => {
    const short = minimal.replace(
      /^steps:\n(?: .*\n)+/m,
      'steps:\n  - { exposure: 10, soak: 3m }\n  - { exposure: 100 }\n',
    );
    write('minimal.yaml', short);
    const { book, warnings } = await bookWith(await archive());
    await book.open();
    await book.reload();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('warning: steps[0].soak: ');
    write('minimal.yaml', short.replace('soak: 3m', 'soak: 2m'));
    await book.reload();
    write('minimal.yaml', minimal);
    await book.reload();
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('soak of 2 min');
  });

  it('are refused as a set that the instance cannot serve', async () => {
    const { book, problems } = await bookWith(await archive());
    for (const service of ['second', 'third'])
      write(`${service}.yaml`, minimal.replace('service: minimal', `service: ${service}`));
    await book.reload();
    expect(book.all()).toHaveLength(1);
    expect(problems.join()).toContain('too many policies for this test');
  });

  it('keep one whose file is gone while something is under way on its service, also over a restart, and let it go after', async () => {
    const shelf = await archive();
    const { book, changes, problems } = await bookWith(shelf);
    await book.open();
    const before = book.get('minimal');
    underWay = [{ service: 'minimal', revision: before?.revision ?? null }];
    write('second.yaml', minimal.replace('service: minimal', 'service: second'));
    rmSync(join(directory, 'minimal.yaml'));
    await book.reload();
    await book.reload();
    expect(book.get('minimal')).toEqual(before);
    expect(changes).toEqual([['second']]);
    expect(problems).toEqual([
      expect.stringMatching(/file of minimal's policy is gone.*stays in force until that has ended/),
    ]);
    const restarted = await bookWith(shelf);
    expect(await restarted.book.open()).toEqual([]);
    expect(restarted.book.all().map(({ service }) => service)).toEqual(['second', 'minimal']);
    expect(restarted.book.get('minimal')).toEqual(before);
    underWay = [];
    await restarted.book.reload();
    expect(restarted.book.get('minimal')).toBeNull();
    expect(restarted.changes).toEqual([['minimal']]);
  });

  it('can be had as they were at a revision, also when the file was edited or is gone', async () => {
    const { book } = await bookWith(await archive());
    await book.open();
    const before = book.get('minimal');
    write('minimal.yaml', minimal.replace('exposure: 10', 'exposure: 20'));
    await book.reload();
    const revision = before?.revision ?? '';
    expect(book.get('minimal')?.steps[0]?.exposurePercent).toBe(20);
    expect(await book.at('minimal', revision)).toEqual(before);
    write('second.yaml', minimal.replace('service: minimal', 'service: second'));
    rmSync(join(directory, 'minimal.yaml'));
    await book.reload();
    expect(await book.at('minimal', revision)).toEqual(before);
    expect(await book.at('minimal', 'never-was')).toBeNull();
  });
});

describe('policies with a template', () => {
  const own = (service: string) => `service: ${service}\nextends: templates/t.yaml\n`;
  const template = minimal.replace('service: minimal\n', '');
  beforeEach(() => {
    mkdirSync(join(directory, 'templates'));
    write('templates/t.yaml', template);
    write('minimal.yaml', own('minimal'));
    write('second.yaml', own('second'));
  });

  it('change with it, all of them, and can be had as they were, also when it is gone', async () => {
    const shelf = await archive();
    const { book, changes } = await bookWith(shelf);
    await book.open();
    const before = book.get('minimal');
    write('templates/t.yaml', template.replace('exposure: 10', 'exposure: 20'));
    await book.reload();
    expect(changes).toEqual([['minimal', 'second']]);
    expect(book.get('minimal')?.steps[0]?.exposurePercent).toBe(20);
    expect(await book.at('minimal', before?.revision ?? '')).toEqual(before);
    for (const service of ['minimal', 'second']) write(`${service}.yaml`, minimal.replace('minimal', service));
    rmSync(join(directory, 'templates'), { recursive: true });
    await book.reload();
    const restarted = await bookWith(shelf);
    await restarted.book.open();
    expect(await restarted.book.at('minimal', before?.revision ?? '')).toEqual(before);
  });

  it('are read anew where only a file in a folder was edited, and where a folder is new', async () => {
    const { book } = await bookWith(await archive());
    const clock = virtualClock(0);
    const stop = new AbortController();
    const watching = book.watch(clock, stop.signal);
    const exposure = () => book.get('minimal')?.steps[0]?.exposurePercent;
    const until = (wanted: number) =>
      expect.poll(() => clock.advance(5_000).then(exposure), { timeout: 15_000, interval: 5 }).toBe(wanted);
    await until(10);
    write('templates/t.yaml', template.replace('exposure: 10', 'exposure: 20'));
    await until(20);
    mkdirSync(join(directory, 'templates', 'more'));
    write('templates/more/u.yaml', template.replace('exposure: 10', 'exposure: 30'));
    write('templates/t.yaml', 'extends: more/u.yaml\n');
    await until(30);
    write('templates/more/u.yaml', template.replace('exposure: 10', 'exposure: 40'));
    await until(40);
    stop.abort();
    await watching;
  });

  it('are looked for more seldom where looking takes long, and within a minute all the same', async () => {
    const { book } = await bookWith(await archive());
    const waitsMs: number[] = [];
    for (const readMs of [1, 400, 60_000]) {
      const stop = new AbortController();
      let nowMs = 0;
      let sleeps = 0;
      const clock = {
        // Each time it is asked for the time, a while has passed.
        now: () => {
          nowMs += readMs;
          return nowMs;
        },
        sleepUntil: async (atMs: number) => {
          sleeps += 1;
          if (sleeps === 3) waitsMs.push(atMs - nowMs);
          nowMs = atMs;
          if (sleeps === 3) stop.abort();
        },
      };
      await book.watch(clock, stop.signal);
    }
    expect(waitsMs).toEqual([5_000, 20_000, 60_000]);
  });
});
