/** Waits until something is true, looking every 20 ms. */
export async function until(isTrue: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(`It was not true within ${withinMs / 1000} s: ${isTrue}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
