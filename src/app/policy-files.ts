import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { headStamp } from '../policies/index.ts';
import type { Clock } from '../ports/clock.ts';

/** How often the directory is looked at. Watching by notice misses what Kubernetes does with mounted ConfigMaps. */
const lookEveryMs = 5_000;
/** Of many files it takes a moment, each time: no more than this share of all time, as long as changes are seen within a minute. */
const mostOfTime = 0.02;
const mostSeldomMs = 60_000;

/** Waits until it is time and looks; what it answers changes with the directory. Null: it was stopped. */
export function lookingAt(directory: string, clock: Clock): (signal: AbortSignal) => Promise<string | null> {
  let tookMs = 0;
  return async (signal) => {
    const waitMs = Math.min(mostSeldomMs, Math.max(lookEveryMs, tookMs / mostOfTime));
    await clock.sleepUntil(clock.now() + waitMs, signal);
    if (signal.aborted) return null;
    const beganMs = clock.now();
    const found = await signature(directory);
    tookMs = clock.now() - beganMs;
    return found;
  };
}

/** Deeper than this no template lies, and links that go in a circle end. */
const maxFolderDepth = 5;
/** More files than this are no directory of policies; what is beyond is not watched. */
const maxWatched = 50_000;

/**
 * Changes whenever a file of the directory or of the folders in it does (templates), without reading any, and with each commit. What
 * cannot be read has a signature of its own.
 */
async function signature(directory: string): Promise<string> {
  // Of thousands of files the lines themselves would be a megabyte that is held to be compared.
  const lines = createHash('sha256');
  let watched = 0;
  const add = (line: string) => {
    watched += 1;
    lines.update(`${line}\n`);
  };
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const name of (await readdir(folder)).sort()) {
      if (watched >= maxWatched) return;
      const path = join(folder, name);
      try {
        const status = await stat(path);
        add(`${path}:${status.ino}:${status.size}:${status.mtimeMs}`);
        // What begins with a dot is not ours: .git, or the folders a ConfigMap's links lead to.
        if (status.isDirectory() && !name.startsWith('.') && depth < maxFolderDepth) await look(path, depth + 1);
      } catch (error) {
        add(`${path}: unreadable: ${messageOf(error)}`);
      }
    }
  };
  try {
    await look(directory, 0);
    return lines.update(await headStamp(directory)).digest('base64url');
  } catch (error) {
    return `unreadable: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
