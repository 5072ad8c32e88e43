import fc from 'fast-check';
import { ada, bob } from '../slack/states.ts';

/** Pieces that have meant something to somebody: to Slack, to YAML, to PromQL, to prototypes, to regular expressions. */
const pieces = [
  '<!channel>',
  '<!here|x>',
  '<!everyone>',
  '<!subteam^S0SECRET|ops>',
  '<@U0EVE0000>',
  '<#C0SECRET|secret>',
  '@channel',
  '&lt;!channel&gt;',
  '<https://evil.example|click>',
  '<!date^0^{date}|x>',
  '*b* _i_ ~s~ `c` ```',
  '\u202e\u2066',
  '\u0000\u0007',
  '\ud800',
  '👩‍👩‍👧‍👦',
  'אבג',
  '\r\n> ',
  `$\{LASTGOOD_SECRET_ROUTER}`,
  '{{version}}',
  '__proto__',
  'constructor',
  '!!js/function',
  '&a [*a,*a]',
  '(a+)+$',
  '(.*)*',
  '"',
  "'",
  '\\',
  'NaN',
  '1e999',
  '-1',
  '9999999999999999999',
] as const;

/** Text from outside at its worst, mostly short. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...pieces) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((some) => some.join(' ')) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...pieces), fc.nat(400)).map(([piece, n]) => piece.repeat(n)) },
);

/** Any JSON at all, with names that matter to somebody. */
export function anything(names: readonly string[]): fc.Arbitrary<unknown> {
  const key = fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor', 'toString'), fc.string({ maxLength: 8 }));
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(text, fc.boolean(), fc.constant(null), fc.double(), fc.integer()),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
    ),
  })).value;
}

/** One value, or mostly: something else in its place, so that what is nearly right is tried most. */
export function mostly<T>(right: fc.Arbitrary<T>, names: readonly string[] = []): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: anything(names) });
}

const known = new Set([ada.id, bob.id]);

/** What of a drawn message would call somebody, or look like Slack's own; null: nothing. */
export function calls(drawn: unknown): string | null {
  if (typeof drawn === 'string') return inMarkup(drawn);
  if (Array.isArray(drawn)) return first(drawn);
  if (typeof drawn !== 'object' || drawn === null) return null;
  const { type, user_id } = drawn as { type?: unknown; user_id?: unknown };
  // Slack shows these as they are; a lone half of a pair is refused all the same, which the block check sees.
  if (type === 'plain_text') return null;
  if (type === 'broadcast' || type === 'usergroup') return JSON.stringify(drawn);
  if (type === 'user' && !known.has(String(user_id))) return JSON.stringify(drawn);
  // What comes back to us with a press is no text.
  return first(
    Object.entries(drawn).flatMap(([key, value]) => (key === 'value' || key === 'private_metadata' ? [] : [value])),
  );
}

function first(values: readonly unknown[]): string | null {
  for (const value of values) {
    const found = calls(value);
    if (found !== null) return found;
  }
  return null;
}

function inMarkup(drawn: string): string | null {
  for (const [whole, inner = ''] of drawn.matchAll(/<([^>]{0,60})/g)) {
    if (/^(https?:\/\/|!date\^-?\d+\^\{)/.test(inner)) continue;
    if (inner.startsWith('@') && known.has(inner.slice(1))) continue;
    return whole;
  }
  return null;
}
