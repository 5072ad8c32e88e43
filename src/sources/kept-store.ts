import { Ledger } from './ledger.ts';
import type { MetricTemplate } from './metric-templates.ts';
import { SettledArm } from './settled.ts';

/** What is kept of the arms of thousands of rollouts, and how much room it takes. */

/** Data that was filled in later than it should is seen then. */
const ANEW_MS = 600_000;
/** What was used within this time is not given up for something new: else, with more than fits, all would be read always. */
const IN_USE_MS = 120_000;

/** Of a rollout besides its arms, and of an arm besides its numbers: measured. */
const ROLLOUT_BYTES = 500;
const ARM_BYTES = 230;
const GHOST_BYTES = 600;

/** Whose arm, and when: each is kept once. */
export interface ArmName {
  readonly template: MetricTemplate;
  readonly role: 'stable' | 'past' | 'candidate';
  readonly version: string;
}

export interface KeptArm extends ArmName {
  /** Null: not read yet. `other`: it is none that can be counted on from. */
  settled: SettledArm | 'other' | null;
  readAtMs: number;
  /** It is being read: two who went on with one would count it twice. */
  isBusy: boolean;
}

/** What is kept of one service, read in windows of one length. */
export class Kept {
  readonly key: string;
  readonly arms: KeptArm[] = [];
  readonly ledger = new Ledger();
  /** What was counted of it for the bound. */
  bytes = 0;
  usedAtMs = 0;

  constructor(key: string) {
    this.key = key;
  }

  get weight(): number {
    let bytes = ROLLOUT_BYTES + this.ledger.bytes;
    for (const { settled } of this.arms) {
      bytes += ARM_BYTES;
      if (settled instanceof SettledArm) bytes += GHOST_BYTES * settled.ghosts.length + 8 * settled.gaps.length;
    }
    return bytes;
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

  /** The arm, with what is kept of it unless that was read too long ago. */
  arm(kept: Kept, { template, role, version }: ArmName): KeptArm {
    for (const arm of kept.arms) {
      if (arm.template !== template || arm.role !== role || arm.version !== version) continue;
      if (this.#isOld(arm)) forget(kept, arm);
      return arm;
    }
    this.#tidy(kept);
    const arm: KeptArm = { template, role, version, settled: null, readAtMs: this.#now(), isBusy: false };
    kept.arms.push(arm);
    return arm;
  }

  /** Of an arm that was read whole. */
  keep(kept: Kept, arm: KeptArm, settled: SettledArm | 'other'): void {
    forget(kept, arm);
    arm.settled = settled;
    arm.readAtMs = this.#now();
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
    this.#bytes += weight - kept.bytes;
    kept.bytes = weight;
    if (!this.#makeRoom(0)) this.#drop(kept);
  }

  #isOld({ settled, readAtMs, isBusy }: KeptArm): boolean {
    return !isBusy && settled !== null && Math.abs(this.#now() - readAtMs) >= ANEW_MS;
  }

  /** Arms nobody asks for any more: a version that has gone. */
  #tidy(kept: Kept): void {
    for (let i = kept.arms.length - 1; i >= 0; i -= 1) {
      const arm = kept.arms[i];
      if (arm === undefined || arm.isBusy || (arm.settled !== null && !this.#isOld(arm))) continue;
      forget(kept, arm);
      kept.arms.splice(i, 1);
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
    this.#bytes -= kept.bytes;
    this.#entries.delete(kept.key);
  }
}

function forget({ ledger }: Kept, arm: KeptArm): void {
  if (arm.settled instanceof SettledArm) ledger.close(arm.settled);
  arm.settled = null;
}
