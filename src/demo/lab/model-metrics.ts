import { createStability } from './stability.ts';

/** Upper bounds of the latency histogram, in seconds. */
export const latencyBounds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** How many of the last scores the mean is taken over, roughly. */
const scoreMemory = 500;

/** What a model server counts, and how Prometheus reads it (text format 0.0.4). */
export interface ModelMetrics {
  request(code: number, seconds: number): void;
  /** @param correct null: it is not known what would have been right. */
  prediction(score: number, correct: boolean | null): void;
  /** The amount of a payment, as the model was given it. */
  input(amount: number): void;
  text(): string;
}

export function createModelMetrics(service: string, version: string): ModelMetrics {
  // Both are there from the start: a series that begins with its first error has no increase to show.
  const codes = new Map<number, number>([
    [200, 0],
    [500, 0],
  ]);
  const buckets = latencyBounds.map(() => 0);
  let seconds = 0;
  let requests = 0;
  let predictions = 0;
  let correctOnes = 0;
  let judged = 0;
  let scoreMean = 0;
  const inputs = createStability();
  const labels = `service="${escaped(service)}",version="${escaped(version)}"`;

  return {
    request(code, took) {
      codes.set(code, (codes.get(code) ?? 0) + 1);
      requests += 1;
      seconds += took;
      for (const [index, bound] of latencyBounds.entries()) {
        if (took <= bound) buckets[index] = (buckets[index] ?? 0) + 1;
      }
    },
    prediction(score, correct) {
      predictions += 1;
      scoreMean += (score - scoreMean) / Math.min(predictions, scoreMemory);
      if (correct !== null) judged += 1;
      if (correct) correctOnes += 1;
    },
    input: (amount) => inputs.take(amount),
    text() {
      const stability = inputs.index();
      return [
        ...family('http_requests_total', 'counter', 'Requests answered, by status code.', [
          ...[...codes].map(([code, count]) => [`{${labels},code="${code}"}`, count] as const),
        ]),
        ...family('http_request_duration_seconds', 'histogram', 'Time from a request to its answer.', [
          ...latencyBounds.map((bound, index) => [`_bucket{${labels},le="${bound}"}`, buckets[index] ?? 0] as const),
          [`_bucket{${labels},le="+Inf"}`, requests],
          [`_sum{${labels}}`, seconds],
          [`_count{${labels}}`, requests],
        ]),
        ...family('predictions_total', 'counter', 'Scores given.', [[`{${labels}}`, predictions]]),
        ...family('predictions_correct_total', 'counter', 'Scores on the right side of one half.', [
          [`{${labels}}`, correctOnes],
        ]),
        ...family('predictions_judged_total', 'counter', 'Scores of which it is known what would have been right.', [
          [`{${labels}}`, judged],
        ]),
        ...family('predictions_wrong_total', 'counter', 'Scores on the wrong side of one half.', [
          [`{${labels}}`, judged - correctOnes],
        ]),
        // Of a few payments the index is noise: then there is none.
        ...(stability === null
          ? []
          : family('model_feature_psi', 'gauge', 'Population stability index of the amounts seen lately.', [
              [`{${labels}}`, stability],
            ])),
        ...family('model_score_mean', 'gauge', 'Mean of the latest scores.', [[`{${labels}}`, scoreMean]]),
        '',
      ].join('\n');
    },
  };
}

function family(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  samples: readonly (readonly [suffix: string, value: number])[],
): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([suffix, value]) => `${name}${suffix} ${value}`),
  ];
}

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
