import { withinLimit } from '../application/limit.ts';
import type { Clock } from '../ports/clock.ts';
import { type DegradedMode, type Health, type HealthKind, type HealthPart, healthKinds } from '../ports/health.ts';
import { degradedModes, recoveredText } from './degraded.ts';
import { HealthMemory } from './health-memory.ts';

/** What a look at something showed. `sure`: no second look is needed to believe it. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
  readonly sure?: boolean;
}

/** Everything of one kind there is to look at again and again: one of these a kind, however many there are of it. */
interface Looked {
  readonly part: HealthKind;
  /** Distinct, the same from look to look, without credentials. The same list as long as they are the same. */
  readonly names: readonly string[];
}

/** Something has to be asked. */
export interface Asking extends Looked {
  /** Not more often than this; absent: at every round. */
  readonly everyMs?: number | undefined;
  /** Null: not now, what was seen last stays. Whatever it throws is a failure. */
  look(name: string, signal: AbortSignal): Promise<Finding | null>;
}

/** It is known here already, at every round. */
export interface Recalling extends Looked {
  /** As `look`, at once. */
  recall(name: string): Finding | null;
}

export type Check = Asking | Recalling;

/** A part that was well is no more, or is again. */
export interface HealthChange {
  readonly now: HealthPart;
  /** How long the trouble lasted that is over; null: it begins. */
  readonly afterMs: number | null;
  /** What it means, as `now.ok` is. */
  readonly text: string;
}

export interface HealthParts {
  /** Asked for at every round: policies come and go. At most one a kind. */
  readonly checks: () => readonly Check[];
  readonly clock: Clock;
  /** Trouble that was known when this process began: it is not told again, and its end is. */
  readonly known?: readonly HealthPart[];
  readonly onChange: (change: HealthChange) => void;
  /** A mistake of ours: the next round goes on. */
  readonly onProblem: (error: unknown) => void;
  /** After every round, whatever it showed. Never throws. */
  readonly onRound?: (signal: AbortSignal) => Promise<void>;
  readonly everyMs?: number | undefined;
}

export interface HealthMonitor extends Health {
  /** As `parts`, one after the other: for who goes through thousands of them and needs no list. */
  each(): Iterable<HealthPart>;
  start(): void;
  /** One round now; for those who cannot wait. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

const everyRoundMs = 15_000;
/** One failure alone may be chance: it is looked at again this soon. */
const inDoubtMs = 5_000;
/** Above the limits that the checks have of their own. */
const lookLimitMs = 10_000;
/** A round is over then, whatever is still being looked at. */
const roundLimitMs = lookLimitMs + 1_000;
/** Thousands at the same time would keep everything else waiting. */
const looksAtOnce = 32;
/**
 * Of those that are looked at only from time to time: what is seen there is news within minutes also where there are thousands, and
 * looking takes a few per cent of a core at most. So 1,500 are looked at every minute, 10,000 about every seven.
 */
const seldomInRound = 375;
const seldomASecond = 32;
/** Of kinds that nothing is needed of now. */
const none: readonly string[] = [];

/** Looks at everything Lastgood leans on in the background, and remembers what it saw. */
export function createHealth(parts: HealthParts): HealthMonitor {
  return new Monitor(parts);
}

/** One look to be taken. */
interface Look {
  readonly check: Asking;
  readonly name: string;
  /** Where its name stands in the list of the check. */
  readonly place: number;
}

class Monitor implements HealthMonitor {
  readonly #parts: HealthParts;
  /** In the order in which people are told of them. */
  readonly #memories = new Map<HealthKind, HealthMemory>();
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #round: Promise<void> | null = null;
  /** The looks that only come from time to time, as long as there are any to take. */
  #seldom: Promise<void> | null = null;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    for (const kind of healthKinds) this.#memoryOf(kind);
  }

  parts(): readonly HealthPart[] {
    return [...this.each()];
  }

  *each(): Iterable<HealthPart> {
    for (const memory of this.#memories.values()) yield* memory.parts();
  }

  degraded(): readonly DegradedMode[] {
    return degradedModes([...this.#memories.values()].flatMap((memory) => memory.troubles()));
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await this.#seldom;
  }

  round(): Promise<void> {
    this.#round ??= this.#look().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async #run(): Promise<void> {
    const { clock, everyMs = everyRoundMs } = this.#parts;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.round().catch(this.#parts.onProblem);
      const inDoubt = [...this.#memories.values()].some((memory) => memory.hasDoubts());
      await clock.sleepUntil(clock.now() + (inDoubt ? Math.min(everyMs, inDoubtMs) : everyMs), signal);
    }
  }

  async #look(): Promise<void> {
    const checks = this.#parts.checks();
    this.#follow(checks);
    for (const check of checks) if ('recall' in check) this.#recall(check);
    const asking = checks.filter((check) => 'look' in check);
    const often = asking.filter(({ everyMs }) => everyMs === undefined);
    this.#seldom ??= this.#lookAtSome(this.#someOf(asking))
      .catch(this.#parts.onProblem)
      .finally(() => {
        this.#seldom = null;
      });
    await Promise.all([this.#lookAtMany(often.flatMap(looksOf)), this.#patiently(this.#seldom)]);
    if (!this.#ending.signal.aborted) await this.#parts.onRound?.(this.#ending.signal);
  }

  /** What no policy needs any more is forgotten, and its trouble over. */
  #follow(checks: readonly Check[]): void {
    for (const [kind, memory] of this.#memories) {
      const names = checks.find(({ part }) => part === kind)?.names ?? none;
      for (const gone of memory.follow(names)) if (!gone.ok) this.#tellGone(gone);
    }
  }

  /** Of those that are looked at from time to time: those in doubt first, then what was not looked at for longest. */
  #someOf(checks: readonly Asking[]): readonly Look[] {
    const nowMs = this.#parts.clock.now();
    return checks
      .flatMap((check) => {
        const { part, names, everyMs } = check;
        const due = everyMs === undefined ? [] : this.#memoryOf(part).due(everyMs, nowMs, seldomInRound);
        return due.map(({ place, lastMs }) => ({ check, name: names[place] ?? '', place, lastMs }));
      })
      .sort((a, b) => (a.lastMs < b.lastMs ? -1 : Number(a.lastMs > b.lastMs)))
      .slice(0, seldomInRound);
  }

  /** A second's share at a time. */
  async #lookAtSome(some: readonly Look[]): Promise<void> {
    const { clock } = this.#parts;
    for (let from = 0; from < some.length; from += seldomASecond) {
      const nextMs = clock.now() + 1_000;
      await this.#lookAtMany(some.slice(from, from + seldomASecond));
      if (from + seldomASecond < some.length) await clock.sleepUntil(nextMs, this.#ending.signal);
    }
  }

  async #lookAtMany(looks: readonly Look[]): Promise<void> {
    const left = looks.values();
    const lookOn = async () => {
      for (const look of left) {
        if (this.#ending.signal.aborted) return;
        await this.#lookAt(look);
      }
    };
    await Promise.all(Array.from({ length: looksAtOnce }, lookOn));
  }

  /** Waits not much longer than for a single look: what is looked at in each round must not wait for thousands that are slow. */
  async #patiently(looks: Promise<void>): Promise<void> {
    const isOver = new AbortController();
    const { clock } = this.#parts;
    const enough = clock.sleepUntil(clock.now() + roundLimitMs, AbortSignal.any([this.#ending.signal, isOver.signal]));
    await Promise.race([looks, enough]);
    isOver.abort();
  }

  async #lookAt({ check, name, place }: Look): Promise<void> {
    const memory = this.#memoryOf(check.part);
    const { signal } = this.#ending;
    if (!memory.begin(name, place, this.#parts.clock.now())) return;
    let found: Finding | null;
    try {
      const who = `The check of ${check.part} ${name}`;
      found = await withinLimit(lookLimitMs, who, (limited) => check.look(name, limited), signal);
    } catch (error) {
      found = failureOf(error);
    }
    // A look cut off by our own stop says nothing.
    if (found !== null && !signal.aborted) this.#note(memory, name, place, found);
  }

  #recall(check: Recalling): void {
    const memory = this.#memoryOf(check.part);
    for (const [place, name] of check.names.entries()) {
      let found: Finding | null;
      try {
        found = check.recall(name);
      } catch (error) {
        found = failureOf(error);
      }
      if (found !== null) this.#note(memory, name, place, found);
    }
  }

  #note(memory: HealthMemory, name: string, place: number, found: Finding): void {
    const nowMs = this.#parts.clock.now();
    const news = memory.note(name, place, found, nowMs);
    if (!news) return;
    const { before, now } = news;
    const isNewTrouble = !now.ok && before?.ok !== false;
    // What is wrong with the policies is told anew when it is something else.
    const isOther = now.part === 'policies' && !now.ok && before?.ok === false && before.detail !== now.detail;
    if (isNewTrouble || isOther) this.#tell(now, null);
    else if (now.ok && before && !before.ok) this.#tell(now, nowMs - before.sinceMs);
  }

  #tell(now: HealthPart, afterMs: number | null): void {
    const [mode] = degradedModes([now]);
    this.#parts.onChange({ now, afterMs, text: mode?.text ?? recoveredText(now, afterMs ?? 0) });
  }

  #tellGone(gone: HealthPart): void {
    const nowMs = this.#parts.clock.now();
    const now: HealthPart = { ...gone, ok: true, sinceMs: nowMs, detail: 'no policy needs it any more', failures: 0 };
    this.#tell(now, nowMs - gone.sinceMs);
  }

  #memoryOf(kind: HealthKind): HealthMemory {
    const present = this.#memories.get(kind);
    if (present) return present;
    const known = (this.#parts.known ?? []).filter(({ part }) => part === kind);
    const memory = new HealthMemory(kind, known);
    this.#memories.set(kind, memory);
    return memory;
  }
}

function looksOf(check: Asking): readonly Look[] {
  return check.names.map((name, place) => ({ check, name, place }));
}

function failureOf(error: unknown): Finding {
  return { ok: false, detail: error instanceof Error ? error.message : String(error) };
}

export function keyOf({ part, name }: { readonly part: HealthKind; readonly name: string }): string {
  return `${part}/${name}`;
}
