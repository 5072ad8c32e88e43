import { PortError } from '../ports/failure.ts';

/**
 * Ends a call to the outside after `limitMs` of real time, also where it does not heed its signal.
 * What was cut off may have happened: the failure is ambiguous. `who` begins the error's sentence.
 */
export async function withinLimit<T>(
  limitMs: number,
  who: string,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const cut = Promise.withResolvers<never>();
  const give = () => {
    const error = new PortError('ambiguous', `${who} was cut off: Lastgood is stopping.`);
    limit.abort(error);
    cut.reject(error);
  };
  const timer = setTimeout(() => {
    const error = new PortError('ambiguous', `${who} did not answer within ${limitMs / 1000} s.`);
    limit.abort(error);
    cut.reject(error);
  }, limitMs);
  if (outer?.aborted) give();
  outer?.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([call(limit.signal), cut.promise]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', give);
  }
}
