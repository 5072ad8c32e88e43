import type { ServiceState } from '../domain/state.ts';

/** Lists shorter than this are written as they are: nothing is gained by more. Long ones are put together of pieces this long. */
const LONG = 16;
/** Places in long lists begin at multiples of this, so that one of about the same length fits where another was (bytes). */
const PLACE = 64;
/** Long lists end at multiples of SQLite's pages: what is written behind them stays where it is while they grow (bytes). */
const PAGE = 4096;

interface Text {
  readonly text: string;
  readonly bytes: number;
}

interface Piece extends Text {
  readonly of: readonly object[];
}

/**
 * States put into words, as JSON that anybody can read. In a storm a state holds hundreds of alerts, and the next differs in a few of
 * them: what was put into words once is not again, as parts of a state are never changed. And what stays the same stays where it
 * stood in the text, by means of blanks: SQLite writes only those pages of a row of the same length that differ.
 */
export class StateTexts {
  readonly #texts = new WeakMap<object, Text>();
  /** By the first thing in it. */
  readonly #pieces = new WeakMap<object, Piece>();

  of(state: ServiceState): string {
    const { alerts, rollout, degradation, past } = state;
    if (alerts.length < LONG && (degradation?.signals.length ?? 0) < LONG) return JSON.stringify(state);
    const into: string[] = [];
    const few = (list: readonly object[]) => () =>
      into.push('[', list.map((one) => this.#text(one).text).join(','), ']');
    object(into, state, {
      rollout: () => into.push(rollout ? this.#text(rollout).text : 'null'),
      alerts: () => this.#list(into, alerts),
      degradation: () =>
        degradation
          ? object(into, degradation, { signals: () => this.#list(into, degradation.signals) })
          : into.push('null'),
      past: () => object(into, past, { rollouts: few(past.rollouts), degradations: few(past.degradations) }),
    });
    const text = into.join('');
    return text + blanks(Buffer.byteLength(text), PAGE);
  }

  #list(into: string[], values: readonly object[]): void {
    let bytes = 0;
    into.push('[');
    for (let from = 0; from < values.length; from += LONG) {
      const piece = this.#piece(values, from);
      if (from > 0) into.push(',');
      into.push(piece.text);
      bytes += piece.bytes;
    }
    into.push(blanks(bytes, PAGE), ']');
  }

  #piece(values: readonly object[], from: number): Piece {
    const [first] = values.slice(from, from + 1);
    const length = Math.min(LONG, values.length - from);
    const known = first && this.#pieces.get(first);
    if (known?.of.length === length && known.of.every((one, place) => one === values[from + place])) return known;
    const of = values.slice(from, from + length);
    const texts = of.map((one) => this.#text(one));
    const piece = {
      of,
      text: texts.map(({ text }) => text).join(','),
      bytes: texts.reduce((sum, one) => sum + one.bytes, 0),
    };
    if (first) this.#pieces.set(first, piece);
    return piece;
  }

  #text(value: object): Text {
    const known = this.#texts.get(value);
    if (known) return known;
    const text = JSON.stringify(value);
    // One more for the comma behind it.
    const bytes = Buffer.byteLength(text) + 1;
    const fill = blanks(bytes, PLACE);
    const filled = { text: text + fill, bytes: bytes + fill.length };
    this.#texts.set(value, filled);
    return filled;
  }
}

/** As JSON.stringify has it, but for the members that are written another way. */
function object<T extends object>(into: string[], value: T, others: Partial<Record<keyof T & string, () => unknown>>) {
  let before = '{';
  for (const [name, member] of Object.entries(value)) {
    const other = others[name as keyof T & string];
    const text = other ? '' : JSON.stringify(member);
    if (text === undefined) continue;
    into.push(`${before}${JSON.stringify(name)}:`);
    before = ',';
    if (other) other();
    else into.push(text);
  }
  into.push(before === '{' ? '{}' : '}');
}

/** As many as are missing to the next multiple. */
function blanks(bytes: number, multiple: number): string {
  return ' '.repeat((multiple - (bytes % multiple)) % multiple);
}
