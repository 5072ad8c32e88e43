/** One number of ours beside the one it is held against. */
export interface Figure {
  readonly name: string;
  readonly unit: 'ms' | 's' | '/s' | 'MB' | '%' | '×' | '';
  readonly ours: number;
  /** What the bare thing took in the same run; null: there is none. */
  readonly floor: number | null;
  /** What was asked, in words: `≤ 2 × the floor`. */
  readonly goal: string;
  /** Null: told, and held against nothing. */
  readonly ok: boolean | null;
}

export interface Measured {
  readonly figures: readonly Figure[];
  /** What a reader has to know of how it was measured. */
  readonly notes: readonly string[];
}

export type Outcome = Measured | { readonly notMeasured: string };

/** Nearest rank: the smallest value that at least `share` of all are not above. Throws where there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There are no values to take a percentile of.');
  return value;
}

/** At most so many times the floor. */
export function atMostTimes(name: string, unit: Figure['unit'], ours: number, floor: number, times: number): Figure {
  return { name, unit, ours, floor, goal: `≤ ${times} × the floor`, ok: ours <= floor * times };
}

/** At least this share of the floor. */
export function atLeastTimes(name: string, unit: Figure['unit'], ours: number, floor: number, times: number): Figure {
  return { name, unit, ours, floor, goal: `≥ ${times} × the floor`, ok: ours >= floor * times };
}

export function atMost(name: string, unit: Figure['unit'], ours: number, most: number): Figure {
  return { name, unit, ours, floor: null, goal: `≤ ${most}${spaced(unit)}`, ok: ours <= most };
}

export function told(name: string, unit: Figure['unit'], ours: number, floor: number | null = null): Figure {
  return { name, unit, ours, floor, goal: '', ok: null };
}

export function spaced(unit: Figure['unit']): string {
  return unit === '' || unit === '×' ? unit : ` ${unit}`;
}

export function fallsShort(outcome: Outcome): boolean {
  return 'figures' in outcome && outcome.figures.some(({ ok }) => ok === false);
}
