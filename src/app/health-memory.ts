import type { HealthKind, HealthPart } from '../ports/health.ts';
import type { Finding } from './health.ts';

interface Failing {
  readonly part: HealthPart;
  /** When the first of the present failures came, Unix ms. */
  readonly firstMs: number;
}

/** So many failures in a row are trouble; one success ends it. */
const failuresToBelieve = 2;
/** Texts that many have in common are kept once; what is kept of texts that few share stays small. */
const mostTexts = 500;

/** What is known of a part before and after one more look. */
export interface Noted {
  readonly before: HealthPart | null;
  readonly now: HealthPart;
}

/** Something to be looked at. */
export interface Due {
  /** Of its name in the list. */
  readonly place: number;
  /** When it was looked at last, Unix ms; 0: never; before all times: it is in doubt. */
  readonly lastMs: number;
}

/** What is known of a part after one more look. A part never seen before counts as well until it has failed twice. */
export function afterLook(
  before: HealthPart | null,
  { part, name }: Pick<HealthPart, 'part' | 'name'>,
  found: Finding,
  nowMs: number,
): HealthPart {
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

/** A column of each, by the place of the name in the list. */
interface Rows {
  readonly names: readonly string[];
  readonly details: string[];
  /** Since when it is as it is, Unix ms; NaN: never seen. */
  readonly sinceMs: Float64Array;
  /** Unix ms; 0: never. */
  readonly lookedAtMs: Float64Array;
}

/**
 * What was seen of everything of one kind. There may be ten thousand targets, and as many channels, and nearly all are well: of those
 * nothing is kept but a row in a few columns, by the place of their name in the list. Only what fails has an object of its own.
 */
export class HealthMemory {
  readonly #kind: HealthKind;
  #rows: Rows = rowsOf([]);
  /** In trouble or in doubt, by name. */
  readonly #failing = new Map<string, Failing>();
  readonly #texts = new Map<string, string>();

  constructor(kind: HealthKind, known: readonly HealthPart[]) {
    this.#kind = kind;
    this.follow(known.map(({ name }) => name));
    for (const [place, part] of known.entries()) this.#keep(place, part, part.sinceMs);
  }

  /**
   * From now on there are these; of those that stay everything is remembered. The same list again costs nothing. Answers those in
   * trouble or in doubt that are gone.
   */
  follow(names: readonly string[]): readonly HealthPart[] {
    const old = this.#rows;
    if (names === old.names) return [];
    const rows = rowsOf(names);
    const before = new Map(old.names.map((name, place) => [name, place]));
    for (const [place, name] of names.entries()) {
      const from = before.get(name);
      if (from === undefined) continue;
      rows.details[place] = old.details[from] ?? '';
      rows.sinceMs[place] = old.sinceMs[from] ?? Number.NaN;
      rows.lookedAtMs[place] = old.lookedAtMs[from] ?? 0;
      before.delete(name);
    }
    this.#rows = rows;
    const gone = [...this.#failing.values()].map(({ part }) => part).filter(({ name }) => before.has(name));
    for (const { name } of gone) this.#failing.delete(name);
    return gone;
  }

  /** It is being looked at now, by a list in which it stood at `place`. False: it is gone, and not to be looked at. */
  begin(name: string, place: number, nowMs: number): boolean {
    const at = this.#placeOf(name, place);
    if (at >= 0) this.#rows.lookedAtMs[at] = nowMs;
    return at >= 0;
  }

  /** What a look showed. Null: it is well as before, or gone meanwhile. */
  note(name: string, place: number, found: Finding, nowMs: number): Noted | null {
    const at = this.#placeOf(name, place);
    if (at < 0) return null;
    const failing = this.#failing.get(name);
    if (found.ok && !failing) {
      if (Number.isNaN(this.#rows.sinceMs[at])) this.#rows.sinceMs[at] = nowMs;
      this.#say(at, found.detail);
      return null;
    }
    const before = this.#seen(this.#rows, at);
    const next = afterLook(before, { part: this.#kind, name }, found, nowMs);
    const firstMs = failing?.firstMs ?? nowMs;
    const now = !next.ok && before?.ok !== false ? { ...next, sinceMs: firstMs } : next;
    this.#keep(at, now, firstMs);
    return { before, now };
  }

  hasDoubts(): boolean {
    for (const { part } of this.#failing.values()) if (part.ok) return true;
    return false;
  }

  /** Those not looked at for so long, and those in doubt: the first of them, so many at most. */
  due(everyMs: number, nowMs: number, most: number): readonly Due[] {
    const inDoubt: number[] = [];
    const late: number[] = [];
    const lastMs = (place: number) => this.#rows.lookedAtMs[place] ?? 0;
    for (let place = 0; place < this.#rows.names.length; place += 1) {
      const failing = this.#failing.get(this.#rows.names[place] ?? '');
      if (failing?.part.ok) inDoubt.push(place);
      else if (lastMs(place) === 0 || nowMs - lastMs(place) >= everyMs) late.push(place);
    }
    late.sort((a, b) => lastMs(a) - lastMs(b));
    return [
      ...inDoubt.slice(0, most).map((place) => ({ place, lastMs: Number.NEGATIVE_INFINITY })),
      ...late.slice(0, most).map((place) => ({ place, lastMs: lastMs(place) })),
    ];
  }

  /** Everything seen, by name, one after the other: a list of all is long. */
  *parts(): Iterable<HealthPart> {
    // Whoever asks may take his time: other rows may take the place of these meanwhile.
    const rows = this.#rows;
    const { names } = rows;
    const order = names.map((_name, place) => place).sort((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
    for (const place of order) {
      const part = this.#seen(rows, place);
      if (part) yield part;
    }
  }

  /** Those in trouble, by name. */
  troubles(): HealthPart[] {
    const parts: HealthPart[] = [];
    for (const { part } of this.#failing.values()) if (!part.ok) parts.push(part);
    return parts.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #seen({ names, details, sinceMs: since }: Rows, place: number): HealthPart | null {
    const name = names[place];
    const sinceMs = since[place];
    if (name === undefined || sinceMs === undefined || Number.isNaN(sinceMs)) return null;
    const failing = this.#failing.get(name);
    if (failing) return failing.part;
    return { part: this.#kind, name, ok: true, sinceMs, detail: details[place] ?? '', failures: 0 };
  }

  #keep(place: number, part: HealthPart, firstMs: number): void {
    this.#rows.sinceMs[place] = part.sinceMs;
    const isWell = part.ok && part.failures === 0;
    if (isWell) this.#failing.delete(part.name);
    else this.#failing.set(part.name, { part, firstMs });
    if (isWell) this.#say(place, part.detail);
  }

  #say(place: number, detail: string): void {
    if (this.#rows.details[place] !== detail) this.#rows.details[place] = this.#shared(detail);
  }

  /** Most likely still where it stood; -1: gone. */
  #placeOf(name: string, before: number): number {
    return this.#rows.names[before] === name ? before : this.#rows.names.indexOf(name);
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= mostTexts) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}

function rowsOf(names: readonly string[]): Rows {
  return {
    names,
    details: names.map(() => ''),
    sinceMs: new Float64Array(names.length).fill(Number.NaN),
    lookedAtMs: new Float64Array(names.length),
  };
}
