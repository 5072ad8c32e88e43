import type { CardRef, Effect } from '../domain/effect.ts';
import type { TimerKey } from '../domain/state.ts';
import type { NewJob } from '../ports/store.ts';
import { isCommon, laneOf, type Waiting, withoutFloods } from './floods.ts';

/**
 * Cards whose change nobody waits for are drawn this much later, so that a flood of alerts is one update.
 * Well within the second in which the comparison has to follow the alert.
 */
const CARD_DEBOUNCE_MS = 250;
/** That one more alert fires changes nothing about the question: in a storm the card is drawn about once a second. */
const JOINED_DEBOUNCE_MS = 750;

/**
 * Smaller first among what is due: what moves traffic, then what decides, then what wakes people, then what they read. How many of
 * each run at a time is the worker's (runtime/slots.ts).
 */
const priorities = {
  shift: 0,
  timer: 1,
  measure: 2,
  page: 3,
  urgentCard: 4,
  silence: 5,
  say: 6,
  card: 7,
  report: 8,
} as const;

/** The one shift a service may have in flight. */
export const SHIFT_JOB = 'shift';

/** What a decision's effects come to in the job table: first what is taken back, then what is put in, in order. */
export interface Work {
  readonly cancel: readonly string[];
  readonly enqueue: readonly NewJob[];
}

/** Effects of one or more decisions of a service in a row; of those that replace each other only the last remains. */
export function workOf(service: string, all: readonly Effect[], nowMs: number, waiting: Waiting = new Map()): Work {
  const { effects, takenBack } = withoutFloods(all, waiting);
  const cancel = new Set(takenBack);
  const enqueue = new Map<string, NewJob>();
  for (const effect of effects) {
    if (effect.kind === 'cancel_timer') {
      cancel.add(timerKey(effect.key));
      enqueue.delete(timerKey(effect.key));
      continue;
    }
    const isWaitedFor = effect.kind !== 'card' || !onlyJoined(effect.card, all);
    const job = jobOf(service, effect, isWaitedFor ? nowMs : nowMs + JOINED_DEBOUNCE_MS);
    const name = job.key ?? `#${enqueue.size}`;
    const before = enqueue.get(name);
    enqueue.delete(name);
    enqueue.set(name, before && job.merge ? sooner(before, job) : job);
  }
  return { cancel: [...cancel], enqueue: [...enqueue.values()] };
}

/** All there is to say about it is that more alerts fire or are resolved, and no deadline moved. */
function onlyJoined(card: CardRef, effects: readonly Effect[]): boolean {
  const lines = effects.filter((effect) => effect.kind === 'say' && effect.card.id === card.id);
  const moved = effects.some((effect) => effect.kind === 'timer' && effect.key === 'deadline');
  return lines.length > 0 && lines.every(isCommon) && !moved;
}

function sooner(before: NewJob, job: NewJob): NewJob {
  return {
    ...job,
    priority: Math.min(before.priority, job.priority),
    dueAtMs: Math.min(before.dueAtMs, job.dueAtMs),
  };
}

/** The job of a timer. */
export function timerKey(key: TimerKey): string {
  return `timer/${key}`;
}

function jobOf(service: string, effect: Exclude<Effect, { kind: 'cancel_timer' }>, nowMs: number): NewJob {
  const job = { service, effect, dueAtMs: nowMs, createdAtMs: nowMs, merge: false, lane: null, key: null };
  switch (effect.kind) {
    case 'shift':
      return { ...job, key: SHIFT_JOB, lane: `shift/${service}`, priority: priorities.shift };
    case 'timer':
      return { ...job, key: timerKey(effect.key), dueAtMs: effect.atMs, priority: priorities.timer };
    case 'measure':
      return { ...job, key: 'measure', priority: priorities.measure };
    case 'probe':
      return { ...job, key: 'probe', priority: priorities.measure };
    case 'silence':
      // One lane: it is never lifted before it was made.
      return { ...job, lane: `silence/${effect.degradationId}`, priority: priorities.silence };
    case 'page':
      return {
        ...job,
        key: `page/${effect.degradationId}/${effect.action}`,
        lane: `page/${effect.degradationId}`,
        priority: priorities.page,
      };
    case 'card':
      return {
        ...job,
        key: `card/${effect.card.id}`,
        lane: laneOf(effect.card),
        merge: true,
        dueAtMs: effect.urgent ? nowMs : nowMs + CARD_DEBOUNCE_MS,
        priority: effect.urgent ? priorities.urgentCard : priorities.card,
      };
    case 'say':
      return {
        ...job,
        // Found and taken back by it where newer ones are said together with it.
        key: effect.more ? `more/${effect.card.id}/${nowMs}` : null,
        lane: laneOf(effect.card),
        priority: priorities.say,
      };
    case 'report':
      return { ...job, key: `report/${effect.card.id}`, lane: laneOf(effect.card), priority: priorities.report };
  }
}
