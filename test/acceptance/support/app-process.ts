import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const launcher = fileURLToPath(new URL('../../../bin/lastgood.js', import.meta.url));

/** The app as a user starts it: a process of its own, given nothing but its environment; started again as often as it takes. */
export class AppProcess {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  /** The ends of what the processes said, for the message of a failing test. */
  #said = '';
  /** How often it was started. */
  generation = 0;

  constructor(environment: Readonly<Record<string, string>>) {
    this.environment = environment;
    this.url = `http://127.0.0.1:${environment.PORT}`;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Both standard outputs of all processes so far; the newest 20,000 characters. */
  get said(): string {
    return this.#said;
  }

  start(): void {
    if (this.#child) throw new Error('It runs already.');
    this.generation += 1;
    const child = spawn(process.execPath, [launcher, 'serve'], {
      env: { PATH: process.env.PATH ?? '', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listen = (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    this.#child = child;
    this.#ended = once(child, 'exit').then(() => {
      if (this.#child === child) this.#child = null;
    });
  }

  /** Resolves at the first 200 of /readyz, with how long after the call that was. */
  async ready(withinMs = 20_000): Promise<number> {
    const beganMs = performance.now();
    const isReady = async () => (await fetch(`${this.url}/readyz`).catch(() => null))?.status === 200;
    await eventually('the app is ready', isReady, { withinMs, everyMs: 10, told: () => this.said });
    return performance.now() - beganMs;
  }

  /** It stands still as it is, connections and all, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** No warning, no chance to write anything down. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** As an operator stops it; answers its exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (!child) return null;
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await this.#ended;
    clearTimeout(hard);
    return child.exitCode;
  }

  /** Resident memory in bytes; null where the system does not say. */
  residentBytes(): number | null {
    try {
      const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
      return kib === undefined ? null : Number(kib) * 1024;
    } catch {
      // Not Linux.
      return null;
    }
  }
}
