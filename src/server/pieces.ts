import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';

/** Characters. What is longer than 128 KB stays in memory until V8 looks through all of it. */
const PIECE_LENGTH = 32 * 1024;

/** Texts one after the other, put together of their lines a piece at a time, with a turn of the event loop between two of them. */
export async function* inPieces(texts: Iterable<Iterable<string>>): AsyncGenerator<string> {
  let lines: string[] = [];
  let length = 0;
  for (const text of texts) {
    for (const line of text) {
      lines.push(line);
      length += line.length;
      if (length < PIECE_LENGTH) continue;
      yield lines.join('');
      [lines, length] = [[], 0];
      await setImmediate();
    }
    lines.push('\n');
  }
  yield lines.join('');
}

/** Answers with these, as fast as they are read. That the reader goes away is no error. */
export async function sendPieces(response: ServerResponse, pieces: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), response);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    throw error;
  }
}
