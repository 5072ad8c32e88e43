import type { Role } from './heads.ts';
import type { GridSeries } from './increase.ts';
import { Ledger } from './ledger.ts';
import type { MetricTemplate } from './metric-templates.ts';

/** What is kept of the arms of thousands of rollouts, and how much room it takes. */

/** Data that was filled in later than it should is seen then. */
const ANEW_MS = 600_000;
/** What was used within this time is not given up for something new: else, with more than fits, all would be read always. */
const IN_USE_MS = 120_000;

/** Of a rollout besides its ledger, and of what only few arms have: measured. */
const ROLLOUT_BYTES = 500;
const RARE_BYTES = 400;
const GHOST_BYTES = 600;
const NONE: readonly never[] = [];

/** Whose arm, and when: each is kept once. */
export interface ArmName {
  readonly template: MetricTemplate;
  readonly role: Role;
  readonly version: string;
}

/** A series that was there and is gone: if it comes back it is counted on from here. */
export interface Ghost {
  readonly labels: GridSeries['labels'];
  readonly value: number;
  /** Of the metric's selectors the one that found it. */
  readonly selector: number;
}

/** What only few arms have. */
interface Rare {
  readonly ghosts: readonly Ghost[];
  /** Points at which a series was missing that had been there: a stretch that began there would not know of it. */
  readonly gaps: readonly number[];
}

/** What is kept of one service, read in windows of one length. */
export class Kept extends Ledger {
  readonly key: string;
  /** What was counted of it for the bound. */
  counted = 0;
  usedAtMs = 0;
  /** Of its arms, by their numbers. */
  #versions: readonly string[] = NONE;
  #rare: Map<number, Rare> | null = null;
  /** Which arm was asked for last. */
  #found = 0;

  constructor(key: string) {
    super();
    this.key = key;
  }

  get weight(): number {
    let bytes = ROLLOUT_BYTES + this.bytes;
    for (const { ghosts, gaps } of this.#rare?.values() ?? NONE) {
      bytes += RARE_BYTES + GHOST_BYTES * ghosts.length + 8 * gaps.length;
    }
    return bytes;
  }

  /** Its number; -1: there is none. */
  find({ template, version, role }: ArmName): number {
    const owner = { template: template.number, version: this.#versions.indexOf(version), role };
    if (owner.version < 0) return -1;
    // Looks ask for all arms in the same order.
    for (let k = 1; k <= this.arms; k += 1) {
      const arm = (this.#found + k) % this.arms;
      if (!this.isOf(arm, owner)) continue;
      this.#found = arm;
      return arm;
    }
    return -1;
  }

  begin({ template, version, role }: ArmName, nowMs: number): number {
    return this.add({ template: template.number, version: this.#numberFor(version), role }, nowMs);
  }

  ghosts(arm: number): readonly Ghost[] {
    return this.#rare?.get(arm)?.ghosts ?? NONE;
  }

  gaps(arm: number): readonly number[] {
    return this.#rare?.get(arm)?.gaps ?? NONE;
  }

  noteGhosts(arm: number, ghosts: readonly Ghost[]): void {
    this.#noteRare(arm, { ghosts, gaps: this.gaps(arm) });
  }

  noteGaps(arm: number, gaps: readonly number[]): void {
    this.#noteRare(arm, { ghosts: this.ghosts(arm), gaps });
  }

  /** What was read of the arm. */
  forget(arm: number): void {
    this.close(arm);
    this.#noteRare(arm, { ghosts: NONE, gaps: NONE });
  }

  #noteRare(arm: number, rare: Rare): void {
    if (rare.ghosts.length > 0 || rare.gaps.length > 0) {
      this.#rare ??= new Map();
      this.#rare.set(arm, rare);
    } else if (this.#rare?.delete(arm) === true && this.#rare.size === 0) this.#rare = null;
  }

  /** The one it has, that of a version no arm has any more, or a new one. */
  #numberFor(version: string): number {
    const known = this.#versions.indexOf(version);
    if (known >= 0) return known;
    const { length } = this.#versions;
    let number = 0;
    while (number < length && this.hasVersion(number)) number += 1;
    // A list that grows by itself has room for many.
    this.#versions = number < length ? this.#versions.with(number, version) : this.#versions.concat(version);
    return number;
  }
}

export class KeptStore {
  readonly #now: () => number;
  readonly #mostBytes: number;
  /** Used longest ago first. */
  readonly #entries = new Map<string, Kept>();
  #bytes = 0;

  constructor(now: () => number, mostBytes: number) {
    this.#now = now;
    this.#mostBytes = mostBytes;
  }

  /** What is kept of a service, if only to be filled. */
  of(service: string, windowMs: number): Kept {
    const key = `${windowMs} ${service}`;
    const known = this.#entries.get(key);
    const kept = known ?? new Kept(key);
    kept.usedAtMs = this.#now();
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
    } else if (this.#makeRoom(ROLLOUT_BYTES)) {
      this.#entries.set(key, kept);
      this.weigh(kept);
    }
    return kept;
  }

  /** The arm's number, with what is kept of it unless that was read too long ago. */
  arm(kept: Kept, name: ArmName): number {
    const known = kept.find(name);
    if (known < 0) {
      this.#tidy(kept);
      return kept.begin(name, this.#now());
    }
    if (this.#isOld(kept, known)) kept.forget(known);
    return known;
  }

  /** Of an arm that was read whole: what is kept of it, or that it is none that can be counted on from. */
  keep(kept: Kept, arm: number, state: 'settled' | 'other'): void {
    if (state === 'other') kept.forget(arm);
    kept.setState(arm, state, this.#now());
    this.weigh(kept);
  }

  /** Whether there was room for it. */
  isKept(kept: Kept): boolean {
    return this.#entries.get(kept.key) === kept;
  }

  /** It may have grown. */
  weigh(kept: Kept): void {
    if (!this.isKept(kept)) return;
    const { weight } = kept;
    this.#bytes += weight - kept.counted;
    kept.counted = weight;
    if (!this.#makeRoom(0)) this.#drop(kept);
  }

  #isOld(kept: Kept, arm: number): boolean {
    if (kept.is(arm, 'busy') || kept.state(arm) === 'unread') return false;
    return Math.abs(this.#now() - kept.readAtMs(arm)) >= ANEW_MS;
  }

  /** Arms nobody asks for any more: a version that has gone. */
  #tidy(kept: Kept): void {
    for (let arm = 0; arm < kept.arms; arm += 1) {
      if (kept.state(arm) === 'free' || kept.is(arm, 'busy')) continue;
      if (kept.state(arm) !== 'unread' && !this.#isOld(kept, arm)) continue;
      kept.forget(arm);
      kept.setState(arm, 'free', 0);
    }
  }

  /** Whether there is room for so many bytes more, once what nobody used for long is gone. */
  #makeRoom(more: number): boolean {
    // To find the oldest takes long where many were moved to the end.
    if (this.#bytes + more <= this.#mostBytes) return true;
    for (const kept of this.#entries.values()) {
      if (this.#bytes + more <= this.#mostBytes || this.#now() - kept.usedAtMs < IN_USE_MS) break;
      this.#drop(kept);
    }
    return this.#bytes + more <= this.#mostBytes;
  }

  #drop(kept: Kept): void {
    this.#bytes -= kept.counted;
    this.#entries.delete(kept.key);
  }
}
