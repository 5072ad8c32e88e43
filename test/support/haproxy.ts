import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../acceptance/support/eventually.ts';
import { findProgram, freePort } from './servers.ts';

/** HAProxy; null where it is not installed: skip what needs it, and say so. */
export const haproxyPath: string | null = findProgram('haproxy');
export const haproxySkipped = haproxyPath === null ? ' (skipped: haproxy is not installed)' : '';

export const BACKEND = 'scorers';
const STATE_FILE = 'server-state';

export interface HaproxyServer {
  readonly name: string;
  readonly port: number;
  readonly weight: number;
  /** Such as `backup` or `disabled`. */
  readonly more?: string;
}

export interface HaproxyRun {
  readonly servers: readonly HaproxyServer[];
  /** `roundrobin` unless said otherwise. */
  readonly balance?: string;
  /** `GET /health` every 100 ms; without it every server counts as up. */
  readonly checks?: boolean;
  /** A reload finds in it what `save` wrote. */
  readonly keepsState?: boolean;
}

export interface RunningHaproxy {
  /** Where the traffic goes in. */
  readonly url: string;
  /** Runtime API, level admin: a Unix socket. */
  readonly admin: string;
  /** Level operator: may look, may not set. */
  readonly operator: string;
  ask(command: string): Promise<string>;
  weights(): Promise<Readonly<Record<string, number>>>;
  /** What an `ExecReload=` that keeps weights does first. */
  save(): Promise<void>;
  /** As `systemctl reload` does it; resolves when the new process answers and the old one is gone. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** A real HAProxy in front of `servers` on loopback, with its Runtime API. */
export async function startHaproxy(run: HaproxyRun): Promise<RunningHaproxy> {
  if (haproxyPath === null) throw new Error('haproxy is not installed.');
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-haproxy-'));
  const port = await freePort();
  const admin = join(directory, 'admin.sock');
  const operator = join(directory, 'operator.sock');
  await writeFile(join(directory, 'haproxy.cfg'), configOf(run, { port, admin, operator }));
  const child = spawn(haproxyPath, ['-W', '-db', '-f', 'haproxy.cfg'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const ask = (command: string) => askRuntime(admin, command);
  const pid = async () => /^Pid: (\d+)$/m.exec(await ask('show info').catch(() => ''))?.[1] ?? null;
  const stop = async () => {
    await endOf(child);
    process.removeListener('exit', end);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually('HAProxy answers', async () => (await pid()) !== null, { withinMs: 30_000, told: () => said });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    admin,
    operator,
    ask,
    async weights() {
      const lines = (await ask(`show servers state ${BACKEND}`)).trim().split('\n').slice(2);
      const cells = lines.map((line) => line.split(' '));
      return Object.fromEntries(cells.map((row) => [row[3] ?? '', Number(row[7])]));
    },
    save: async () => writeFile(join(directory, STATE_FILE), await ask('show servers state')),
    async reload() {
      const before = await pid();
      await eventually('HAProxy hears signals', () => hearsReloads(child.pid), { withinMs: 30_000, told: () => said });
      child.kill('SIGUSR2');
      // While both live either may answer.
      const isNew = async () => !isAlive(Number(before)) && ![null, before].includes(await pid());
      await eventually('HAProxy is reloaded', isNew, { withinMs: 30_000, told: () => said });
    },
    stop,
  };
}

function configOf(run: HaproxyRun, at: { port: number; admin: string; operator: string }): string {
  const check = run.checks ? 'check inter 100ms fall 1 rise 1 ' : '';
  return [
    'global',
    `  stats socket ${at.admin} mode 600 level admin expose-fd listeners`,
    `  stats socket ${at.operator} mode 600 level operator`,
    ...(run.keepsState ? [`  server-state-file ${STATE_FILE}`] : []),
    'defaults',
    ...(run.keepsState ? ['  load-server-state-from-file global'] : []),
    '  mode http',
    '  timeout connect 5s',
    // Without it a check that takes longer than its interval counts as failed.
    '  timeout check 20s',
    '  timeout client 60s',
    '  timeout server 60s',
    'frontend traffic',
    `  bind 127.0.0.1:${at.port}`,
    `  default_backend ${BACKEND}`,
    `backend ${BACKEND}`,
    `  balance ${run.balance ?? 'roundrobin'}`,
    ...(run.checks ? ['  option httpchk GET /health'] : []),
    ...run.servers.map(
      ({ name, port, weight, more }) => `  server ${name} 127.0.0.1:${port} ${check}weight ${weight} ${more ?? ''}`,
    ),
    '',
  ].join('\n');
}

/** A master that has only just started ignores the signal, although its worker answers already. */
function hearsReloads(pid: number | undefined): boolean {
  const file = `/proc/${pid}/status`;
  // Only Linux tells.
  if (!existsSync(file)) return true;
  const status = readFileSync(file, 'utf8');
  const has = (set: string) => {
    const mask = new RegExp(`^${set}:\\s+([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals.SIGUSR2 - 1)) & 1n) === 1n;
  };
  return has('SigCgt') && !has('SigBlk') && !has('SigIgn');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // There is no such process.
    return false;
  }
}

/** One command, the way the Runtime API is spoken to. A process that is ending may take a connection and never answer it. */
export function askRuntime(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path);
    socket.on('error', reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer to ${command}`)));
    socket.on('connect', () => socket.write(`${command}\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('end', () => resolve(answer));
  });
}

/** What becomes of a command: it passes; it is carried out and the answer lost; nothing is ever heard of it; or it is asked elsewhere. */
export type CommandFate = 'passes' | 'answer-lost' | 'hangs' | { readonly at: string };

export interface RuntimeDoor {
  /** `127.0.0.1:port` */
  readonly node: string;
  /** The `set` commands that came, in order. */
  readonly sets: readonly string[];
  /** Nobody listens any more, or again. */
  open(isOpen: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** The Runtime API over TCP, with a say in what becomes of each command. */
export async function startRuntimeDoor(
  upstream: string,
  decide: (command: string) => CommandFate | Promise<CommandFate>,
): Promise<RuntimeDoor> {
  const sets: string[] = [];
  const sockets = new Set<Socket>();
  const answer = async (socket: Socket, command: string) => {
    if (command.startsWith('set ')) sets.push(command);
    const fate = await decide(command);
    if (fate === 'hangs') return;
    const text = await askRuntime(typeof fate === 'object' ? fate.at : upstream, command);
    if (fate === 'answer-lost') socket.destroy();
    else socket.end(text);
  };
  const port = await freePort();
  const listen = async (): Promise<Server> => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      let line = '';
      socket.on('data', (chunk) => {
        line += chunk.toString();
        if (line.endsWith('\n')) answer(socket, line.trimEnd()).catch(() => socket.destroy());
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | null = await listen();
  const close = async () => {
    const open = server;
    server = null;
    if (!open) return;
    const closed = once(open, 'close');
    open.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    node: `127.0.0.1:${port}`,
    sets,
    async open(isOpen) {
      if (isOpen) server ??= await listen();
      else await close();
    },
    stop: close,
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(hard);
}
