import { execFile } from 'node:child_process';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, whatever its code. Rejects only where it cannot be begun. */
export function run(cwd: string, program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(new Error(`${program} could not be run: ${error.message}`));
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}
