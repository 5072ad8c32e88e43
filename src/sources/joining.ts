import type { Found } from './asking.ts';
import type { GridSeries } from './increase.ts';
import { createFigures, type Figures } from './join-figures.ts';
import { pointsOf, type Stretch } from './matrix.ts';
import { type NamedSelector, type Query, type Selectors, type Shape, textOf } from './named.ts';
import { selectorFor } from './plain-selector.ts';
import { type PrometheusApi, requestsFor } from './prometheus-api.ts';
import type { Limit } from './sharing.ts';
import { sliced } from './slice.ts';

/**
 * Rollouts of one template ask the same of the same metric, each for its own service and version. What comes within a moment is one
 * query with `service=~"a|b"`, and each gets the series with its own labels: what it would have got by itself.
 */

/** More alternatives than this in one label are no index lookups any more, and are hard to read in Prometheus' own log. */
const MOST_VALUES = 100;
/** Points in one answer, as far as they can be guessed: some 10 MB of text, read in one go. */
const MOST_POINTS = 400_000;
/** Text of one query. A form of a megabyte is what proxies take at most. */
const MOST_TEXT = 32_768;
/** Points of a joined stretch, to those that are asked for: more is read and thrown away only up to this. */
const MOST_WASTE = 1.5;

export interface Joining {
  /** As `PrometheusApi.range`. Those who come within a moment are put together; one who stops waiting stops nobody else. */
  range(query: Query, stretch: Stretch, caller: Caller): Promise<Found>;
}

/** Who asks. */
export interface Caller {
  /** Queries of one look under way. */
  readonly here: Limit;
  readonly signal: AbortSignal;
  /** Told once it stops waiting. */
  onLeave(leave: () => void): void;
}

export interface JoiningOptions {
  readonly api: PrometheusApi;
  readonly selectors: Selectors;
  /** Queries under way of all looks together. */
  readonly inAll: Limit;
  readonly now: () => number;
  /** How long others are waited for after the first. */
  readonly gatherMs: number;
  readonly stopped: Found;
}

interface Ask {
  readonly query: NamedSelector;
  readonly stretch: Stretch;
  readonly caller: Caller;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
  /** Told once its query is under way. */
  left: () => void;
}

/** Those who could be asked for together: they differ in nothing but values and stretches. */
interface Pool {
  readonly key: string;
  readonly shape: Shape;
  asks: Ask[];
}

export function createJoining(options: JoiningOptions): Joining {
  const { api, selectors, inAll, gatherMs, stopped } = options;
  const pools = new Map<string, Pool>();
  const figures = createFigures(options.now);

  const alone = (query: Query, stretch: Stretch, { here, signal }: Caller) =>
    here(() => inAll(() => (signal.aborted ? Promise.resolve(stopped) : api.range(textOf(query), stretch, signal))));

  /** Where nobody else asks for the like, the arms of one look are all there is to wait for, and they are here by then. */
  function begin(pool: Pool, isCrowd: boolean): void {
    pools.set(pool.key, pool);
    if (isCrowd) setTimeout(() => turn(pool), gatherMs);
    else setImmediate(() => turn(pool));
  }

  /** Who comes while the turn is waited for is taken along. */
  function turn(pool: Pool): void {
    const [first] = pool.asks;
    const isOneLook = first !== undefined && pool.asks.every(({ caller }) => caller.here === first.caller.here);
    const work = () => inAll(() => next(pool));
    const done = isOneLook ? first.caller.here(work) : work();
    done.catch((error: unknown) => {
      for (const ask of pool.asks) ask.reject(error);
    });
  }

  async function next(pool: Pool): Promise<void> {
    const waiting = pool.asks.filter(({ caller }) => !caller.signal.aborted);
    const taken = takeTogether(waiting, figures.of(pool.key));
    pool.asks = waiting.slice(taken.length);
    const answered = together(pool, taken);
    if (pool.asks.length > 0) turn(pool);
    else if (pools.get(pool.key) === pool) pools.delete(pool.key);
    try {
      await answered;
    } catch (error) {
      for (const ask of taken) ask.reject(error);
    }
  }

  async function together(pool: Pool, asks: readonly Ask[]): Promise<void> {
    const [first] = asks;
    if (first === undefined) return;
    const stretch = unionOf(asks);
    const values = valuesOf(pool, asks);
    const isOne = [...values.values()].every((of) => of.size === 1);
    const query = isOne ? first.query.text() : selectorFor(pool.shape.name, values, pool.shape.others);
    const answer = await api.range(query, stretch, untilAllLeft(asks));
    const given = answer.ok ? handOut(pool, asks, values, answer.value) : null;
    if (answer.ok && given !== null) {
      figures.learn(pool.key, asks.length, answer.value.length, given.strangers);
      asks.forEach((ask, k) => {
        ask.resolve({ ok: true, value: sliced(given.series[k] ?? [], stretch, ask.stretch) });
      });
      return;
    }
    const isOnesOwn = answer.ok || answer.wasRefused === true;
    if (asks.length > 1) figures.failed(pool.key, asks.length, isOnesOwn);
    // Refused for what was asked: it may be one service's doing, or the joining itself.
    if (asks.length > 1 && isOnesOwn) {
      for (const ask of asks) alone(ask.query, ask.stretch, ask.caller).then(ask.resolve, ask.reject);
    } else for (const ask of asks) ask.resolve(answer);
  }

  return {
    range: (asked, stretch, caller) => {
      const query = requestsFor(stretch) > 1 ? null : typeof asked === 'string' ? selectors.named(asked) : asked;
      if (query === null) return alone(asked, stretch, caller);
      const { promise, resolve, reject } = Promise.withResolvers<Found>();
      const key = keyOf(query, stretch);
      const known = pools.get(key);
      const pool: Pool = known ?? { key, shape: query.shape, asks: [] };
      const ask: Ask = { query, stretch, caller, resolve, reject, left: () => undefined };
      pool.asks.push(ask);
      const isCrowd = figures.isCrowd(key, caller.here, query.values.join());
      if (known === undefined) begin(pool, isCrowd);
      caller.onLeave(() => {
        resolve(stopped);
        ask.left();
      });
      return promise;
    },
  };
}

/** Stretches on the same grid only. */
function keyOf({ shape }: NamedSelector, { startMs, stepMs }: Stretch): string {
  return `${shape.id} ${stepMs} ${startMs % stepMs}`;
}

/** The first of them that go into one query. Asks over like stretches stand beside each other afterwards. */
function takeTogether(asks: Ask[], figures: Figures): Ask[] {
  if (asks.length < 2) return asks.slice();
  asks.sort((a, b) => a.stretch.startMs - b.stretch.startMs || a.stretch.endMs - b.stretch.endMs);
  const distinct = new Map<number, Set<string>>();
  let [from, to, asked, text] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  let count = 0;
  for (const { stretch, query } of asks) {
    from = Math.min(from, stretch.startMs);
    to = Math.max(to, stretch.endMs);
    asked += pointsOf(stretch);
    const points = pointsOf({ ...stretch, startMs: from, endMs: to });
    let isTooMany = false;
    for (const [k, value] of query.values.entries()) {
      const of = distinct.get(k) ?? new Set();
      distinct.set(k, of);
      if (of.has(value)) continue;
      of.add(value);
      text += 2 * value.length;
      isTooMany ||= of.size > MOST_VALUES;
    }
    count += 1;
    const fits =
      count <= figures.most &&
      !isTooMany &&
      text <= MOST_TEXT &&
      points * count <= MOST_WASTE * asked &&
      points * count * figures.seriesEach <= MOST_POINTS &&
      requestsFor({ ...stretch, startMs: from, endMs: to }) === 1;
    if (count > 1 && !fits) return asks.slice(0, count - 1);
  }
  return asks.slice();
}

function unionOf(asks: readonly Ask[]): Stretch {
  let [startMs, endMs, stepMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
  for (const { stretch } of asks) {
    startMs = Math.min(startMs, stretch.startMs);
    endMs = Math.max(endMs, stretch.endMs);
    stepMs = stretch.stepMs;
  }
  return { startMs, endMs, stepMs };
}

function valuesOf({ shape }: Pool, asks: readonly Ask[]): Map<string, Set<string>> {
  return new Map(shape.labels.map((label, k) => [label, new Set(asks.map(({ query }) => query.values[k] ?? ''))]));
}

/** Called off with the last of them. */
function untilAllLeft(asks: readonly Ask[]): AbortSignal {
  const stop = new AbortController();
  let waiting = asks.length;
  const leave = () => {
    waiting -= 1;
    if (waiting === 0) stop.abort();
  };
  for (const ask of asks) ask.left = leave;
  return stop.signal;
}

/**
 * The series of each ask, in the order they came. Null where a series has labels nobody asked for: the server, or something before
 * it, does not answer what was asked. `strangers`: how many exist between the asks (one's service with another's version).
 */
function handOut(
  { shape: { labels } }: Pool,
  asks: readonly Ask[],
  values: ReadonlyMap<string, ReadonlySet<string>>,
  series: readonly GridSeries[],
): { readonly series: readonly GridSeries[][]; readonly strangers: number } | null {
  if (asks.length === 1) return { series: [[...series]], strangers: 0 };
  const bySelf = new Map<string, GridSeries[]>();
  const own = asks.map(({ query }) => {
    const key = joinedValues(query.values);
    const of = bySelf.get(key) ?? [];
    bySelf.set(key, of);
    return of;
  });
  const wanted = labels.map((label) => values.get(label));
  let strangers = 0;
  for (const one of series) {
    const found: string[] = [];
    for (const [k, label] of labels.entries()) {
      const value = one.labels[label];
      if (value === undefined || wanted[k]?.has(value) !== true) return null;
      found.push(value);
    }
    const of = bySelf.get(joinedValues(found));
    if (of === undefined) strangers += 1;
    else of.push(one);
  }
  return { series: own, strangers };
}

/** What is asked for has no such character in it (plain-selector.ts), and so nothing that is found. */
function joinedValues(values: readonly string[]): string {
  return values.join('\0');
}
