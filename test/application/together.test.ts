import { expect, it } from 'vitest';
import type { Outcome, Submission, Submit } from '../../src/application/submit.ts';
import { batchesTogether } from '../../src/application/together.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { policy } from '../runtime/support.ts';

const submission = (key: string): Submission => ({ key, event: { type: 'policy_changed' } });
const named = (service: string): Policy => ({ ...policy(), service });

/** Writes down which batches were made; `broken` cannot be decided on, `twice` was there before. */
function batches(now = () => 0) {
  const made: string[] = [];
  const batch: Submit['batch'] = async ({ service }, submissions) => {
    const keys = submissions.map(({ key }) => key);
    made.push(`${service}: ${keys.join(' ')}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (keys.includes('broken')) throw new Error('broken');
    return keys.map((key): Outcome => (key.startsWith('twice') ? 'duplicate' : 'accepted'));
  };
  return { made, ...batchesTogether(batch, now) };
}

it('makes one batch of what waits for the same service, and gives each its own outcomes', async () => {
  const { made, take } = batches();
  const [a, b] = [named('a'), named('b')];
  const outcomes = await Promise.all([
    take(a, [submission('1')]),
    take(b, [submission('2')]),
    take(a, [submission('twice'), submission('3')]),
    take(a, [submission('4')]),
  ]);
  expect(made).toEqual(['a: 1 twice 3 4', 'b: 2']);
  expect(outcomes).toEqual([['accepted'], ['accepted'], ['duplicate', 'accepted'], ['accepted']]);
});

it('lets one that cannot be decided on take no other with it', async () => {
  const { made, take } = batches();
  const a = named('a');
  const results = await Promise.allSettled(['1', 'broken', '2'].map((key) => take(a, [submission(key)])));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(made).toEqual(['a: 1 broken 2', 'a: 1', 'a: broken', 'a: 2']);
  expect(await take(a, [submission('5')])).toEqual(['accepted']);
});

it('puts nothing together that is decided by another reading of the policy, and never too much', async () => {
  const { made, take } = batches();
  const old = named('a');
  const many = Array.from({ length: 150 }, (_, i) => submission(`m${i}`));
  await Promise.all([
    take(old, [submission('1')]),
    take({ ...old }, [submission('2')]),
    take(old, many),
    take(old, many),
    take(old, [submission('3')]),
  ]);
  expect(made.map((text) => text.split(' ').length - 1)).toEqual([1, 1, 150, 151]);
});

it('decides at once on what comes by itself, and lets others in where more came a moment ago', async () => {
  let nowMs = 1_000;
  const { made, take } = batches(() => nowMs);
  const a = named('a');
  const first = take(a, [submission('1')]);
  // Still in the same turn of the event loop.
  await new Promise((resolve) => process.nextTick(resolve));
  expect(made).toEqual(['a: 1']);
  await first;
  nowMs += 5;
  const together = [take(a, [submission('2')]), take(a, [submission('3')])];
  await Promise.all(together);
  expect(made).toEqual(['a: 1', 'a: 2 3']);
});
