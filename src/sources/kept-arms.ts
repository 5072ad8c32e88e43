import type { Asking } from './asking.ts';
import { type Counts, countsOf } from './counts.ts';
import { type Found, failed, messageOf } from './found.ts';
import type { GridSeries } from './increase.ts';
import { type ArmName, type Kept, KeptStore } from './kept-store.ts';
import type { Stretch } from './matrix.ts';
import type { MetricTemplate } from './metric-templates.ts';
import type { Query } from './named.ts';
import { requestsFor } from './prometheus-api.ts';
import type { Placeholders } from './promql.ts';
import { type ArmRead, absent, readArm } from './read-arm.ts';
import {
  type CountedMetric,
  isPlain,
  keepSettled,
  missingOf,
  type Part,
  readAsKept,
  readOf,
  readOn,
} from './settled.ts';
import type { Waiting } from './waiting.ts';
import { endsOf, type Windows } from './windows.ts';

/**
 * What was counted in windows that have settled is not asked for again; thousands of rollouts fit into what is kept so. What is read is
 * counted as soon as it is there: a second's looks wait together, and what each holds meanwhile is dear.
 */

/** A past that reaches back by a window more at each look is read for some looks ahead. */
const MORE_BACK = 16;
const NOTHING: never[] = [];

/** An arm of a look; null while it is waited for. */
export interface ReadingArm {
  readonly read: ArmRead | null;
}

export interface ArmQuestion {
  readonly template: MetricTemplate;
  readonly metric: CountedMetric;
  readonly role: ArmName['role'];
  readonly values: Placeholders;
  readonly windows: Windows;
}

/** Who asks. */
export interface ArmsAsker {
  readonly asking: Asking;
  readonly signal: AbortSignal;
  /** Told of what is asked for. */
  readonly waiting: Waiting;
}

/** The arms of one look. */
export interface ArmsOfLook {
  /** Asks for what is not kept of the arm. Null: it is none that is kept so, and has to be read in the ordinary way. */
  ask(question: ArmQuestion): ReadingArm | null;
}

export interface KeptArms {
  of(service: string, windowMs: number, asker: ArmsAsker): ArmsOfLook;
}

interface Keeping {
  readonly now: () => number;
  readonly store: KeptStore;
  readonly kept: Kept;
}

export function createKeptArms(now: () => number, mostBytes: number): KeptArms {
  const store = new KeptStore(now, mostBytes);
  return {
    of: (service, windowMs, asker) => {
      const keeping: Keeping = { now, store, kept: store.of(service, windowMs) };
      return {
        ask: (question) => {
          const { template, role, values } = question;
          const arm = store.arm(keeping.kept, { template, role, version: values.version });
          if (keeping.kept.is(arm, 'busy') || keeping.kept.state(arm) === 'other') return null;
          const reading = new Reading(keeping, asker, arm, question);
          return reading.begin() ? reading : null;
        },
      };
    },
  };
}

/** One arm of one look: what is asked for, and what it comes to. */
class Reading implements ReadingArm {
  read: ArmRead | null = null;
  readonly #keeping: Keeping;
  readonly #asker: ArmsAsker;
  /** Its number. */
  readonly #arm: number;
  readonly #question: ArmQuestion;
  #queries: readonly Query[] = NOTHING;
  /** What is asked for: all of these windows, or (null) what is behind those that are kept. */
  #whole: Windows | null = null;
  #stretch: Stretch;
  #askedAtMs = 0;
  /** By selector. */
  #found: Found[] = NOTHING;
  #missing = 0;

  constructor(keeping: Keeping, asker: ArmsAsker, arm: number, question: ArmQuestion) {
    this.#keeping = keeping;
    this.#asker = asker;
    this.#arm = arm;
    this.#question = question;
    this.#stretch = question.windows.stretch;
  }

  /** False: it is none that is kept so. */
  begin(): boolean {
    const { windows, template, values } = this.#question;
    const { kept } = this.#keeping;
    const isSettled = kept.state(this.#arm) === 'settled';
    const missing = isSettled ? missingOf(kept, this.#arm, windows) : 'all';
    if (missing === null) {
      this.read = readOf(kept, this.#arm, windows, null);
      return true;
    }
    try {
      const queries = template.queries(values);
      if (queries === null) return false;
      this.#queries = queries;
    } catch (error) {
      this.read = problem(error);
      return true;
    }
    kept.mark(this.#arm, 'busy', true);
    this.#asker.waiting.begin();
    if (missing !== 'all') this.#ask(missing);
    else this.#askWhole(isSettled && windows.stretch.startMs < kept.start(this.#arm) * windows.windowMs);
    return true;
  }

  #askWhole(reachesBack: boolean): void {
    const { windows } = this.#question;
    this.#whole = reachesBack ? reachingBack(windows) : windows;
    this.#ask(this.#whole.stretch);
  }

  #ask(stretch: Stretch): void {
    const { asking, signal } = this.#asker;
    const { labelDelayMs } = this.#question.metric;
    const isOne = requestsFor(stretch) === 1;
    this.#stretch = stretch;
    this.#askedAtMs = this.#keeping.now();
    this.#missing = this.#queries.length;
    this.#found = new Array<Found>(this.#queries.length);
    for (let k = 0; k < this.#queries.length; k += 1) {
      const query = this.#queries[k] ?? '';
      const take = (found: Found) => this.#take(k, found);
      if (typeof query !== 'string' && isOne) asking.tell(query, stretch, signal, take);
      else asking.ask(query, stretch, signal, labelDelayMs, 'once').then(take, (error) => take(failed(error)));
    }
  }

  #take(selector: number, found: Found): void {
    this.#found[selector] = found;
    this.#missing -= 1;
    if (this.#missing > 0) return;
    try {
      this.#count();
    } catch (error) {
      this.#end(problem(error));
    }
  }

  #count(): void {
    const found = new Array<readonly GridSeries[]>(this.#found.length);
    for (let k = 0; k < this.#found.length; k += 1) {
      const one = this.#found[k];
      if (one === undefined) continue;
      if (!one.ok) {
        this.#end(absent(one.problem));
        return;
      }
      found[k] = one.value;
    }
    const asked = { atMs: this.#askedAtMs, lateMs: this.#question.metric.labelDelayMs ?? 0 };
    const part: Part = { stretch: this.#stretch, found, asked };
    const read = this.#whole === null ? this.#countOn(part) : this.#countWhole(part, this.#whole);
    if (read !== null) this.#end(read);
    else this.#askWhole(false);
  }

  /** Null: it does not fit what is kept. */
  #countOn(part: Part): ArmRead | null {
    const { store, kept } = this.#keeping;
    const { metric, windows } = this.#question;
    const read = readOn(kept, this.#arm, metric, windows, part);
    if (read !== null) store.weigh(kept);
    return read;
  }

  /** Null: more than these windows were read, to no avail. */
  #countWhole(part: Part, whole: Windows): ArmRead | null {
    const { metric, windows } = this.#question;
    const { kept } = this.#keeping;
    const isCountable = isPlain(part.found);
    const counts = isCountable
      ? countsOf(metric.source, part.found, whole.count, whole.windowMs)
      : 'not to be counted on';
    const isSettled = this.#keep(part, counts);
    if (whole !== windows) {
      const isThere = isSettled && missingOf(kept, this.#arm, windows) === null;
      return isThere ? readOf(kept, this.#arm, windows, null) : null;
    }
    if (isSettled && typeof counts !== 'string') return readAsKept(kept, this.#arm, windows, counts);
    return readArm(metric, part.found, endsOf(windows), windows.windowMs);
  }

  /** Keeps what has settled, if anything, and if there is room. */
  #keep(part: Part, counts: Counts | string): boolean {
    const { store, kept } = this.#keeping;
    if (!store.isKept(kept)) return false;
    if (typeof counts === 'string') {
      store.keep(kept, this.#arm, 'other');
      return false;
    }
    const isSettled = keepSettled(kept, this.#arm, this.#question.metric, part, counts);
    if (isSettled) store.keep(kept, this.#arm, 'settled');
    return isSettled;
  }

  #end(read: ArmRead): void {
    this.read = read;
    this.#found = NOTHING;
    this.#queries = NOTHING;
    this.#keeping.kept.mark(this.#arm, 'busy', false);
    this.#asker.waiting.end();
  }
}

/** A placeholder that cannot be written where it stands, or a selector the policy leaves out. */
function problem(error: unknown): ArmRead {
  return absent(messageOf(error));
}

function reachingBack({ stretch, windowMs, firstEndMs, count }: Windows): Windows {
  return {
    windowMs,
    firstEndMs: firstEndMs - MORE_BACK * windowMs,
    count: count + MORE_BACK,
    stretch: { ...stretch, startMs: stretch.startMs - MORE_BACK * windowMs },
  };
}
