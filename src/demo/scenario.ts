/** Who and what the story is about, in seconds instead of minutes. */

export const SERVICE = 'fraud-scorer';
/** The first serves, the others are candidates one after the other. */
export const VERSIONS = ['v41', 'v42', 'v43', 'v44', 'v45'] as const;
export const CHANNEL = 'ml-rollouts';
/**
 * A second of the demo. A gate needs some hundred requests of the candidate to know that it is well: at 10 % of this that is ten
 * seconds.
 */
export const REQUESTS_PER_SECOND = 150;
/** How fast the demo's clock can run. */
export const SPEEDS = [1, 3] as const;
/** What a model is made to do: that share of its requests fails. */
export const ERROR_SHARE = 0.3;
export const EXTRA_LATENCY_SECONDS = 0.8;
/** How much less often it is right. */
export const ACCURACY_LOST = 0.4;
/** The amounts it sees are that much smaller: a currency mixed up. */
export const INPUT_SHIFT = 0.6;
/** Slower than this counts as slow; a healthy model takes 2 to 60 ms, also where this machine stalls for a moment. */
export const SLOW_SECONDS = 0.5;

/** First in the list is who the visitor is. */
export const people = [
  { id: 'U01YOU', name: 'you', realName: 'You', color: '#1264a3', role: 'approver' },
  { id: 'U02MAYA', name: 'maya', realName: 'Maya Lindqvist', color: '#7b4fc9', role: 'approver' },
  { id: 'U03TOM', name: 'tom', realName: 'Tom Okafor', color: '#b7791f', role: 'approver' },
] as const;
export const MAYA = people[1].id;
