import fc from 'fast-check';

/** One way in from outside, with what must hold whatever comes through it. */
export interface Area {
  readonly name: string;
  /** Of all inputs, in shares of a hundred. */
  readonly share: number;
  property(watch: (tookMs: number) => void): fc.IAsyncPropertyWithHooks<[unknown]>;
}

/** An input that takes longer is a hang in the making: a thousand times what any takes, so that a busy machine is none. */
const longestMs = 10_000;

/** `holds` throws where the input crashed something or got something through. */
export function area<T>(
  name: string,
  share: number,
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => void | Promise<void>,
): Area {
  return {
    name,
    share,
    property: (watch) =>
      fc.asyncProperty(inputs as fc.Arbitrary<unknown>, async (input) => {
        const beganMs = performance.now();
        await holds(input as T);
        const tookMs = performance.now() - beganMs;
        watch(tookMs);
        if (tookMs > longestMs) throw new Error(`It took ${Math.round(tookMs)} ms.`);
      }),
  };
}

export interface Outcome {
  readonly name: string;
  readonly inputs: number;
  readonly seconds: number;
  readonly slowestMs: number;
  /** Null: everything held. Else the input, made as small as it gets, with the seed to see it again. */
  readonly failure: string | null;
}

/** Tries so many inputs of one area. The same seed tries the same. */
export async function tryArea(
  one: Area,
  options: { inputs: number; seed: number; path?: string | undefined; progress?: (done: number) => void },
): Promise<Outcome> {
  const { inputs, seed, path, progress } = options;
  let slowestMs = 0;
  let done = 0;
  const beganMs = performance.now();
  const property = one.property((tookMs) => {
    slowestMs = Math.max(slowestMs, tookMs);
    done += 1;
    if (done % 200 === 0) progress?.(done);
  });
  const details = await fc.check(property, { numRuns: inputs, seed, ...(path === undefined ? {} : { path }) });
  const seconds = (performance.now() - beganMs) / 1000;
  const why = details.errorInstance instanceof Error ? `\n${details.errorInstance.stack}` : '';
  const failure = details.failed ? `${await fc.asyncDefaultReportMessage(details)}${why}` : null;
  return { name: one.name, inputs: details.numRuns, seconds, slowestMs, failure };
}
