import { createHash } from 'node:crypto';
import { z } from 'zod';
import { utcTime } from '../domain/words.ts';
import { PortError } from '../ports/failure.ts';
import { type HealthPart, healthKinds } from '../ports/health.ts';
import { bring, type Speaking } from '../runtime/performers/message.ts';
import { recoveredText } from './degraded.ts';
import { type Duty, soleDuty } from './duty.ts';
import { type HealthChange, keyOf } from './health.ts';
import type { OperatorsMemory } from './operators-memory.ts';

export interface OperatorsParts extends Speaking {
  /** Where operators are told. */
  readonly channel: string;
  /** Remembers over a restart what was told and has not ended. */
  readonly memory: OperatorsMemory;
  /** Which replica tells. */
  readonly duty?: Duty;
  /** What is seen here now, by key (`keyOf`): for what another replica told. */
  readonly seen?: (key: string) => HealthPart | null;
}

/** Tells operators in chat: one message an outage, brought to its end when it ends. */
export interface Operators {
  /** Trouble that was told before this process began, as it was then. */
  readonly known: readonly HealthPart[];
  changed(change: HealthChange): void;
  /** Says what is not said yet. Never throws: what cannot be said now is tried again at the next call. */
  deliver(signal: AbortSignal): Promise<void>;
}

/** Trouble that comes back within this time is the same outage: its message is brought up to date, and no new one sent. */
const sameOutageMs = 10 * 60_000;
/** A channel that refused (no such channel, not invited) is tried again this often. */
const refusedAgainMs = 5 * 60_000;
/** Told of in detail; the rest of a long list of problems is in the log. */
const longestText = 2_500;

const partSchema = z.object({
  part: z.enum(healthKinds),
  name: z.string(),
  ok: z.boolean(),
  sinceMs: z.number(),
  detail: z.string(),
  failures: z.number(),
});
const outageSchema = z.object({
  id: z.string(),
  part: partSchema,
  text: z.string(),
  beganMs: z.number(),
  /** Null: it lasts. */
  endedMs: z.number().nullable(),
  /** How often it came back. */
  returns: z.number(),
  /** It stands in the channel, whatever it says there. */
  told: z.boolean(),
});
type Outage = z.infer<typeof outageSchema>;
const fileSchema = z.array(outageSchema);

/** @throws where what was written of earlier outages cannot be read or is not ours. */
export async function createOperators(parts: OperatorsParts): Promise<Operators> {
  const outages = new Map((await remembered(parts.memory)).map((outage) => [keyOf(outage.part), outage]));
  const known = [...outages.values()].filter(({ endedMs }) => endedMs === null).map(({ part }) => part);
  return new Channel(parts, outages, known);
}

class Channel implements Operators {
  readonly known: readonly HealthPart[];
  readonly #parts: OperatorsParts;
  readonly #outages: Map<string, Outage>;
  /** Outages whose message does not say yet what it has to. */
  readonly #unsaid = new Set<string>();
  readonly #duty: Duty;
  #isOurs = false;
  #notBeforeMs = 0;
  #problem = '';

  constructor(parts: OperatorsParts, outages: Map<string, Outage>, known: readonly HealthPart[]) {
    this.#parts = parts;
    this.#duty = parts.duty ?? soleDuty;
    // Alone, nobody else can have told anything since it was read.
    this.#isOurs = parts.duty === undefined;
    this.#outages = outages;
    this.known = known;
    // What was found out just before the end may not have been said.
    for (const key of outages.keys()) this.#unsaid.add(key);
  }

  changed({ now, afterMs, text }: HealthChange): void {
    const key = keyOf(now);
    const before = this.#outages.get(key);
    const nowMs = this.#parts.clock.now();
    if (afterMs !== null) {
      if (before) this.#outages.set(key, { ...before, part: now, text, endedMs: nowMs });
    } else if (before && before.endedMs === null) {
      this.#outages.set(key, { ...before, part: now, text });
    } else if (before?.endedMs && nowMs - before.endedMs < sameOutageMs) {
      this.#outages.set(key, { ...before, part: now, text, endedMs: null, returns: before.returns + 1 });
    } else {
      const id = `outage/${createHash('sha256').update(`${key}/${now.sinceMs}`).digest('base64url').slice(0, 24)}`;
      this.#outages.set(key, { id, part: now, text, beganMs: now.sinceMs, endedMs: null, returns: 0, told: false });
    }
    this.#unsaid.add(key);
  }

  async deliver(signal: AbortSignal): Promise<void> {
    const { clock, telemetry, memory } = this.#parts;
    try {
      const wasOurs = this.#isOurs;
      this.#isOurs = await this.#duty.isOurs();
      if (!this.#isOurs) return;
      if (!wasOurs) this.#takeOver(await remembered(memory));
      const hadNews = this.#unsaid.size > 0;
      if (hadNews) await keep(memory, [...this.#outages.values()]);
      if (clock.now() >= this.#notBeforeMs && !this.#isSlackAway()) {
        for (const key of [...this.#unsaid]) await this.#say(key, signal);
      }
      this.#forgetOld();
      if (hadNews) await keep(memory, [...this.#outages.values()]);
      this.#problem = '';
    } catch (error) {
      if (error instanceof PortError && error.failure === 'permanent') this.#notBeforeMs = clock.now() + refusedAgainMs;
      const problem = error instanceof Error ? error.message : String(error);
      // Once for each kind of trouble; that Slack does not answer is told as that.
      const isNews = problem !== this.#problem && !(error instanceof PortError && error.failure !== 'permanent');
      if (isNews) telemetry.problem('operators', error);
      this.#problem = problem;
    }
  }

  async #say(key: string, signal: AbortSignal): Promise<void> {
    const outage = this.#outages.get(key);
    // What came and went while nothing could be said is old news, unless it is why.
    if (outage && (outage.told || outage.endedMs === null || outage.part.part === 'slack')) {
      const { channel } = this.#parts;
      const content = { kind: 'note' as const, text: textOf(outage) };
      await bring(this.#parts, { id: outage.id, channel, thread: null, content }, signal, this.#duty.stillOurs);
      const latest = this.#outages.get(key);
      if (latest?.id === outage.id) this.#outages.set(key, { ...latest, told: true });
      // It changed meanwhile: said at the next call.
      if (latest !== outage) return;
    }
    this.#unsaid.delete(key);
  }

  /** What another replica told before is gone on with: the same message, brought to what is seen here. */
  #takeOver(told: readonly Outage[]): void {
    const nowMs = this.#parts.clock.now();
    for (const theirs of told) {
      const key = keyOf(theirs.part);
      const ours = this.#outages.get(key);
      const seen = this.#parts.seen?.(key) ?? null;
      const { id, beganMs, told: isTold } = theirs;
      if (ours && (ours.endedMs === null || theirs.endedMs === null)) {
        const isBack = theirs.endedMs !== null && ours.beganMs - theirs.endedMs >= sameOutageMs;
        if (!isBack) this.#outages.set(key, { ...ours, id, beganMs, told: isTold });
      } else if (!ours && theirs.endedMs === null && seen?.ok) {
        const text = recoveredText(seen, nowMs - beganMs);
        this.#outages.set(key, { ...theirs, part: seen, text, endedMs: nowMs });
      } else if (!ours) this.#outages.set(key, theirs);
      this.#unsaid.add(key);
    }
  }

  /** That Slack does not answer cannot be said in Slack: it is said when it is back. */
  #isSlackAway(): boolean {
    return [...this.#outages.values()].some(({ part, endedMs }) => part.part === 'slack' && endedMs === null);
  }

  #forgetOld(): void {
    const nowMs = this.#parts.clock.now();
    for (const [key, { endedMs }] of this.#outages) {
      if (endedMs !== null && nowMs - endedMs >= sameOutageMs && !this.#unsaid.has(key)) this.#outages.delete(key);
    }
  }
}

function textOf({ text, beganMs, endedMs, returns }: Outage): string {
  const emoji = endedMs === null ? '⚠️' : '✅';
  const times = returns === 1 ? 'once' : `${returns} times`;
  const again = returns === 0 ? '' : `\nIt has come back ${times} since ${utcTime(beganMs)}.`;
  return `${emoji} ${text.length > longestText ? `${text.slice(0, longestText)}…` : text}${again}`;
}

async function remembered(memory: OperatorsMemory): Promise<readonly Outage[]> {
  const text = await memory.read();
  if (text === null) return [];
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${memory.name} is not what was written there: delete it, nothing but what operators were told is in it.`,
      { cause: error },
    );
  }
}

function keep(memory: OperatorsMemory, outages: readonly Outage[]): Promise<void> {
  return memory.write(`${JSON.stringify(outages)}\n`);
}
