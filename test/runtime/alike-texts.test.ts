import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AlikeTexts, textOf } from '../../src/runtime/performers/alike-texts.ts';

it('a text comes back as it was, whatever it says', () => {
  const texts = new AlikeTexts();
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ minLength: 1 }), (value, name) => {
      const text = JSON.stringify([
        name,
        value,
        { [name]: `${name}-r1` },
        '\u0001\u0002',
        0.05,
        1e21,
        '007',
        12345678901234567n.toString(),
      ]);
      expect(textOf(texts.pack(text, name))).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

it('texts that differ in numbers and a name have one form between them', () => {
  const texts = new AlikeTexts();
  const of = (service: string, atMs: number) =>
    texts.pack(JSON.stringify({ service, rollout: `${service}-r${atMs % 9}`, atMs, share: 0.5 }), service);
  const [first, second] = [of('ranker', 1_795_312_063_765), of('fraud-scorer-12', 1_795_312_999_999)];
  expect(second.form).toBe(first.form);
  expect(second.form).not.toMatch(/fraud|ranker|\d{2}/);
});

it('what has too many forms stands by itself, and still comes back', () => {
  const texts = new AlikeTexts();
  const all = Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ ['x'.repeat(i + 1)]: i }));
  expect(all.map((text) => textOf(texts.pack(text, 'ranker')))).toEqual(all);
});
