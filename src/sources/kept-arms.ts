import type { Metric } from '../analysis/types.ts';
import type { Asking } from './asking.ts';
import type { GridSeries } from './increase.ts';
import type { Stretch } from './matrix.ts';
import type { Query } from './named.ts';
import { plainSelector } from './plain-selector.ts';
import { type ArmRead, absent, readArm } from './read-arm.ts';
import { selectorsOf } from './selectors.ts';
import {
  isCounted,
  missingOf,
  readAsKept,
  readOf,
  readOn,
  type SettledArm,
  settledOf,
  weightOfSettled,
} from './settled.ts';
import type { Windows } from './windows.ts';

/** What was counted in windows that have settled is not asked for again; thousands of rollouts fit into what is kept so. */

/** Data that was filled in later than it should is seen then. */
const ANEW_MS = 600_000;
/** What was used within this time is not given up for something new: else, with more than fits, all would be read always. */
const IN_USE_MS = 120_000;
/** A past that reaches back by a window more at each look is read for some looks ahead. */
const MORE_BACK = 16;
/** Templates of metrics that are told apart: more than all policies of one Prometheus have. */
const MOST_SOURCES = 10_000;

/** Whose arm, and when: each is kept once. */
export interface ArmName {
  readonly service: string;
  readonly version: string;
  readonly role: 'stable' | 'past' | 'candidate';
}

export interface ArmQuestion {
  readonly name: ArmName;
  readonly metric: Metric;
  readonly windows: Windows;
  /** Throws where a placeholder cannot be filled. */
  readonly fill: (template: string) => Query;
  readonly asking: Asking;
  readonly signal: AbortSignal;
}

export interface KeptArms {
  /**
   * Asks for what is not kept of the arm. Null: it is none that is kept so, and has to be read in the ordinary way. What it answers
   * must be called, once: windows are put together then, because those of hundreds of looks that wait for their turn are dear.
   */
  ask(question: ArmQuestion): Promise<(() => ArmRead | Promise<ArmRead>) | null>;
}

type Reading = NonNullable<Awaited<ReturnType<KeptArms['ask']>>>;

interface Entry {
  /** Null: it is none that can be counted on from. */
  readonly arm: SettledArm | null;
  readonly readAtMs: number;
  bytes: number;
  usedAtMs: number;
}

/** Of an entry besides its arm. */
const ENTRY_BYTES = 300;

export function createKeptArms(now: () => number, mostBytes: number): KeptArms {
  const keys = createKeys();
  const store = createStore(now, mostBytes);
  /** Arms that are being read: two who went on with one would count it twice. */
  const busy = new Set<string>();

  return {
    ask: async (question) => {
      if (!isCounted(question.metric)) return null;
      const key = keys(question);
      if (busy.has(key)) return null;
      busy.add(key);
      const free = () => void busy.delete(key);
      try {
        const read = await begin(question, key);
        if (read !== null) return readAndFree(read, free);
        free();
        return null;
      } catch (error) {
        free();
        const whatIsWrong = problem(error);
        return () => whatIsWrong;
      }
    },
  };

  async function begin(question: ArmQuestion, key: string): Promise<Reading | null> {
    const { metric, windows } = question;
    const known = store.of(key);
    const arm = known?.arm ?? null;
    if (known !== undefined && arm === null) return null;
    const missing = arm === null ? 'all' : missingOf(arm, windows);
    if (arm !== null && missing === null) return () => readOf(arm, windows);
    const queries = selectorsOf(metric.source).map(question.fill);
    if (!queries.every(isPlain)) return null;
    const whole = () => readWhole(question, key, queries, arm !== null && windows.stretch.startMs < arm.startMs);
    if (arm === null || missing === null || missing === 'all') {
      const read = await whole();
      return () => read;
    }
    const asked = { atMs: now(), lateMs: metric.labelDelayMs ?? 0 };
    const found = await ask(question, queries, missing);
    if (typeof found === 'string') return () => absent(found);
    return () => {
      const more = readOn(arm, metric, windows, { stretch: missing, found, asked });
      if (more === null) return whole();
      store.weigh(key, arm);
      return more;
    };
  }

  async function readWhole(
    question: ArmQuestion,
    key: string,
    queries: readonly Query[],
    reachesBack: boolean,
  ): Promise<ArmRead> {
    const { metric } = question;
    const windows = reachesBack ? reachingBack(question.windows) : question.windows;
    const asked = { atMs: now(), lateMs: metric.labelDelayMs ?? 0 };
    const found = await ask(question, queries, windows.stretch);
    if (typeof found === 'string') return absent(found);
    const read = readArm(metric, found, windows.endsMs, windows.windowMs);
    const arm = settledOf(found, read, windows, asked);
    if (arm !== 'too-few') store.keep(key, arm === 'of-another-kind' ? null : arm);
    if (!reachesBack) return typeof arm === 'object' ? readAsKept(arm, windows, read) : read;
    const isKept = typeof arm === 'object' && missingOf(arm, question.windows) === null;
    return isKept ? readOf(arm, question.windows) : readWhole(question, key, queries, false);
  }
}

/** Once it is read, others may read it. */
function readAndFree(read: Reading, free: () => void): Reading {
  return () => {
    let arm: ReturnType<Reading> | null = null;
    try {
      arm = read();
      return arm instanceof Promise ? arm.catch(problem).finally(free) : arm;
    } catch (error) {
      return problem(error);
    } finally {
      if (!(arm instanceof Promise)) free();
    }
  };
}

/** A placeholder that cannot be written where it stands, or a selector the policy leaves out. */
function problem(error: unknown): ArmRead {
  return absent(error instanceof Error ? error.message : String(error));
}

function isPlain(query: Query): boolean {
  return typeof query !== 'string' || plainSelector(query) !== null;
}

/** What was found, or why nothing was. */
async function ask(
  { asking, signal, metric }: ArmQuestion,
  queries: readonly Query[],
  stretch: Stretch,
): Promise<GridSeries[][] | string> {
  const found: GridSeries[][] = [];
  for (const answer of await Promise.all(
    queries.map((query) => asking.ask(query, stretch, signal, metric.labelDelayMs, 'once')),
  )) {
    if (!answer.ok) return answer.problem;
    found.push(answer.value);
  }
  return found;
}

function reachingBack({ stretch, windowMs, endsMs }: Windows): Windows {
  const [first = 0] = endsMs;
  const more = Array.from({ length: MORE_BACK }, (_, i) => first - (MORE_BACK - i) * windowMs);
  return {
    windowMs,
    endsMs: [...more, ...endsMs],
    stretch: { ...stretch, startMs: stretch.startMs - MORE_BACK * windowMs },
  };
}

/** Short names: with the selectors themselves they would take more room than what is kept. */
function createKeys(): (question: ArmQuestion) => string {
  const sources = new Map<string, number>();
  let next = 0;
  return ({ metric, windows, name: { service, version, role } }) => {
    const text = JSON.stringify([metric.source, metric.labelDelayMs]);
    let number = sources.get(text);
    if (number === undefined) {
      if (sources.size >= MOST_SOURCES) sources.clear();
      next += 1;
      number = next;
      sources.set(text, number);
    }
    return `${number} ${windows.windowMs} ${role} ${service} ${version}`;
  };
}

function createStore(now: () => number, mostBytes: number) {
  /** Used longest ago first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  /** Whether there is room for so many bytes more, once what nobody used for long is gone. */
  function makeRoom(more: number): boolean {
    // To find the oldest takes long where many were moved to the end.
    if (bytes + more <= mostBytes) return true;
    for (const [oldest, { usedAtMs }] of entries) {
      if (bytes + more <= mostBytes || now() - usedAtMs < IN_USE_MS) break;
      drop(oldest);
    }
    return bytes + more <= mostBytes;
  }

  return {
    of: (key: string): Entry | undefined => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (Math.abs(now() - entry.readAtMs) >= ANEW_MS) {
        bytes -= entry.bytes;
        return undefined;
      }
      entry.usedAtMs = now();
      entries.set(key, entry);
      return entry;
    },
    keep: (key: string, arm: SettledArm | null): void => {
      drop(key);
      const size = ENTRY_BYTES + (arm === null ? 0 : weightOfSettled(arm));
      if (!makeRoom(size)) return;
      entries.set(key, { arm, bytes: size, readAtMs: now(), usedAtMs: now() });
      bytes += size;
    },
    /** It has grown. */
    weigh: (key: string, arm: SettledArm): void => {
      const entry = entries.get(key);
      if (entry?.arm !== arm) return;
      const size = ENTRY_BYTES + weightOfSettled(arm);
      bytes += size - entry.bytes;
      entry.bytes = size;
      if (!makeRoom(0)) drop(key);
    },
  };
}
