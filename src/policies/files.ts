import { readFile, stat } from 'node:fs/promises';
import { reason } from './endpoint.ts';

/** A policy larger than this is something else. */
export const maxPolicyBytes = 256 * 1024;
export const tooLarge = `is larger than a policy can be (${maxPolicyBytes / 1024} KiB)`;

/** The text of a policy or a template, or what is wrong with its file. Nothing is thrown. */
export async function readPolicyFile(
  file: string,
): Promise<{ text: string; problem: null } | { text: null; problem: string }> {
  try {
    const status = await stat(file);
    if (!status.isFile()) return { text: null, problem: 'is not a file' };
    if (status.size > maxPolicyBytes) return { text: null, problem: tooLarge };
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file)),
      problem: null,
    };
  } catch (error) {
    if (error instanceof TypeError) return { text: null, problem: 'is not text in UTF-8' };
    return { text: null, problem: `cannot be read: ${reason(error)}` };
  }
}
