import { write, writeSync } from 'node:fs';

/** Lines that wait while nobody reads; what comes beyond is lost (characters). */
const MOST_WAITING = 8 * 1024 * 1024;
/** How long a reader that takes nothing just now is left alone. */
const AGAIN_MS = 100;

/** Where finished lines go. Never throws and never waits. */
export interface Lines {
  write(line: string): void;
}

/**
 * Lines into an open file descriptor, in order, without waiting for who reads it. What cannot be written (the disk is full, nobody
 * reads any more) is lost: a log must not hold up decisions, nor the end of the process. `onLost` hears of it once, and again only
 * after something could be written.
 */
export function linesInto(descriptor: number, onLost: (error: Error) => void): Lines {
  let waiting: string[] = [];
  let length = 0;
  let isBusy = false;
  const telling = toldOnce(onLost);
  const put = (chunk: Buffer): void => {
    write(descriptor, chunk, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => put(chunk), AGAIN_MS);
        return;
      }
      if (error) telling.lost(error);
      else telling.written();
      const rest = error ? null : chunk.subarray(written);
      if (rest && rest.length > 0) put(rest);
      else next();
    });
  };
  const next = (): void => {
    isBusy = waiting.length > 0;
    if (!isBusy) return;
    const chunk = Buffer.from(waiting.join(''));
    waiting = [];
    length = 0;
    put(chunk);
  };
  const atTheEnd = (): void => {
    try {
      if (waiting.length > 0) writeSync(descriptor, waiting.join(''));
    } catch {
      // Whoever is about to end can tell nobody.
    }
  };
  let isUsed = false;
  return {
    write(line) {
      if (!isUsed) process.once('exit', atTheEnd);
      isUsed = true;
      if (length + line.length > MOST_WAITING) {
        telling.lost(new Error('nobody reads the log, and there is no more room for it'));
        return;
      }
      waiting.push(line);
      length += line.length;
      if (!isBusy) next();
    },
  };
}

/** Somebody else's stream, which may throw. */
export function linesThrough(stream: Lines, onLost: (error: Error) => void): Lines {
  const telling = toldOnce(onLost);
  return {
    write(line) {
      try {
        stream.write(line);
        telling.written();
      } catch (error) {
        telling.lost(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

function toldOnce(onLost: (error: Error) => void) {
  let isTold = false;
  return {
    lost(error: Error): void {
      if (isTold) return;
      isTold = true;
      onLost(error);
    },
    written(): void {
      isTold = false;
    },
  };
}
