import { forgetful } from '../../../src/analysis/evidence/memory.ts';
import { testOf } from '../../../src/analysis/kinds/index.ts';
import type { Question } from '../../../src/analysis/kinds/question.ts';
import type { LookPeriod, Metric, MetricKind, Series } from '../../../src/analysis/types.ts';
import type { Outcome } from '../../../src/analysis/verdict/outcome.ts';
import { armRead, metric, period, settings } from '../support.ts';

/** A metric of one kind with a name a reader would give it. */
export function of(source: MetricKind, over: Partial<Metric> = {}): Metric {
  return metric({ name: 'm', title: 'Metric', unit: '', source, ...over });
}

/** One arm put to its kind's own test, with everything read that is needed to call it well. */
export function ask(
  asked: Metric,
  suspect: Series,
  over: { reference?: Series; period?: LookPeriod; past?: Series; budget?: Series; windows?: number } = {},
): Outcome {
  const question: Question = {
    metric: asked,
    suspect: armRead(suspect, asked),
    reference: over.reference ? armRead(over.reference, asked) : null,
    period: over.period ?? period(over.windows ?? 40),
    settings,
    concurrent: true,
    mayBeHealthy: true,
    memory: forgetful,
    past: over.past ? armRead(over.past, asked) : null,
    budget: over.budget ?? null,
  };
  return testOf(question);
}

/** Both arms' first `n` windows. */
export function firstOf(series: Series, n: number): Series {
  if (series.kind === 'counts') return { ...series, windows: series.windows.slice(0, n) };
  if (series.kind === 'values') return { ...series, windows: series.windows.slice(0, n) };
  throw new Error('one list of windows only');
}

/** The first of the looks, one after every window, of which `is` is true; null: none. */
export function firstLook(
  asked: Metric,
  suspect: Series,
  windows: number,
  is: (outcome: Outcome) => boolean,
  over: { reference?: Series; period?: (n: number) => LookPeriod; past?: Series; from?: number } = {},
): number | null {
  for (let n = over.from ?? 3; n <= windows; n += 1) {
    const reference = over.reference === undefined ? undefined : firstOf(over.reference, n);
    const outcome = ask(asked, firstOf(suspect, n), {
      period: over.period?.(n) ?? period(n),
      ...(reference === undefined ? {} : { reference }),
      ...(over.past === undefined ? {} : { past: over.past }),
    });
    if (is(outcome)) return n;
  }
  return null;
}

export const seeds = (n: number) => Array.from({ length: n }, (_, k) => k + 1);
