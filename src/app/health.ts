import { withinLimit } from '../application/limit.ts';
import type { Clock } from '../ports/clock.ts';
import { type DegradedMode, type Health, type HealthKind, type HealthPart, healthKinds } from '../ports/health.ts';
import { degradedModes, recoveredText } from './degraded.ts';

/** What a look at something showed. `sure`: no second look is needed to believe it. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
  readonly sure?: boolean;
}

/** Something to look at again and again. */
export interface Check {
  readonly part: HealthKind;
  /** Distinct within its part, the same from look to look, without credentials. */
  readonly name: string;
  /** Not more often than this; absent: at every round. */
  readonly everyMs?: number | undefined;
  /** Null: not now, what was seen last stays. Whatever it throws is a failure. */
  look(signal: AbortSignal): Promise<Finding | null>;
}

/** A part that was well is no more, or is again. */
export interface HealthChange {
  readonly now: HealthPart;
  /** How long the trouble lasted that is over; null: it begins. */
  readonly afterMs: number | null;
  /** What it means, as `now.ok` is. */
  readonly text: string;
}

export interface HealthParts {
  /** Asked for at every round: policies come and go. */
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
/** So many failures in a row are trouble; one success ends it. */
const failuresToBelieve = 2;

/** Looks at everything Lastgood leans on in the background, and remembers what it saw. */
export function createHealth(parts: HealthParts): HealthMonitor {
  return new Monitor(parts);
}

/** What is known of a part after one more look. A part never seen before counts as well until it has failed twice. */
export function afterLook(
  before: HealthPart | null,
  check: Pick<Check, 'part' | 'name'>,
  found: Finding,
  nowMs: number,
): HealthPart {
  const { part, name } = check;
  const { detail } = found;
  if (found.ok) {
    const sinceMs = before?.ok ? before.sinceMs : nowMs;
    return { part, name, ok: true, sinceMs, detail, failures: 0 };
  }
  const failures = (before?.failures ?? 0) + 1;
  if (before && !before.ok) return { ...before, detail, failures };
  if (found.sure || failures >= failuresToBelieve) return { part, name, ok: false, sinceMs: nowMs, detail, failures };
  return {
    part,
    name,
    ok: true,
    sinceMs: before?.sinceMs ?? nowMs,
    detail: `failed once, looked at again: ${detail}`,
    failures,
  };
}

class Monitor implements HealthMonitor {
  readonly #parts: HealthParts;
  readonly #seen = new Map<string, HealthPart>();
  /** When the first of the present failures came. */
  readonly #failingSinceMs = new Map<string, number>();
  readonly #lookedAtMs = new Map<string, number>();
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #round: Promise<void> | null = null;
  /** The looks that only come from time to time, as long as there are any to take. */
  #seldom: Promise<void> | null = null;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    for (const part of parts.known ?? []) this.#seen.set(keyOf(part), part);
  }

  parts(): readonly HealthPart[] {
    return [...this.#seen.values()].sort(
      (a, b) => healthKinds.indexOf(a.part) - healthKinds.indexOf(b.part) || (a.name < b.name ? -1 : 1),
    );
  }

  degraded(): readonly DegradedMode[] {
    return degradedModes(this.parts());
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
      const inDoubt = [...this.#seen.values()].some(({ ok, failures }) => ok && failures > 0);
      await clock.sleepUntil(clock.now() + (inDoubt ? Math.min(everyMs, inDoubtMs) : everyMs), signal);
    }
  }

  async #look(): Promise<void> {
    const checks = this.#parts.checks();
    const keys = new Set(checks.map(keyOf));
    for (const key of this.#seen.keys()) if (!keys.has(key)) this.#forget(key);
    const due = checks.filter((check) => this.#isDue(check));
    const often = due.filter(({ everyMs }) => everyMs === undefined);
    this.#seldom ??= this.#lookAtSome(due.filter(({ everyMs }) => everyMs !== undefined))
      .catch(this.#parts.onProblem)
      .finally(() => {
        this.#seldom = null;
      });
    await Promise.all([this.#lookAtMany(often), this.#patiently(this.#seldom)]);
    if (!this.#ending.signal.aborted) await this.#parts.onRound?.(this.#ending.signal);
  }

  /** Those in doubt first, then what was not looked at for longest; a second's share at a time. */
  async #lookAtSome(checks: readonly Check[]): Promise<void> {
    const { clock } = this.#parts;
    const lastMs = (check: Check) => {
      const seen = this.#seen.get(keyOf(check));
      const isInDoubt = seen?.ok === true && seen.failures > 0;
      return isInDoubt ? Number.NEGATIVE_INFINITY : (this.#lookedAtMs.get(keyOf(check)) ?? 0);
    };
    const some = checks
      .map((check) => ({ check, lastMs: lastMs(check) }))
      .sort((a, b) => (a.lastMs < b.lastMs ? -1 : Number(a.lastMs > b.lastMs)))
      .slice(0, seldomInRound)
      .map(({ check }) => check);
    for (let from = 0; from < some.length; from += seldomASecond) {
      const nextMs = clock.now() + 1_000;
      await this.#lookAtMany(some.slice(from, from + seldomASecond));
      if (from + seldomASecond < some.length) await clock.sleepUntil(nextMs, this.#ending.signal);
    }
  }

  async #lookAtMany(checks: readonly Check[]): Promise<void> {
    const left = checks.values();
    const lookOn = async () => {
      for (const check of left) {
        if (this.#ending.signal.aborted) return;
        await this.#lookAt(check);
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

  /** What failed once is looked at again whatever its interval. */
  #isDue(check: Check): boolean {
    const key = keyOf(check);
    const seen = this.#seen.get(key);
    const atMs = this.#lookedAtMs.get(key);
    if (atMs === undefined || check.everyMs === undefined || (seen?.ok && seen.failures > 0)) return true;
    return this.#parts.clock.now() - atMs >= check.everyMs;
  }

  async #lookAt(check: Check): Promise<void> {
    const key = keyOf(check);
    const { signal } = this.#ending;
    this.#lookedAtMs.set(key, this.#parts.clock.now());
    let found: Finding | null;
    try {
      found = await withinLimit(lookLimitMs, `The check of ${check.part} ${check.name}`, (s) => check.look(s), signal);
    } catch (error) {
      found = { ok: false, detail: error instanceof Error ? error.message : String(error) };
    }
    // A look cut off by our own stop says nothing.
    if (found === null || signal.aborted) return;
    this.#note(key, check, found);
  }

  #note(key: string, check: Check, found: Finding): void {
    const nowMs = this.#parts.clock.now();
    const before = this.#seen.get(key) ?? null;
    if (found.ok) this.#failingSinceMs.delete(key);
    else if (!this.#failingSinceMs.has(key)) this.#failingSinceMs.set(key, nowMs);
    const next = afterLook(before, check, found, nowMs);
    const isNewTrouble = !next.ok && before?.ok !== false;
    const now = isNewTrouble ? { ...next, sinceMs: this.#failingSinceMs.get(key) ?? nowMs } : next;
    this.#seen.set(key, now);
    // What is wrong with the policies is told anew when it is something else.
    const isOther = now.part === 'policies' && !now.ok && before?.ok === false && before.detail !== now.detail;
    if (isNewTrouble || isOther) this.#tell(now, null);
    else if (now.ok && before && !before.ok) this.#tell(now, nowMs - before.sinceMs);
  }

  #tell(now: HealthPart, afterMs: number | null): void {
    const [mode] = degradedModes([now]);
    this.#parts.onChange({ now, afterMs, text: mode?.text ?? recoveredText(now, afterMs ?? 0) });
  }

  #forget(key: string): void {
    const gone = this.#seen.get(key);
    this.#seen.delete(key);
    this.#failingSinceMs.delete(key);
    this.#lookedAtMs.delete(key);
    if (!gone || gone.ok) return;
    const nowMs = this.#parts.clock.now();
    const now: HealthPart = { ...gone, ok: true, sinceMs: nowMs, detail: 'no policy needs it any more', failures: 0 };
    this.#tell(now, nowMs - gone.sinceMs);
  }
}

export function keyOf({ part, name }: { readonly part: HealthKind; readonly name: string }): string {
  return `${part}/${name}`;
}
