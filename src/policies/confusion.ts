import type { Measure } from '../analysis/types.ts';

/** Answers that were labelled later, by what was said and what was true. */
export const confusionKeys = ['truePositives', 'falsePositives', 'falseNegatives', 'trueNegatives'] as const;
export type ConfusionKey = (typeof confusionKeys)[number];

/** What each measure is made of. */
const countersOf: Readonly<Record<Measure, readonly ConfusionKey[]>> = {
  accuracy: confusionKeys,
  precision: ['truePositives', 'falsePositives'],
  recall: ['truePositives', 'falseNegatives'],
  f1: ['truePositives', 'falsePositives', 'falseNegatives'],
};

function isMeasure(text: string): text is Measure {
  return Object.hasOwn(countersOf, text);
}

/** Null: there is no such measure. */
export function countersOfMeasure(measure: string | undefined): readonly ConfusionKey[] | null {
  return measure !== undefined && isMeasure(measure) ? countersOf[measure] : null;
}

/** Totals of a confusion matrix as bad ones of all, as the comparison counts a labelled measure. */
export function badOfAll(
  measure: Measure,
  totals: Readonly<Partial<Record<ConfusionKey, number>>>,
): { events: number; exposure: number } {
  const { truePositives: tp = 0, falsePositives: fp = 0, falseNegatives: fn = 0, trueNegatives: tn = 0 } = totals;
  switch (measure) {
    case 'accuracy':
      return { events: fp + fn, exposure: tp + fp + fn + tn };
    case 'precision':
      return { events: fp, exposure: tp + fp };
    case 'recall':
      return { events: fn, exposure: tp + fn };
    case 'f1':
      return { events: fp + fn, exposure: 2 * tp + fp + fn };
  }
}
