import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { loadStorePlace } from '../../config.ts';
import type { Anchor, ChainReport } from '../../ports/audit.ts';
import type { Store } from '../../ports/store.ts';
import { openPostgresStore } from '../../runtime/postgres/open.ts';
import { openStore } from '../../runtime/store.ts';
import { linesOf, upkeepSocket } from '../../server/upkeep.ts';
import type { Io } from '../command.ts';
import { besides } from './besides.ts';

/** The database, by whoever has it open: the running instance, or nobody, then this process. */
export interface Reached {
  verify(query: { service: string | null; anchors: readonly Anchor[] }): Promise<readonly ChainReport[]>;
  /** The journal as JSON lines. */
  journal(service: string | null): Promise<Readable>;
  /** Into a file that is not there yet. */
  backup: { readonly into: (file: string) => Promise<void> } | { readonly stream: () => Promise<Readable> };
  close(): Promise<void>;
}

/** Why the database cannot be reached, and what to do. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The file of the instance that this environment configures. */
export function databaseFile(io: Io): string {
  return join(loadStorePlace(io.env).dataDir, 'lastgood.db');
}

/**
 * Reaches the database of the configured instance, or the file given (a backup).
 * @throws {Unreachable}
 */
export async function reachStore(io: Io, file: string | undefined): Promise<Reached> {
  const { databaseUrl } = loadStorePlace(io.env);
  if (file === undefined && databaseUrl !== null) return ownHands(await opened(openShared(databaseUrl)));
  if (file === undefined) {
    const socket = upkeepSocket(loadStorePlace(io.env).dataDir);
    if (await answers(socket)) return throughInstance(socket);
  }
  const path = file ?? databaseFile(io);
  if (!existsSync(path)) throw new Unreachable(`There is no database ${path}: set DATA_DIR as the instance has it.`);
  const store = await opened(openStore(path));
  // Whoever was never started since the name has its place in the database has it in the file only.
  const { instance } = file === undefined ? besides(path) : {};
  if (instance !== undefined) await store.settings.settle('instance', instance);
  return ownHands(store);
}

/** Beside the instances: a PostgreSQL may be opened by anybody whom it lets in. */
async function openShared(url: string): Promise<Store> {
  return (await openPostgresStore(url, { onProblem: () => undefined })).store;
}

function opened(opening: Promise<Store>): Promise<Store> {
  return opening.catch((error: unknown) => {
    throw new Unreachable(error instanceof Error ? error.message : String(error), { cause: error });
  });
}

function ownHands(store: Store): Reached {
  return {
    verify: (query) => store.audit.verify(query),
    journal: async (service) => Readable.from(linesOf(store, service)),
    backup: { into: (target) => store.backup(target) },
    close: () => store.close(),
  };
}

function throughInstance(socketPath: string): Reached {
  const asked = async (method: string, path: string, body?: string): Promise<IncomingMessage> => {
    const response = await send(socketPath, method, path, body);
    if (response.statusCode === 200) return response;
    throw new Unreachable(`The running instance could not do it: ${await text(response)}`);
  };
  const of = (service: string | null) => (service === null ? '' : `?service=${encodeURIComponent(service)}`);
  return {
    verify: async ({ service, anchors }) => {
      const response = await asked('POST', `/audit/verify${of(service)}`, JSON.stringify(anchors));
      return JSON.parse(await text(response)) as readonly ChainReport[];
    },
    journal: (service) => asked('GET', `/journal${of(service)}`),
    backup: { stream: () => asked('GET', '/backup') },
    close: async () => undefined,
  };
}

/** A socket that a killed process left behind answers nobody. */
async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  try {
    (await send(socketPath, 'GET', '/')).resume();
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw new Unreachable(
      `The running instance cannot be asked (${socketPath}: ${code}): run this as the user it runs as.`,
      { cause: error },
    );
  }
}

function send(socketPath: string, method: string, path: string, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, resolve);
    sent.once('error', reject);
    sent.end(body);
  });
}
