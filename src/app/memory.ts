import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { openPostgresStore } from '../runtime/postgres/open.ts';
import { openStore } from '../runtime/store.ts';
import { tellingTrouble } from '../runtime/trouble.ts';
import { instanceName, sharedInstanceName } from './instance.ts';
import { inFile, inSettings, type OperatorsMemory } from './operators-memory.ts';
import { orProblem } from './start-problems.ts';

/** What an instance remembers by: a file of its own, or a database that it shares with other replicas. */
export interface Memory {
  readonly store: Store;
  /** This installation's name, the same for all its replicas. */
  readonly instance: string;
  /** The time all replicas go by; null: there is only this one, and it has the machine's. */
  readonly clock: Clock | null;
  /** Null: nobody else works on this store. */
  readonly replicas: Replicas | null;
  /** What operators were told and has not ended. */
  readonly operators: OperatorsMemory;
}

export interface Replicas {
  /** How long what a replica that died had begun lies still. */
  readonly leaseMs: number;
  /** A notice may be lost: each looks for work at least this often. */
  readonly pollMs: number;
  /** Called when another replica may have left something to do. */
  onNotice(listener: () => void): void;
}

const leaseMs = 5_000;
const pollMs = 1_000;

/** @throws {StartProblems} where it cannot be opened. */
export async function openMemory(config: Config, random: Random, telemetry: Telemetry): Promise<Memory> {
  const { dataDir, databaseUrl } = config;
  if (databaseUrl === undefined || databaseUrl === null) {
    const databaseFile = join(dataDir, 'lastgood.db');
    return orProblem('DATA_DIR', async () => {
      const store = tellingTrouble(await openStore(databaseFile), databaseFile);
      try {
        const instance = await instanceName(dataDir, store.settings, random);
        return { instance, store, clock: null, replicas: null, operators: inFile(join(dataDir, 'operators.json')) };
      } catch (error) {
        await store.close();
        throw error;
      }
    });
  }
  return orProblem('DATABASE_URL', async () => {
    const onProblem = (error: unknown) => telemetry.problem('notices', error);
    const { store, clock, onNotice } = await openPostgresStore(databaseUrl, { onProblem });
    const instance = await sharedInstanceName(store.settings, random);
    const operators = inSettings(store.settings);
    return { instance, store, clock, replicas: { leaseMs, pollMs, onNotice }, operators };
  });
}
