/** Waits until something is true, looking again and again. Throws with what was awaited where it never comes true. */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  options: { withinMs: number; everyMs?: number; told?: () => string },
): Promise<void> {
  const { withinMs, everyMs = 25, told } = options;
  const untilMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > untilMs) {
      throw new Error(`Not within ${withinMs / 1000} s: ${what}${told ? `\n${told()}` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
