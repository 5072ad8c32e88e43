import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { Janitor } from './janitor.ts';

/** How long a program may take until it answers. */
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 3_000;
const KEPT_OUTPUT = 2_000;

export interface Program {
  /** As it is called on the PATH. */
  readonly command: string;
  /** `2.42.0` */
  readonly version: string;
}

/** The first of these that is on the PATH and says its version; null: none is. */
export async function findProgram(commands: readonly string[]): Promise<Program | null> {
  for (const command of commands) {
    const version = await versionOf(command);
    if (version !== null) return { command, version };
  }
  return null;
}

function versionOf(command: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, ['--version'], { timeout: 5_000 }, (error, stdout, stderr) => {
      const version = /version (\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
      resolve(error || version === undefined ? null : version);
    });
  });
}

export interface ProgramRun {
  readonly program: Program;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Answers 200 when it is ready. */
  readonly readyUrl: string;
  readonly janitor: Janitor;
  /** It ended although nobody stopped it. */
  readonly onDeath: (problem: string) => void;
}

/** Starts a program and resolves once it is ready. It ends with us, also where we are killed: the janitor sees to it. */
export async function runProgram(run: ProgramRun): Promise<{ stop(): Promise<void> }> {
  const { command } = run.program;
  // A group of its own: a Ctrl-C in the terminal is for us, and we end it in order.
  const child = spawn(command, run.args, { cwd: run.cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let said = '';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  let stopping = false;
  let ready = false;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += String(error);
      resolve();
    });
    child.once('exit', () => resolve());
  });
  if (child.pid !== undefined) run.janitor.watch(child.pid);
  const stop = async () => {
    stopping = true;
    await endChild(child, ended);
    if (child.pid !== undefined) run.janitor.forget(child.pid);
  };
  void ended.then(() => {
    if (ready && !stopping) run.onDeath(`${command} ended by itself. It said last: ${said.trim().slice(-400)}`);
  });
  const until = Date.now() + READY_WITHIN_MS;
  while (!(await answers(run.readyUrl))) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined || Date.now() > until) {
      await stop();
      throw new Error(`${command} did not become ready. It said:\n${said.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  ready = true;
  return { stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    // Not yet listening.
    return false;
  }
}

async function endChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(hard);
}
