import { Dice } from './dice.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What can go wrong, by the name under which it is counted. */
const FIRST_FAULTS = [
  'death',
  'freeze',
  'notice-lost',
  'store-error',
  'clock-jump',
  'shift-refused',
  'shift-forbidden',
  'shift-lost-reply',
  'shift-lost-call',
  'shift-landed-late',
  'shift-lie',
  'shift-slow',
  'shift-twice',
  'observe-failed',
  'observe-blind',
  'observe-lie',
  'not-ready',
  'moved-by-hand',
  'prometheus-down',
  'prometheus-late',
  'prometheus-partial',
  'slack-down',
  'slack-rate-limited',
  'slack-lost-reply',
  'slack-lost-call',
  'slack-refused',
  'slack-deleted',
  'pager-down',
  'pager-lost-reply',
  'pager-lost-call',
  'webhook-dropped',
  'webhook-repeated',
  'webhook-late',
  'alertmanager-down',
  'alertmanager-restarted',
  'alert-flaps',
  'alert-muted',
  'press-stale',
  'press-twice',
  'press-stranger',
  'policy-edited',
  'policy-lost',
  'policy-gone',
] as const;
/** Drawn by themselves, each: what a seed had before them it has still. */
const LATER_FAULTS = ['death-sending', 'prometheus-stale', 'prometheus-slow', 'webhook-burst'] as const;
export const FAULTS = [...FIRST_FAULTS, ...LATER_FAULTS] as const;
export type Fault = (typeof FAULTS)[number];

/** What a seed switches on, and how strongly: most seeds leave most things well, so that what is left is seen more clearly. */
export interface Swarm {
  /** Strength of each fault, 0 (off) to 1. */
  readonly strength: Readonly<Record<Fault, number>>;
  readonly services: number;
  /** Processes on one store; one alone has it to itself. */
  readonly replicas: number;
  /** How long things go wrong, and how long nothing does afterwards. */
  readonly stormMs: number;
  readonly calmMs: number;
  /** How often an average person does something, an hour and service. */
  readonly pressesPerHour: number;
  readonly startsPerHour: number;
  readonly degradationsPerHour: number;
  readonly everyMs: number;
  readonly windowMs: number;
  readonly lookoutMs: number;
  readonly latencyMs: number;
}

export function swarmOf(seed: number): Swarm {
  const dice = new Dice(seed, 'swarm');
  // Some seeds are calm in everything but one thing, some are rough all over.
  const share = dice.pick([0.1, 0.3, 0.5, 0.8]);
  const strengthBy = (own: Dice) => (own.chance(share) ? own.magnitude(0.05, 1) : 0);
  const strength = Object.fromEntries([
    ...FIRST_FAULTS.map((fault) => [fault, strengthBy(dice)]),
    ...LATER_FAULTS.map((fault) => [fault, strengthBy(new Dice(seed, `swarm/${fault}`))]),
  ]) as Record<Fault, number>;
  const everyMs = dice.pick([0.5, 1, 2, 3, 5, 5, 5, 5, 10, 10, 10]) * MINUTE;
  // Three hours of them are as many looks as a day of the others.
  const isClose = everyMs <= MINUTE;
  const services = dice.chance(0.15) ? 2 : 1;
  const replicas = dice.pick([1, 1, 1, 2, 3]);
  const stormMs = dice.pick([3, 6, 12]) * HOUR;
  return {
    strength,
    services,
    replicas,
    stormMs: isClose ? Math.min(stormMs, 3 * HOUR) : stormMs,
    calmMs: (isClose ? 4 : 6) * HOUR,
    pressesPerHour: dice.pick([0.5, 3, 10]),
    startsPerHour: dice.pick([0.5, 2, 4]),
    degradationsPerHour: dice.pick([0.1, 0.4, 1]),
    everyMs,
    windowMs: Math.min(everyMs, MINUTE),
    lookoutMs: dice.pick([1, 2, 5]) * MINUTE,
    latencyMs: dice.pick([0, 0, 50, 2_000]),
  };
}
