import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorldSnapshot } from '../../../src/demo/world/types.ts';

/** Bound of the start and of the end: a busy machine gets its time. */
const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** The demo in a process of its own: a browser beside it does not slow its clock. */
export interface DemoProcess extends AsyncDisposable {
  /** Of the workspace's page. */
  readonly url: string;
  /** Of the page in its panel. */
  readonly panelUrl: string;
  /** What the page beside the channel is told: the splitter's own split, the journal, the incidents. */
  world(): Promise<WorldSnapshot>;
  /** What it has printed, for whoever looks for why. */
  said(): string;
}

/** Starts it on free ports with the stand-ins; it stays up when its story has ended. */
export async function startDemo(argv: readonly string[]): Promise<DemoProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'lastgood-scenario-'));
  const script = fileURLToPath(new URL('../../demo/run.ts', import.meta.url));
  const child = spawn(process.execPath, [script, '--stand-ins', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const dieWithUs = () => child.kill('SIGKILL');
  process.once('exit', dieWithUs);
  const stop = async () => {
    await end(child);
    process.removeListener('exit', dieWithUs);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const url = await eventually(
      () => /Open {2}(http\S+)/.exec(said)?.[1],
      child,
      () => said,
    );
    const boot = (await (await fetch(`${url}/client/boot`)).json()) as { panel: { url: string } };
    const { url: panelUrl } = boot.panel;
    return {
      url,
      panelUrl,
      world: async () => (await fetch(`${panelUrl}/state`)).json() as Promise<WorldSnapshot>,
      said: () => said,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function eventually(look: () => string | undefined, child: ChildProcess, said: () => string): Promise<string> {
  const endMs = Date.now() + WITHIN_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (child.exitCode !== null || Date.now() > endMs) throw new Error(`The demo did not start:\n${said()}`);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

/** As Ctrl-C does; harder where that is not heard. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const harder = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(harder);
}
