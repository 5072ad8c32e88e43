import { decide as domainDecide } from '../domain/decide.ts';
import type { Decision, Effect, JournalEntry } from '../domain/effect.ts';
import type { DomainEvent } from '../domain/event.ts';
import { initialState } from '../domain/initial.ts';
import type { Policy } from '../domain/policy.ts';
import type { ServiceState } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Clock } from '../ports/clock.ts';
import type { Place } from '../ports/place.ts';
import type { Job, Store, StoredState, Unit, WaitingLine } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Answer } from './api.ts';
import { lanesOfLines, MAX_LINES } from './floods.ts';
import { workOf } from './jobs.ts';

export type Decide = typeof domainDecide;

export interface SubmitParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Called after a commit that left something to do. */
  readonly wake: () => void;
  /** Room for what may begin with its own commit; null: there is none now, and it is claimed. Absent: always so. */
  readonly place?: () => Place | null;
  /** The decisions; the real ones unless a test is about something else. */
  readonly decide?: Decide;
}

export interface Submission {
  readonly key: string;
  readonly event: DomainEvent;
  /** A key besides, kept also where the event is refused: see `CommandRequest.once`. */
  readonly once?: string | undefined;
  /** It is one of these accepted alerts, which are taken from there with it. */
  readonly accepted?: number;
  /** Another key for the event where the state says that the same words mean something new; null: they do not. */
  readonly anew?: (state: ServiceState, nowMs: number) => string | null;
}

/** The way of events into the state: event, decision, state, journal and jobs commit together, or none of them. */
export interface Submit {
  /** One event. A refused one leaves nothing behind, not even its key (but `once`): put right it can be sent again. */
  one(policy: Policy, submission: Submission): Promise<Answer>;
  /** Keeps the `once` of what was refused before it came to a decision. */
  spend(service: string, submission: Pick<Submission, 'once' | 'event'>): Promise<void>;
  /** Many of one service in one commit; answers which outcome each had, in order. */
  batch(policy: Policy, submissions: readonly Submission[]): Promise<readonly Outcome[]>;
  /** A job's outcome together with the job's end. False: the lease was lost, nothing is recorded. */
  record(policy: Policy, job: Job, event: DomainEvent): Promise<boolean>;
  /** What would be answered now, without doing it. */
  check(policy: Policy, event: DomainEvent): Promise<Answer>;
}

export type Outcome = Decision<ServiceState>['outcome'] | 'duplicate';

/** Ends a unit without a commit. */
class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

export function createSubmit(parts: SubmitParts): Submit {
  const { store, clock, telemetry, wake, place: placeOf = () => null, decide = domainDecide } = parts;
  const open = (policy: Policy, unit: Unit) => openTurn({ policy, unit, clock, decide });
  const tell = (policy: Policy, turn: Turn, beganMs: number, isBegun = false) => {
    const { service } = policy;
    const durationMs = clock.now() - beganMs;
    // Who has begun with it looks for the rest by himself.
    if (turn.effects.length > 0 && !isBegun) wake();
    // What is to be done goes ahead of what is written about it; a kill may take these lines with it, the journal has them.
    setImmediate(() => {
      for (const { event, outcome } of turn.taken)
        telemetry.decided({ service, event: event.type, outcome, durationMs });
      for (const entry of turn.journal) telemetry.journalled(service, entry);
      if (turn.ended) telemetry.rolloutEnded(service, turn.state());
    });
  };
  /** Keeps what `work` decides, in one commit with it, and sees to it that what there is to do about it begins. */
  async function commit<D extends Decided | null>(policy: Policy, work: (unit: Unit) => Promise<D>): Promise<D> {
    const beganMs = clock.now();
    const place = placeOf();
    const { decided, job } = await store
      .transaction(async (unit) => {
        const decided = await work(unit);
        return { decided, job: decided && (await decided.turn.keep(place)) };
      })
      .catch((error: unknown) => {
        place?.fill(null);
        throw error;
      });
    place?.fill(job);
    if (decided) tell(policy, decided.turn, beganMs, job !== null);
    return decided;
  }
  async function spend(service: string, { once: key, event }: Pick<Submission, 'once' | 'event'>): Promise<void> {
    if (key === undefined) return;
    await store.transaction((unit) => unit.insertEvent({ key, service, event, atMs: clock.now() }));
  }
  return {
    async one(policy, submission) {
      const beganMs = clock.now();
      let refused: { turn: Turn; answer: Answer } | null = null;
      try {
        const { answer } = await commit(policy, async (unit) => {
          const turn = await open(policy, unit);
          const answer = await turn.take(submission);
          if (!answer.ok) {
            refused = { turn, answer };
            throw new Abandoned();
          }
          return { turn, answer };
        });
        return answer;
      } catch (error) {
        // TypeScript does not see the assignment made inside the unit.
        const kept = refused as { turn: Turn; answer: Answer } | null;
        if (!(error instanceof Abandoned) || !kept) throw error;
        tell(policy, kept.turn, beganMs);
        await spend(policy.service, submission);
        return kept.answer;
      }
    },
    spend,
    async batch(policy, submissions) {
      const { turn } = await commit(policy, async (unit) => {
        const elsewhere = await settledElsewhere(unit, submissions);
        const turn = await open(policy, unit);
        for (const submission of submissions) await turn.take(submission, elsewhere.has(submission.accepted));
        return { turn };
      });
      return turn.taken.map(({ outcome }) => outcome);
    },
    async record(policy, job, event) {
      const recorded = await commit(policy, async (unit) => {
        if (!(await unit.complete(job.lease))) return null;
        const turn = await open(policy, unit);
        await turn.take({ key: `job/${job.id}`, event });
        return { turn };
      });
      return recorded !== null;
    },
    async check(policy, event) {
      const stored = await store.load(policy.service);
      const state = stored?.state ?? initialState(policy.service, clock.now());
      return answerOf(decide(state, event, { now: Math.max(state.clockMs, clock.now()), policy }));
    },
  };
}

/** Takes the accepted alerts from where they waited; answers those that another process has decided on meanwhile. */
async function settledElsewhere(
  unit: Unit,
  submissions: readonly Submission[],
): Promise<ReadonlySet<number | undefined>> {
  const ids = new Set(submissions.flatMap(({ accepted }) => accepted ?? []));
  if (ids.size === 0) return ids;
  const settled = await unit.settle([...ids]);
  return new Set([...ids].filter((id) => !settled.has(id)));
}

interface Decided {
  readonly turn: Turn;
}

interface Turn {
  readonly taken: { event: DomainEvent; outcome: Outcome }[];
  readonly effects: Effect[];
  readonly journal: JournalEntry[];
  /** The rollout ended in this turn. */
  readonly ended: boolean;
  state(): ServiceState;
  /** `isKnown`: it was decided on elsewhere. */
  take(submission: Submission, isKnown?: boolean): Promise<Answer>;
  /** Answers what of it was leased for this place. */
  keep(place: Place | null): Promise<Job | null>;
}

/** One or more decisions about a service inside one unit; `keep` writes what they came to. */
async function openTurn(parts: { policy: Policy; unit: Unit; clock: Clock; decide: Decide }): Promise<Turn> {
  const { policy, unit, clock, decide } = parts;
  const { service } = policy;
  const stored: StoredState | null = await unit.load(service);
  const before = stored?.state ?? initialState(service, clock.now());
  // Time never runs backwards for a service, whatever the machine's clock does.
  const now = Math.max(before.clockMs, clock.now());
  let state = before;
  const taken: Turn['taken'] = [];
  const effects: Effect[] = [];
  const journal: JournalEntry[] = [];
  const insert = (key: string, event: DomainEvent) =>
    unit.insertEvent({ key, service, event: withoutNumbers(event), atMs: now });
  const insertAnother = (anew: Submission['anew'], event: DomainEvent) => {
    const another = anew?.(state, now) ?? null;
    return another !== null && insert(another, event);
  };
  return {
    taken,
    effects,
    journal,
    get ended() {
      return hasEnded(before, state);
    },
    state: () => state,
    async take({ key, event, once = key, anew }, isKnown = false) {
      // First, or the key of a form that may still be put right would be used up by what is sent again.
      const isNew = !isKnown && (once === key || (await insert(once, event)));
      if (!isNew || !((await insert(key, event)) || (await insertAnother(anew, event)))) {
        taken.push({ event, outcome: 'duplicate' });
        return { ok: true, text: 'This was done already.', duplicate: true };
      }
      const decision = decide(state, event, { now, policy });
      taken.push({ event, outcome: decision.outcome });
      if (decision.outcome === 'accepted') {
        state = decision.state.clockMs < now ? { ...decision.state, clockMs: now } : decision.state;
        effects.push(...decision.effects);
        journal.push(...decision.journal);
      }
      return answerOf(decision);
    },
    async keep(place) {
      if (!taken.some(({ outcome }) => outcome === 'accepted')) return null;
      await unit.save(state, stored?.version ?? 0);
      await unit.append(service, journal);
      const waiting = new Map<string, readonly WaitingLine[]>();
      for (const lane of lanesOfLines(effects)) waiting.set(lane, await unit.waitingLines(lane, MAX_LINES));
      const work = workOf(service, effects, state.clockMs, waiting);
      for (const key of work.cancel) await unit.cancel(service, key);
      // A machine whose clock was set back is behind the service's time: what is due now must not wait until it has caught up.
      const aheadMs = Math.max(0, state.clockMs - clock.now());
      for (const { dueAtMs, createdAtMs, ...job } of work.enqueue)
        await unit.enqueue({ ...job, dueAtMs: dueAtMs - aheadMs, createdAtMs: createdAtMs - aheadMs });
      return place && unit.claim({ ...place.claim, nowMs: clock.now() });
    },
  };
}

/** Looks come every few seconds for days: their numbers are in the state and in the journal, not in every event as well. */
function withoutNumbers(event: DomainEvent): DomainEvent {
  return event.type === 'measured' ? { ...event, comparison: { ...event.comparison, metrics: [] } } : event;
}

function answerOf(decision: Decision<ServiceState>): Answer {
  switch (decision.outcome) {
    case 'accepted':
      return { ok: true, text: decision.reply, duplicate: false };
    case 'ignored':
      return { ok: true, text: decision.why, duplicate: false };
    case 'refused':
      return { ok: false, refusal: decision.refusal };
  }
}

function hasEnded(before: ServiceState, after: ServiceState): boolean {
  const rollout = after.rollout;
  if (!rollout || !isEnded(rollout.phase)) return false;
  return before.rollout?.id !== rollout.id || !isEnded(before.rollout.phase);
}
