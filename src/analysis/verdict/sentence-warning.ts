import type { Told } from './told.ts';
import { count, givenShare, number, share } from './words.ts';

/** Kinds that warn and decide nothing: "Amount: distribution shifted, PSI 0.31 (alert above 0.25), 12,400 vs 3,100 values". */
export function warningOnly(told: Told): string {
  const { metric, outcome } = told;
  const { found } = outcome.note;
  const isPast = outcome.warning !== null;
  switch (found?.kind) {
    case 'drift': {
      const word = isPast ? 'distribution shifted' : 'distribution as before';
      const values = `${count(found.suspect)} vs ${count(found.reference)} values`;
      return `${metric.title}: ${word}, PSI ${found.psi.toFixed(2)} (alert above ${found.alert.toFixed(2)}), ${values}`;
    }
    case 'score': {
      const word = (metric.direction === 'higher-is-better') === isPast ? 'below' : 'above';
      const side = found.value === outcome.limit ? 'at' : word;
      return `${metric.title} ${number(found.value, told)}, ${side} its limit of ${number(outcome.limit, told)}`;
    }
    case 'split': {
      if (found.seen === null) return `${metric.title}: too few requests to judge the split`;
      const requests = `of ${count(found.requests)} requests`;
      return isPast
        ? `${metric.title}: the split is not as configured: ${share(found.seen)} instead of ${givenShare(found.configured)} ${requests}`
        : `${metric.title}: ${share(found.seen)} ${requests} to the candidate, ${givenShare(found.configured)} configured`;
    }
    default:
      return `${metric.title}: too few numbers to judge`;
  }
}
