import type pg from 'pg';
import { pause } from '../clock.ts';

const CHANNEL = 'lastgood';
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** A connection that was cut somewhere on the way says nothing, and neither does one without notices: it is asked. */
const ASK_EVERY_MS = 10_000;
const ANSWER_MS = 5_000;

/** Hears of work that other replicas made, until closed. */
export interface Notices {
  /** Called at every notice, and when notices may have been missed. */
  onNotice(listener: () => void): void;
  close(): Promise<void>;
}

/** The statement's text that tells everyone at the commit. */
export const tellEveryone = `SELECT pg_notify('${CHANNEL}', '')`;

/**
 * Listens on a connection of its own. One that breaks is made anew, waiting longer each time; who waits for notices must also look
 * by himself now and then. `onProblem` hears of each break once.
 */
export function listen(connect: () => pg.Client, onProblem: (error: unknown) => void): Notices {
  const listeners: (() => void)[] = [];
  const ending = new AbortController();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const running = (async () => {
    for (let failures = 0; !ending.signal.aborted; ) {
      const client = connect();
      try {
        await hear(client, ending.signal, tell, () => {
          failures = 0;
        });
      } catch (error) {
        if (failures === 0 && !ending.signal.aborted) onProblem(error);
        failures += 1;
      } finally {
        // A connection that does not end in time is left to its socket's own end.
        await Promise.race([client.end().catch(() => undefined), pause(1_000, ending.signal)]);
      }
      await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10)), ending.signal);
    }
  })();
  return {
    onNotice: (listener) => void listeners.push(listener),
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** Ends with the connection, or when asked to. */
async function hear(client: pg.Client, ending: AbortSignal, tell: () => void, began: () => void): Promise<void> {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  client.on('error', broken.reject);
  client.on('end', () => broken.reject(new Error('The connection that listens was closed.')));
  client.on('notification', tell);
  await client.connect();
  await client.query(`LISTEN ${CHANNEL}`);
  began();
  // What was said while nobody listened.
  tell();
  while (!ending.aborted) {
    await Promise.race([pause(ASK_EVERY_MS, ending), broken.promise]);
    if (ending.aborted) return;
    const late = new AbortController();
    const overdue = pause(ANSWER_MS, late.signal).then(() => {
      if (!late.signal.aborted) throw new Error('The connection that listens does not answer.');
    });
    try {
      await Promise.race([client.query('SELECT 1'), overdue, broken.promise]);
    } finally {
      late.abort();
    }
  }
}
