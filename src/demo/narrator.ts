/** One line of what happens, for the terminal and the page. */
export interface Line {
  readonly number: number;
  readonly atMs: number;
  /** `act`: the story's own voice. `journal`: Lastgood's journal, as it is written. `note`: how to go on, what went wrong. */
  readonly kind: 'act' | 'journal' | 'note';
  readonly text: string;
}

export interface Narrator {
  tell(kind: Line['kind'], text: string, atMs?: number): void;
  /** The newest, oldest first. */
  readonly lines: readonly Line[];
  /** Called with every new line. */
  listen(listener: (line: Line) => void): void;
}

const KEPT_LINES = 200;
const colour = { act: '\u001b[1;36m', journal: '', note: '\u001b[33m', time: '\u001b[2m', end: '\u001b[0m' };

/** Tells everything once: to the terminal, with the time of day by the demo's clock, and to whoever listens. */
export function createNarrator(print: (line: string) => void, colours: boolean, now: () => number): Narrator {
  const lines: Line[] = [];
  const listeners: ((line: Line) => void)[] = [];
  let number = 0;
  const paint = (shade: string, text: string) => (colours && shade !== '' ? `${shade}${text}${colour.end}` : text);
  return {
    lines,
    tell(kind, text, atMs = now()) {
      number += 1;
      const line: Line = { number, atMs, kind, text: oneLine(text) };
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      const mark = kind === 'act' ? '▸ ' : '  ';
      print(`${paint(colour.time, timeOfDay(atMs))}  ${paint(colour[kind], `${mark}${line.text}`)}`);
      for (const listener of listeners) listener(line);
    },
    listen: (listener) => void listeners.push(listener),
  };
}

/** 14:05:09, in the machine's time zone. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

/** Names and summaries come from outside: no control character of theirs reaches the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
