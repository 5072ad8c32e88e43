import { rmSync } from 'node:fs';

/** Runs as a process of its own: see janitor.ts. One order a line; the end of the input is the end of the demo. */

const KILL_AFTER_MS = 3_000;
const pids = new Set<number>();
const directories = new Set<string>();
let rest = '';

process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  lines.forEach(obey);
});
process.stdin.on('end', cleanUp);
process.stdin.on('error', cleanUp);

function obey(line: string): void {
  const [order = '', ...words] = line.split(' ');
  const what = words.join(' ');
  if (order === 'watch') pids.add(Number(what));
  else if (order === 'forget') pids.delete(Number(what));
  else if (order === 'own') directories.add(what);
}

function cleanUp(): void {
  for (const pid of pids) signal(pid, 'SIGTERM');
  const until = Date.now() + KILL_AFTER_MS;
  const wait = setInterval(() => {
    const left = [...pids].filter((pid) => signal(pid, 0));
    if (left.length > 0 && Date.now() < until) return;
    clearInterval(wait);
    for (const pid of left) signal(pid, 'SIGKILL');
    for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit();
  }, 20);
}

/** False: there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
