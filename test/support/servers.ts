import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

/** What the helpers for real servers share: find the program, find a port, start, wait until ready, stop. Loopback only. */

/** Where a program is on the PATH; null where it is not installed. */
export function findProgram(name: string): string | null {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin']) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory: look in the next.
    }
  }
  return null;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('No free port was found.');
  return address.port;
}

export interface RunningServer {
  stop(): Promise<void>;
}

export interface ServerToRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly readyUrl: string;
  /** Bound of the wait for readiness (30 s). */
  readonly readyWithinMs?: number;
}

/** Starts a server and resolves once `readyUrl` answers 200. Throws with what the server said where it does not. */
export async function runServer(server: ServerToRun): Promise<RunningServer> {
  const child = spawn(server.program, server.args, { cwd: server.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', (error) => {
      said += String(error);
      done();
    });
  });
  const stop = async () => {
    await stopChild(child, ended);
    process.removeListener('exit', end);
  };
  const until = Date.now() + (server.readyWithinMs ?? 30_000);
  while (!(await isReady(server.readyUrl))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${server.program} did not become ready. It said:\n${said}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return { stop };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(hard);
}
