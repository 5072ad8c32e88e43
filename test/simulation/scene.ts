import { Dice } from './dice.ts';
import type { Fault, Swarm } from './swarm.ts';
import { Time } from './time.ts';

const START = Date.parse('2026-11-21T03:00:00Z');
/** Lines of the log that a failing run shows. */
const LAST = 60;

/** A rule of product.md that did not hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** What every part of a run shares: the time, what goes wrong, what was counted, and what was broken. */
export class Scene {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly time = new Time(START);
  readonly faults = new Map<string, number>();
  /** Phases, events, effects and lines of the journal that were reached, and how often. */
  readonly reached = new Map<string, number>();
  readonly broken: string[] = [];
  /** False: nothing goes wrong any more, and nobody does anything. */
  stormy = true;
  readonly #log: string[] = [];
  readonly #tell: ((line: string) => void) | null;

  constructor(seed: number, swarm: Swarm, tell: ((line: string) => void) | null) {
    this.seed = seed;
    this.swarm = swarm;
    this.#tell = tell;
  }

  dice(key: string): Dice {
    return new Dice(this.seed, key);
  }

  strength(fault: Fault): number {
    return this.stormy ? this.swarm.strength[fault] : 0;
  }

  /** Whether this fault strikes now; at full strength with this probability. */
  hits(fault: Fault, probability: number, dice: Dice): boolean {
    if (!dice.chance(probability * this.strength(fault))) return false;
    this.struck(fault);
    return true;
  }

  struck(fault: Fault): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  reach(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1);
  }

  log(text: string): void {
    const line = `${new Date(this.time.nowMs).toISOString().slice(5, 23).replace('T', ' ')}  ${text}`;
    this.#tell?.(line);
    this.#log.push(line);
    if (this.#log.length > 4 * LAST) this.#log.splice(0, this.#log.length - LAST);
  }

  get lastLines(): readonly string[] {
    return this.#log.slice(-LAST);
  }

  /** A rule is broken: it is kept for the report, and the run ends at the next moment. */
  breaks(what: string): void {
    this.broken.push(what);
    this.log(`BROKEN: ${what}`);
  }
}
