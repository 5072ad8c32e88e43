import type { CardRef, Effect, JournalEntry, JournalKind, Position, Refusal } from './effect.ts';
import { journalNumbers } from './effect.ts';
import type { Policy } from './policy.ts';
import type { Actor, Degradation, DegradationStage, Phase, Rollout, ServiceState, TimerKey } from './state.ts';

/** Ends a turn: nothing of it happens. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: Refusal['code'], text: string) {
    super(text);
    this.refusal = { code, text };
  }
}

/** Also ends a turn, for what is old news rather than somebody's mistake. */
export class Ignored extends Error {}

/**
 * One event being decided: the state as it becomes, and what is to be done. Lives within one call of `decide`, so the core stays a
 * function of its arguments; the phases' files change it through the few verbs here.
 */
export class Turn {
  state: ServiceState;
  readonly now: number;
  readonly policy: Policy;
  readonly effects: Effect[] = [];
  readonly journal: JournalEntry[] = [];
  reply = '';

  constructor(state: ServiceState, now: number, policy: Policy) {
    this.state = { ...state, clockMs: now };
    this.now = now;
    this.policy = policy;
  }

  /** The default action's actor (rule 12). */
  get automation(): Actor {
    const id = `${this.policy.service}@${this.policy.revision}`;
    const { commit } = this.policy;
    return { kind: 'policy', id, name: commit === null ? id : `${id}, commit ${commit}` };
  }

  /** Why automation only says what it would have done; null: it acts. */
  get quiet(): string | null {
    if (this.state.automationOff) return 'automation is off';
    return this.policy.mode === 'observe' ? 'the policy only observes' : null;
  }

  /** Under way, watched, deciding, …: not ended. */
  get rollout(): Rollout | null {
    return this.state.rollout && !isEnded(this.state.rollout.phase) ? this.state.rollout : null;
  }

  /** The open question. */
  get question(): Degradation | null {
    return this.state.degradation && this.state.degradation.stage.name !== 'ended' ? this.state.degradation : null;
  }

  get firing() {
    return this.state.alerts.filter((a) => a.status === 'firing');
  }

  set(patch: Partial<ServiceState>): void {
    this.state = { ...this.state, ...patch };
  }

  number(): number {
    this.set({ sequence: this.state.sequence + 1 });
    return this.state.sequence;
  }

  /** The next name of a rollout (`r`) or a degradation (`d`). */
  name(kind: 'rollouts' | 'degradations'): string {
    const counts = { ...this.state.counts, [kind]: this.state.counts[kind] + 1 };
    this.set({ counts });
    return `${this.state.service}-${kind[0]}${counts[kind]}`;
  }

  setRollout(patch: Partial<Rollout>): void {
    if (!this.state.rollout) throw new Error(`${this.state.service} has no rollout to change`);
    this.set({ rollout: { ...this.state.rollout, ...patch } });
  }

  /** A new phase is a new thing to decide about: older buttons are stale, votes fall. */
  enter(phase: Phase): void {
    const rollout = this.state.rollout;
    if (!rollout) throw new Error(`${this.state.service} has no rollout to move to ${phase.name}`);
    // A readiness check is of interest only as long as it warms up.
    if (phase.name !== 'advancing' || phase.stage !== 'warming') this.cancel('probe');
    this.setRollout({ phase, epoch: rollout.epoch + 1, votes: [] });
  }

  setQuestion(patch: Partial<Degradation>): void {
    if (!this.state.degradation) throw new Error(`${this.state.service} has no degradation to change`);
    this.set({ degradation: { ...this.state.degradation, ...patch } });
  }

  /** `anew`: what people can decide changed with it, so buttons drawn before are stale. */
  stage(stage: DegradationStage, anew = false): void {
    const epoch = this.state.degradation?.epoch ?? 0;
    this.setQuestion({ stage, epoch: anew ? epoch + 1 : epoch });
  }

  timer(key: TimerKey, atMs: number): void {
    const epoch = this.number();
    this.set({ timers: { ...this.state.timers, [key]: { atMs, epoch } } });
    this.effects.push({ kind: 'timer', key, atMs, epoch });
  }

  cancel(...keys: TimerKey[]): void {
    for (const key of keys) {
      // Looking no more: an answer still on its way is of no interest.
      if (key === 'look') this.set({ look: null });
      if (key === 'probe') this.set({ probe: null });
      if (!this.state.timers[key]) continue;
      const { [key]: _, ...timers } = this.state.timers;
      this.set({ timers });
      this.effects.push({ kind: 'cancel_timer', key });
    }
  }

  /** Where the thread is: the open question's card, else the rollout's. */
  get thread(): CardRef | null {
    const degradation = this.state.degradation;
    if (degradation && (degradation.stage.name !== 'ended' || degradation.stage.atMs === this.now))
      return { kind: 'degradation', id: degradation.id };
    return this.state.rollout ? { kind: 'rollout', id: this.state.rollout.id } : null;
  }

  /** Into the journal and into the thread. */
  tell(
    what: JournalKind,
    actor: Actor,
    text: string,
    more: Partial<Pick<JournalEntry, 'from' | 'to' | 'reason'>> = {},
  ): void {
    const entry = this.note(what, actor, text, more);
    const card = this.thread;
    if (card) this.effects.push({ kind: 'say', card, entry });
  }

  /** Into the journal only. */
  note(
    what: JournalKind,
    actor: Actor,
    text: string,
    more: Partial<Pick<JournalEntry, 'from' | 'to' | 'reason'>> = {},
  ): JournalEntry {
    const seen = this.question?.comparison ?? this.rollout?.comparison ?? null;
    const numbers = journalNumbers(seen);
    const isOlder = seen !== null && numbers.length > 0 && seen.atMs < this.now;
    const entry: JournalEntry = {
      atMs: this.now,
      actor,
      what,
      rolloutId: this.state.rollout?.id ?? null,
      degradationId: this.question?.id ?? (this.thread?.kind === 'degradation' ? this.thread.id : null),
      from: more.from ?? null,
      to: more.to ?? null,
      reason: more.reason ?? '',
      text,
      numbers,
      ...(isOlder ? { numbersAtMs: seen.atMs } : {}),
      policyRevision: this.policy.revision,
      ...(this.policy.commit === null ? {} : { policyCommit: this.policy.commit }),
    };
    this.journal.push(entry);
    return entry;
  }

  /** Where traffic is now, for the journal. */
  get position(): Position | null {
    const rollout = this.state.rollout;
    return rollout && { version: rollout.candidate.id, exposurePercent: rollout.exposurePercent };
  }

  refuse(code: Refusal['code'], text: string): never {
    throw new Refused(code, text);
  }
}

export function isEnded(phase: Phase): phase is Extract<Phase, { name: 'succeeded' | 'rolled_back' | 'cancelled' }> {
  return phase.name === 'succeeded' || phase.name === 'rolled_back' || phase.name === 'cancelled';
}

/** A rollout that has not ended, or a question that is open: what keeps a service's policy in force where its file is gone. */
export function isUnderWay({ rollout, degradation }: Pick<ServiceState, 'rollout' | 'degradation'>): boolean {
  return (rollout !== null && !isEnded(rollout.phase)) || (degradation !== null && degradation.stage.name !== 'ended');
}
