import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second (USER_HZ, proc(5)). */
const TICKS_PER_SECOND = 100;

/** Processor seconds a process has used since it began, in all its threads; null where the system does not say. */
export function processorSeconds(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name may hold spaces: what counts begins after its bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    // Not Linux, or it has ended.
    return null;
  }
}

/** A histogram of /metrics over all its labels: how many were at most so much, by bound, in ascending order. */
export function buckets(text: string, name: string, needs = ''): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const line of text.split('\n')) {
    const match = /^(\w+)_bucket\{(.*)\} (\d+)$/.exec(line);
    if (!match || match[1] !== name || !line.includes(needs)) continue;
    const le = /le="([^"]+)"/.exec(match[2] ?? '')?.[1];
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    counts.set(bound, (counts.get(bound) ?? 0) + Number(match[3]));
  }
  return new Map([...counts].toSorted(([a], [b]) => a - b));
}

/** The smallest bound that at least `share` of what came in between is not above. Null: nothing came. */
export function boundOf(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  share: number,
): number | null {
  const all = (after.get(Number.POSITIVE_INFINITY) ?? 0) - (before.get(Number.POSITIVE_INFINITY) ?? 0);
  if (all === 0) return null;
  for (const [bound, count] of after) if (count - (before.get(bound) ?? 0) >= share * all) return bound;
  return Number.POSITIVE_INFINITY;
}
