/** Sets of characters, as regular expressions name them. */
export type Ranges = readonly (readonly [number, number])[];

/** Which characters (code points) are let through. */
export interface CharacterSet {
  readonly ranges: Ranges;
  /** Unicode classes, each a test of one character. */
  readonly classes: readonly { readonly test: RegExp; readonly negated: boolean }[];
  readonly negated: boolean;
  /** Upper and lower case are the same. */
  readonly fold: boolean;
}

export const lastCodePoint = 0x10ffff;

export function set(ranges: Ranges): CharacterSet {
  return { ranges, classes: [], negated: false, fold: false };
}

export function merge(parts: readonly CharacterSet[]): CharacterSet {
  return { ...set(parts.flatMap((part) => part.ranges)), classes: parts.flatMap((part) => part.classes) };
}
export function complement(ranges: Ranges): [number, number][] {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [low, high] of ranges) {
    if (low > next) gaps.push([next, low - 1]);
    next = high + 1;
  }
  gaps.push([next, lastCodePoint]);
  return gaps;
}

/** Perl's classes, ASCII only, as in RE2. */
export const perlClasses: Readonly<Record<string, Ranges>> = {
  d: [[48, 57]],
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
  w: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
};

/** `[[:alpha:]]` and the like, ASCII only. */
export const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: [[48, 57]],
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word: [
    [48, 57],
    [65, 90],
    [95, 95],
    [97, 122],
  ],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};

/** A general category or a script, `L`, `Lu`, `Greek`; null: there is none of that name. */
export function unicodeClass(name: string, negated: boolean): CharacterSet | null {
  if (name === 'Any') return set(negated ? [] : [[0, lastCodePoint]]);
  for (const property of ['gc', 'sc']) {
    try {
      const test = new RegExp(`^\\p{${property}=${name}}$`, 'u');
      return { ranges: [], classes: [{ test, negated }], negated: false, fold: false };
    } catch (error) {
      // Not a general category: perhaps a script.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}
