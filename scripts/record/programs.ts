import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoUsage } from '../../src/demo/arguments.ts';
import { addressIn, demoArguments } from './plan.ts';
import { Problem } from './problem.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_WITHIN_MS = 30_000;
const END_WITHIN_MS = 15_000;
const JOIN_WITHIN_MS = 180_000;

/** Where one of these programs is. @throws {Problem} that says what to install. */
export function need(names: readonly string[], install: string, path = process.env.PATH ?? ''): string {
  for (const name of names) {
    for (const directory of path.split(delimiter).filter((one) => one !== '')) {
      const file = join(directory, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this directory: the next may have it.
      }
    }
  }
  throw new Problem(`${names.join(' or ')} is missing. ${install}`);
}

/** Runs a program to its end. @throws {Problem} with what it wrote, where it failed or took too long. */
export async function run(program: string, args: readonly string[], withinMs = JOIN_WITHIN_MS): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: withinMs, killSignal: 'SIGKILL' });
  const written = collect(child);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Problem(`${program} ended with ${code ?? 'no code'}: ${written().slice(-500)}`);
  return written();
}

export interface Demo extends AsyncDisposable {
  readonly url: string;
}

/** Starts the demo as anybody would and waits for its address. Disposing of it ends it. @throws {Problem} */
export async function startDemo(signal: AbortSignal): Promise<Demo> {
  const more = demoArguments(demoUsage.join('\n'));
  const child = spawn(process.execPath, [main, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  const written = collect(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  };
  const endMs = Date.now() + START_WITHIN_MS;
  while (Date.now() < endMs && child.exitCode === null && !signal.aborted) {
    const url = addressIn(written());
    if (url !== null) return { url, [Symbol.asyncDispose]: end };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await end();
  throw new Problem(`The demo did not give its address within ${START_WITHIN_MS / 1000} s: ${written().slice(-800)}`);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
}
