import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Cleans up behind the demo where the demo cannot any more: killed, crashed, or its terminal gone. */
export interface Janitor {
  /** This process is to end with us. */
  watch(pid: number): void;
  /** It has ended: the number may be somebody else's soon. */
  forget(pid: number): void;
  /** This directory is to be removed with us. */
  own(directory: string): void;
  /** Everything is cleaned up already, or is now. Resolves when the janitor has gone. */
  dismiss(): Promise<void>;
}

/**
 * A small process that holds the other end of a pipe. Whatever ends us closes the pipe, and then it ends the processes and
 * removes the directories it was told of; a `finally` alone would not run after kill -9.
 */
export function startJanitor(): Janitor {
  // Type stripping runs the source; the published package has JavaScript.
  const script = new URL(
    import.meta.url.endsWith('.ts') ? './janitor-process.ts' : './janitor-process.js',
    import.meta.url,
  );
  const child = spawn(process.execPath, [fileURLToPath(script)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // A janitor that died early is missed by nobody as long as we clean up ourselves.
  child.stdin.on('error', () => undefined);
  child.unref();
  const tell = (order: string, what: string) => child.stdin.write(`${order} ${what}\n`);
  return {
    watch: (pid) => tell('watch', String(pid)),
    forget: (pid) => tell('forget', String(pid)),
    own: (directory) => tell('own', directory),
    dismiss: () => {
      // Until now nothing waited for it; now somebody does.
      child.ref();
      child.stdin.end();
      return gone;
    },
  };
}
