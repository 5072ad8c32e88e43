import { describe, expect, it } from 'vitest';
import { oncePer } from '../../src/app/once-per.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { policy } from '../runtime/support.ts';

describe('what is made of a part of policies', () => {
  it('is made once for those that have it in common, and anew for another one', () => {
    const asked: string[] = [];
    const made = oncePer(
      ({ target }) => target,
      ({ service }: Policy) => {
        asked.push(service);
        return { service };
      },
    );
    const target = { kind: 'http', config: {} };
    const [cat, dog, eel] = ['cat', 'dog', 'eel'].map((service) => policy({ service, target }));
    if (!cat || !dog || !eel) throw new Error('three were made');
    expect(made(dog)).toBe(made(cat));
    expect(made({ ...eel, target: { ...target } })).toEqual({ service: 'eel' });
    expect(asked).toEqual(['dog', 'eel']);
  });
});
