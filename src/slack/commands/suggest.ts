/** The word that was probably meant: the nearest, where it is near enough; null where none is. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const wanted = typed.toLowerCase().slice(0, 100);
  const begins = known.filter((word) => wanted.length >= 3 && word.toLowerCase().startsWith(wanted));
  if (begins.length === 1) return begins[0] ?? null;
  const ranked = known
    .map((word) => ({ word, distance: distance(wanted, word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (!best) return null;
  return best.distance <= Math.max(1, Math.floor(Math.max(wanted.length, best.word.length) / 3)) ? best.word : null;
}

/** Edits from one word to the other; two letters swapped count as one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
