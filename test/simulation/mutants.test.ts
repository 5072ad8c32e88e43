import { describe, expect, it } from 'vitest';
import { breakages } from './mutants.ts';
import { foundWithin } from './sensitivity.ts';

/** What the simulation would let pass is not shown by it: each of these is Lastgood with one part broken on purpose. */
describe('the simulation notices that', () => {
  it.each(breakages.map((make) => [make().name, make] as const))('%s', { timeout: 300_000 }, async (_, make) => {
    const found = await foundWithin(make);
    expect(found, `not found within ${make().within} seeds`).not.toBeNull();
  });
});
