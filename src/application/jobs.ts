import type { Effect } from '../domain/effect.ts';
import type { TimerKey } from '../domain/state.ts';
import type { NewJob } from '../ports/store.ts';

/**
 * Cards whose change nobody waits for are drawn this much later, so that a flood of alerts is one update.
 * Well within the second in which the comparison has to follow the alert.
 */
const CARD_DEBOUNCE_MS = 250;

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

/** More lines than this for one thread in one commit are a flood: Slack takes about one a second, and nobody reads them. */
const MAX_LINES = 10;

/** What a decision's effects come to in the job table: first what is taken back, then what is put in, in order. */
export interface Work {
  readonly cancel: readonly string[];
  readonly enqueue: readonly NewJob[];
}

/** Effects of one or more decisions of a service in a row; of those that replace each other only the last remains. */
export function workOf(service: string, effects: readonly Effect[], nowMs: number): Work {
  const cancel = new Set<string>();
  const enqueue = new Map<string, NewJob>();
  for (const effect of withoutFloods(effects)) {
    if (effect.kind === 'cancel_timer') {
      cancel.add(timerKey(effect.key));
      enqueue.delete(timerKey(effect.key));
      continue;
    }
    const job = jobOf(service, effect, nowMs);
    const name = job.key ?? `#${enqueue.size}`;
    const before = enqueue.get(name);
    enqueue.delete(name);
    enqueue.set(name, before && job.merge ? sooner(before, job) : job);
  }
  return { cancel: [...cancel], enqueue: [...enqueue.values()] };
}

/** Of a flood of lines the first are said, and that there are more: the journal and the history have them all. */
function withoutFloods(effects: readonly Effect[]): readonly Effect[] {
  const lines = new Map<string, number>();
  for (const effect of effects) {
    if (effect.kind === 'say') lines.set(effect.card.id, (lines.get(effect.card.id) ?? 0) + 1);
  }
  const said = new Map<string, number>();
  return effects.flatMap((effect): readonly Effect[] => {
    if (effect.kind !== 'say') return [effect];
    const all = lines.get(effect.card.id) ?? 0;
    const nth = (said.get(effect.card.id) ?? 0) + 1;
    said.set(effect.card.id, nth);
    if (all <= MAX_LINES || nth < MAX_LINES) return [effect];
    if (nth < all) return [];
    const text = `${all - MAX_LINES + 1} more like these at the same moment. The history has all of them.`;
    return [{ ...effect, entry: { ...effect.entry, text, reason: '', numbers: [] } }];
  });
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
        lane: `chat/${effect.card.id}`,
        merge: true,
        dueAtMs: effect.urgent ? nowMs : nowMs + CARD_DEBOUNCE_MS,
        priority: effect.urgent ? priorities.urgentCard : priorities.card,
      };
    case 'say':
      return { ...job, lane: `chat/${effect.card.id}`, priority: priorities.say };
    case 'report':
      return { ...job, key: `report/${effect.card.id}`, lane: `chat/${effect.card.id}`, priority: priorities.report };
  }
}
