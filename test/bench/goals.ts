import type { MethodSummary, ScenarioSummary } from './summary.ts';

/** More false rollbacks than this break the promise. */
export const PROMISED_SHARE = 0.01;
/** A method that is wrong less often than this is a rival in speed. */
export const RIVAL_SHARE = 0.05;
/** Requests a second from which on no rival may be faster. */
export const LEAST_RATE = 10;

/** One of the methods that ours is measured by, and the minutes it takes. */
export interface Rival {
  readonly method: string;
  readonly medianDelay: number | null;
}

/** How soon ours finds one regression, beside the fastest of those that are seldom wrong. */
export interface Race {
  readonly scenario: string;
  readonly own: number | null;
  /** The fastest that is under 5 % false in every promised scenario of this kind from 10 rps on; null: there is none. */
  readonly rival: Rival | null;
  /** The fastest that is under 5 % false in the same traffic without the regression; null: there is none, or it was not run. */
  readonly sameTraffic: Rival | null;
  readonly lost: boolean;
}

export interface Goals {
  readonly broken: readonly ScenarioSummary[];
  readonly races: readonly Race[];
  readonly reached: boolean;
}

/**
 * The two goals. Not wrong in more than 1 % of the runs of a promised scenario; and no regression at 10 rps and more takes longer to
 * find than the fastest method takes that is itself under 5 % false. A team picks one method for what it runs, so this is a
 * method that is under 5 % in all promised scenarios of the kind, not one that is right where there happens to be no noise.
 */
export function goalsOf(summaries: readonly ScenarioSummary[]): Goals {
  const broken = brokenPromises(summaries);
  const races = summaries
    // A gauge has no rate.
    .filter((s) => s.sort === 'regression' && s.kind !== 'gauge' && s.perSecond >= LEAST_RATE)
    .map((s) => raceOf(s, summaries));
  return { broken, races, reached: broken.length === 0 && races.every((race) => !race.lost) };
}

/**
 * Scenarios in which ours breaks its promise. One wrong run is never enough: of a few dozen runs it would be more than 1 % by chance.
 */
export function brokenPromises(summaries: readonly ScenarioSummary[]): ScenarioSummary[] {
  return summaries.filter(({ promised, runs, methods: [own] }) => {
    const share = own?.wrong ?? 0;
    return promised && share > PROMISED_SHARE && Math.round(share * runs) > 1;
  });
}

/** Methods, ours aside, that are wrong in less than 5 % of the runs of each of these; without any there is none. */
function seldomWrong(healthy: readonly ScenarioSummary[]): ReadonlySet<string> {
  const names = healthy[0]?.methods.slice(1).map((m) => m.method) ?? [];
  return new Set(names.filter((name) => healthy.every((s) => wrongOf(s, name) < RIVAL_SHARE)));
}

export function wrongOf(summary: ScenarioSummary, method: string): number {
  return summary.methods.find((m) => m.method === method)?.wrong ?? 1;
}

function raceOf(regression: ScenarioSummary, summaries: readonly ScenarioSummary[]): Race {
  const alike = summaries.filter((s) => s.promised && s.kind === regression.kind && s.perSecond >= LEAST_RATE);
  const rival = fastest(regression.methods, seldomWrong(alike));
  const sameTraffic = fastest(regression.methods, seldomWrong(summaries.filter((s) => s.scenario === regression.twin)));
  const own = regression.methods[0]?.medianDelay ?? null;
  const late = rival !== null && (rival.medianDelay ?? Infinity) < (own ?? Infinity);
  return { scenario: regression.scenario, own, rival, sameTraffic, lost: late };
}

function fastest(methods: readonly MethodSummary[], names: ReadonlySet<string>): Rival | null {
  const rivals = methods.filter((m) => names.has(m.method));
  const [first] = rivals.toSorted((a, b) => (a.medianDelay ?? Infinity) - (b.medianDelay ?? Infinity));
  return first === undefined ? null : { method: first.method, medianDelay: first.medianDelay };
}
