import { compileSelector } from '../domain/match.ts';
import type { AlertSelector, Policy } from '../domain/policy.ts';
import type { Alert } from '../domain/state.ts';

export interface Listener {
  readonly policy: Policy;
  /** The policy's first selector that matches; null: none does. */
  readonly hear: (alert: Alert) => AlertSelector | null;
}

export interface Listeners {
  /** Of this policy, prepared once. */
  of(policy: Policy): Listener;
  /** Finds those among these policies that may match an alert, in their order. */
  among(policies: readonly Policy[]): (alert: Alert) => readonly Listener[];
}

/**
 * Policies prepared to be asked whether an alert is theirs. Nearly every selector names its service (or another label) outright:
 * found by that value, a thousand policies cost an alert no more than ten.
 */
export function createListeners(): Listeners {
  const prepared = new WeakMap<Policy, Listener>();
  let index: Index = indexOf([]);
  const of = (policy: Policy): Listener => {
    const known = prepared.get(policy);
    if (known) return known;
    const selectors = policy.alerts.map((selector) => ({ selector, accepts: compileSelector(selector) }));
    const hear = (alert: Alert) => selectors.find(({ accepts }) => accepts(alert.labels))?.selector ?? null;
    const listener = { policy, hear };
    prepared.set(policy, listener);
    return listener;
  };
  return {
    of,
    among(policies) {
      if (index.policies !== policies && !isSame(index.policies, policies)) index = indexOf(policies);
      const present = index;
      return (alert) =>
        placesFor(present, alert).flatMap((place) => {
          const policy = policies[place];
          return policy ? of(policy) : [];
        });
    },
  };
}

/** Places of policies in their list. */
interface Index {
  readonly policies: readonly Policy[];
  /** By label and the value it has to have. */
  readonly named: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;
  /** Those with a selector that asks for no value outright: asked about every alert. */
  readonly others: readonly number[];
}

function indexOf(policies: readonly Policy[]): Index {
  const named = new Map<string, Map<string, number[]>>();
  const others: number[] = [];
  policies.forEach((policy, place) => {
    const keys = policy.alerts.map(outright);
    if (keys.includes(null)) others.push(place);
    else
      for (const key of keys) {
        if (!key) continue;
        const values = named.get(key.label) ?? new Map<string, number[]>();
        named.set(key.label, values);
        values.set(key.value, [...(values.get(key.value) ?? []), place]);
      }
  });
  return { policies, named, others };
}

/** A value that every alert of the selector has; null: it asks for none. The empty one is also that of a label that is not there. */
function outright({ matchers }: AlertSelector): { readonly label: string; readonly value: string } | null {
  const asked = matchers.filter(({ operator, value }) => operator === '=' && value !== '');
  // Values of names like these are shared by many policies.
  return asked.find(({ label }) => label !== 'severity' && label !== 'alertname') ?? asked[0] ?? null;
}

function placesFor({ named, others }: Index, { labels }: Alert): readonly number[] {
  const places = new Set(others);
  for (const [label, values] of named) {
    if (!Object.hasOwn(labels, label)) continue;
    for (const place of values.get(labels[label] ?? '') ?? []) places.add(place);
  }
  return [...places].sort((a, b) => a - b);
}

/** Every reading of the policies makes new ones of those that changed, and a new list. */
function isSame(known: readonly Policy[], policies: readonly Policy[]): boolean {
  return known.length === policies.length && known.every((policy, place) => policy === policies[place]);
}
