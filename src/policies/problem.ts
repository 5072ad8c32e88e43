/** One thing wrong in a policy file, for the person who wrote it. */
export interface PolicyProblem {
  readonly file: string;
  /** From 1; 0 where the problem is the file or the directory itself. */
  readonly line: number;
  readonly column: number;
  /** Where in the policy, `steps[1].exposure`; empty: the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The name of the secret, where it is only that this one is not set. */
  readonly unset?: string;
}

export type Path = readonly (string | number)[];

/** `['steps', 1, 'exposure']` → `steps[1].exposure`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** One line a problem, `policies/fraud-scorer.yaml:12:5  steps[1].exposure: must be …`, in the order of the files. */
export function formatProblems(problems: readonly PolicyProblem[]): string {
  return format(problems, '');
}

/** As `formatProblems`, each said to be a warning: `policies/fraud-scorer.yaml:12:5  warning: metrics[0]: …`. */
export function formatWarnings(warnings: readonly PolicyProblem[]): string {
  return format(warnings, 'warning: ');
}

function format(problems: readonly PolicyProblem[], level: string): string {
  return sortProblems(problems)
    .map(({ file, line, column, path, message }) => {
      const place = line > 0 ? `${file}:${line}:${column}` : file;
      return `${place}  ${level}${path === '' ? '' : `${path}: `}${message}`;
    })
    .join('\n');
}

export function sortProblems(problems: readonly PolicyProblem[]): PolicyProblem[] {
  return [...problems].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

/** The one of `known` that was probably meant by `given`, or null. */
export function nearest(given: string, known: readonly string[]): string | null {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const measured = known.map((word) => ({ word, distance: distance(plain(given), plain(word)) }));
  const [best] = measured.sort((a, b) => a.distance - b.distance);
  // A third of the word may be wrong, but never all of a short one.
  return best && best.distance <= Math.min(3, Math.floor(plain(best.word).length / 3)) ? best.word : null;
}

/** Letters to add, leave out, change or swap with their neighbour. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const above = rows[i - 1] ?? [];
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** `a, b or c` */
export function oneOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last;
}
