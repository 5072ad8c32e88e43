/** Slack gives 3 s for an acknowledgement; a second of it is for the way back. */
const IN_TIME_MS = 2000;

/** What the work comes to within 2 s, else null: then it is acknowledged first and answered later. */
export async function within<T extends object>(work: Promise<T>, ms = IN_TIME_MS): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
