/** A terminal, as far as it is drawn on. */
export interface Terminal {
  write(text: string): void;
  readonly columns: number;
  readonly rows: number;
}

/** Draws the same lines over and over in one place; what was printed above stays. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** The last drawing stays; what follows is printed below it. */
  end(): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_LINE = '\u001b[K';

export function createScreen(terminal: Terminal): Screen {
  let drawn = 0;
  return {
    draw(lines) {
      // What is higher than the terminal could not be drawn over again.
      const shown = lines.slice(0, Math.max(1, terminal.rows - 1));
      const back = drawn === 0 ? HIDE_CURSOR : `\u001b[${drawn}A`;
      terminal.write(`${back}\r${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
      drawn = shown.length;
    },
    end() {
      if (drawn > 0) terminal.write(SHOW_CURSOR);
      drawn = 0;
    },
  };
}
