import { Ask, type Caller, Crowd } from './ask.ts';
import { type Found, failed } from './found.ts';
import type { GridSeries } from './increase.ts';
import { Figures } from './join-figures.ts';
import { pointsOf, type Stretch } from './matrix.ts';
import { type Query, type Selectors, type Shape, textOf } from './named.ts';
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
/** Templates, times the grids they are looked at on. */
const MOST_POOLS = 1_000;

export interface Joining {
  /** As `PrometheusApi.range`. Those who come within a moment are put together; one who stops waiting stops nobody else. */
  range(query: Query, stretch: Stretch, caller: Caller): Promise<Found>;
  /** The same for a stretch of one request: the ask is answered once. */
  put(ask: Ask): void;
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

/** Those who could be asked for together: they differ in nothing but values and stretches, which are on the same grid. */
interface Pool {
  readonly shape: Shape;
  readonly stepMs: number;
  readonly phaseMs: number;
  readonly figures: Figures;
  /** That wait for their turn. */
  asks: Ask[];
  /** A turn is to come. */
  isBegun: boolean;
}

export function createJoining(options: JoiningOptions): Joining {
  const { api, selectors, inAll, now, gatherMs, stopped } = options;
  const poolOf = createPools();

  const alone = (query: Query, stretch: Stretch, { here, signal }: Caller) =>
    here(() => inAll(() => (signal.aborted ? Promise.resolve(stopped) : api.range(textOf(query), stretch, signal))));

  /** Where nobody else asks for the like, the arms of one look are all there is to wait for, and they are here by then. */
  function begin(pool: Pool, isCrowd: boolean): void {
    pool.isBegun = true;
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
      pool.isBegun = false;
      for (const ask of pool.asks.splice(0)) ask.answer(failed(error));
    });
  }

  async function next(pool: Pool): Promise<void> {
    const waiting = pool.asks.filter((ask) => !ask.isOver);
    const taken = takeTogether(waiting, pool.figures, now());
    pool.asks = waiting.slice(taken.length);
    const answered = together(pool, taken);
    if (pool.asks.length > 0) turn(pool);
    else pool.isBegun = false;
    try {
      await answered;
    } catch (error) {
      for (const ask of taken) ask.answer(failed(error));
    }
  }

  async function together({ shape, figures }: Pool, asks: readonly Ask[]): Promise<void> {
    const [first] = asks;
    if (first === undefined) return;
    const stretch = asks.reduce((whole, ask) => withStretch(whole, ask.stretch), first.stretch);
    const values = shape.labels.map((_label, k) => valuesOf(asks, k));
    const isOne = values.every((of) => of.size === 1);
    const query = isOne ? first.query.text() : inWords(shape, values);
    const answer = await api.range(query, stretch, new Crowd(asks).signal);
    const given = answer.ok ? handOut(shape, asks, values, answer.value) : null;
    if (answer.ok && given !== null) {
      figures.learn(asks.length, answer.value.length, given.strangers, now());
      for (let k = 0; k < asks.length; k += 1) {
        const ask = asks[k];
        ask?.answer({ ok: true, value: sliced(given.series[k] ?? [], stretch, ask.stretch) });
      }
      return;
    }
    const isOnesOwn = answer.ok || answer.wasRefused === true;
    if (asks.length > 1) figures.failed(asks.length, isOnesOwn, now());
    // Refused for what was asked: it may be one service's doing, or the joining itself.
    if (asks.length > 1 && isOnesOwn) {
      for (const ask of asks)
        alone(ask.query, ask.stretch, ask.caller).then(
          (found) => ask.answer(found),
          (error) => ask.answer(failed(error)),
        );
    } else for (const ask of asks) ask.answer(answer);
  }

  function put(ask: Ask): void {
    const pool = poolOf(ask);
    pool.asks.push(ask);
    const isCrowd = pool.figures.isCrowd(ask.caller.here, ask.query.values, now());
    if (!pool.isBegun) begin(pool, isCrowd);
  }

  return {
    put,
    range: (asked, stretch, caller) => {
      const query = requestsFor(stretch) > 1 ? null : typeof asked === 'string' ? selectors.named(asked) : asked;
      if (query === null) return alone(asked, stretch, caller);
      return new Promise((resolve) => put(new Ask(query, stretch, caller, resolve)));
    },
  };
}

/** The pool of an ask. With too many of them the oldest go, and what was learned in them. */
function createPools(): (ask: Ask) => Pool {
  const pools = new Map<number, Pool[]>();
  let count = 0;
  return ({ query: { shape }, stretch: { startMs, stepMs } }) => {
    const phaseMs = startMs % stepMs;
    const known = pools.get(shape.id) ?? [];
    for (const pool of known) if (pool.stepMs === stepMs && pool.phaseMs === phaseMs) return pool;
    const pool: Pool = { shape, stepMs, phaseMs, figures: new Figures(), asks: [], isBegun: false };
    pools.set(shape.id, [...known, pool]);
    count += 1;
    const [oldest] = pools;
    if (count > MOST_POOLS && oldest !== undefined) {
      count -= oldest[1].length;
      pools.delete(oldest[0]);
    }
    return pool;
  };
}

/** The first of them that go into one query. Asks over like stretches stand beside each other afterwards. */
function takeTogether(asks: Ask[], figures: Figures, nowMs: number): Ask[] {
  if (asks.length < 2) return asks.slice();
  asks.sort((a, b) => a.stretch.startMs - b.stretch.startMs || a.stretch.endMs - b.stretch.endMs);
  const most = figures.most(nowMs);
  const distinct: Set<string>[] = [];
  let whole: Stretch | null = null;
  let [asked, text, count] = [0, 0, 0];
  for (let index = 0; index < asks.length; index += 1) {
    const ask = asks[index];
    if (ask === undefined) continue;
    whole = withStretch(whole, ask.stretch);
    asked += pointsOf(ask.stretch);
    const points = pointsOf(whole);
    let isTooMany = false;
    const { values } = ask.query;
    for (let k = 0; k < values.length; k += 1) {
      const value = values[k] ?? '';
      const of = distinct[k] ?? new Set();
      distinct[k] = of;
      if (of.has(value)) continue;
      of.add(value);
      text += 2 * value.length;
      isTooMany ||= of.size > MOST_VALUES;
    }
    count += 1;
    const fits =
      count <= most &&
      !isTooMany &&
      text <= MOST_TEXT &&
      points * count <= MOST_WASTE * asked &&
      points * count * figures.seriesEach <= MOST_POINTS &&
      requestsFor(whole) === 1;
    if (count > 1 && !fits) return asks.slice(0, count - 1);
  }
  return asks.slice();
}

/** Both, and what lies between them. */
function withStretch(whole: Stretch | null, more: Stretch): Stretch {
  if (whole === null) return more;
  if (more.startMs >= whole.startMs && more.endMs <= whole.endMs) return whole;
  const { startMs, endMs, stepMs } = whole;
  return { startMs: Math.min(startMs, more.startMs), endMs: Math.max(endMs, more.endMs), stepMs };
}

function valuesOf(asks: readonly Ask[], label: number): Set<string> {
  const values = new Set<string>();
  for (let k = 0; k < asks.length; k += 1) values.add(asks[k]?.query.values[label] ?? '');
  return values;
}

function inWords({ name, labels, others }: Shape, values: readonly Set<string>[]): string {
  return selectorFor(name, new Map(labels.map((label, k) => [label, values[k] ?? new Set()])), others);
}

/**
 * The series of each ask, in the order they came. Null where a series has labels nobody asked for: the server, or something before
 * it, does not answer what was asked. `strangers`: how many exist between the asks (one's service with another's version).
 */
function handOut(
  { labels }: Shape,
  asks: readonly Ask[],
  values: readonly ReadonlySet<string>[],
  series: readonly GridSeries[],
): { readonly series: readonly (readonly GridSeries[] | null)[]; readonly strangers: number } | null {
  if (asks.length === 1) return { series: [series], strangers: 0 };
  const own = new Array<GridSeries[] | null>(asks.length).fill(null);
  const { label, first, next } = grouped(labels, asks, values);
  let strangers = 0;
  for (let i = 0; i < series.length; i += 1) {
    const one = series[i];
    if (one === undefined || !isAmong(values, one.labels, labels)) return null;
    let isWanted = false;
    for (let index = first.get(one.labels[label] ?? '') ?? -1; index >= 0; index = next[index] ?? -1) {
      if (!hasValues(one.labels, labels, asks[index]?.query.values ?? [])) continue;
      const others = own[index] ?? null;
      if (others === null) own[index] = [one];
      else others.push(one);
      isWanted = true;
    }
    if (!isWanted) strangers += 1;
  }
  return { series: own, strangers };
}

/** Which asks have each value of the label that tells most of them apart: the first of them, and of each the next. */
function grouped(
  labels: readonly string[],
  asks: readonly Ask[],
  values: readonly ReadonlySet<string>[],
): { readonly label: string; readonly first: ReadonlyMap<string, number>; readonly next: readonly number[] } {
  let telling = 0;
  for (let k = 1; k < labels.length; k += 1) if ((values[k]?.size ?? 0) > (values[telling]?.size ?? 0)) telling = k;
  const first = new Map<string, number>();
  const next = new Array<number>(asks.length).fill(-1);
  for (let index = asks.length - 1; index >= 0; index -= 1) {
    const value = asks[index]?.query.values[telling] ?? '';
    next[index] = first.get(value) ?? -1;
    first.set(value, index);
  }
  return { label: labels[telling] ?? '', first, next };
}

/** Whether each label has a value that somebody asked for. */
function isAmong(
  values: readonly ReadonlySet<string>[],
  own: GridSeries['labels'],
  labels: readonly string[],
): boolean {
  for (let k = 0; k < labels.length; k += 1) {
    const value = own[labels[k] ?? ''];
    if (value === undefined || values[k]?.has(value) !== true) return false;
  }
  return true;
}

function hasValues(own: GridSeries['labels'], labels: readonly string[], values: readonly string[]): boolean {
  for (let k = 0; k < labels.length; k += 1) if (own[labels[k] ?? ''] !== values[k]) return false;
  return true;
}
