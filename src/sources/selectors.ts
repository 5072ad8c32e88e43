import type { MetricKind } from '../analysis/types.ts';

type Labelled = Extract<MetricKind, { kind: 'labelled' }>;
type Cell = 'truePositives' | 'falsePositives' | 'falseNegatives' | 'trueNegatives';

/** A classifier's measure as a share of wrong ones: how often each cell of the confusion matrix counts among the wrong, and of all. */
export interface CellWeight {
  readonly cell: Cell;
  readonly wrong: number;
  readonly all: number;
}

const cell = (name: Cell, wrong: number, all: number): CellWeight => ({ cell: name, wrong, all });

/** Accuracy: FP + FN of all. Precision: FP of TP + FP. Recall: FN of TP + FN. F1: FP + FN of 2 TP + FP + FN. */
export const CELLS: Readonly<Record<Labelled['measure'], readonly CellWeight[]>> = {
  accuracy: [
    cell('truePositives', 0, 1),
    cell('falsePositives', 1, 1),
    cell('falseNegatives', 1, 1),
    cell('trueNegatives', 0, 1),
  ],
  precision: [cell('truePositives', 0, 1), cell('falsePositives', 1, 1)],
  recall: [cell('truePositives', 0, 1), cell('falseNegatives', 1, 1)],
  f1: [cell('truePositives', 0, 2), cell('falsePositives', 1, 1), cell('falseNegatives', 1, 1)],
};

/**
 * The selectors of a metric, each of them one range query, in the order `readArm` takes what they find. Throws a plain sentence
 * where the policy leaves one out that the metric needs.
 */
export function selectorsOf(source: MetricKind): readonly string[] {
  switch (source.kind) {
    case 'proportion':
    case 'objective':
      return [source.bad ?? source.good ?? source.total, source.total];
    case 'labelled':
      return CELLS[source.measure].map((of) => {
        const selector = source[of.cell];
        if (selector === null)
          throw new Error(`${source.measure} needs \`${of.cell}\`, which the policy does not give`);
        return selector;
      });
    case 'rate':
      return source.per === null ? [source.events] : [source.events, source.per];
    case 'latency':
      return [source.buckets];
    case 'drift':
      return [source.counts];
    case 'split':
      return [source.requests];
    case 'gauge':
    case 'limit':
    case 'drift-score':
      return [source.value];
  }
}
