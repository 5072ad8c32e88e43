import type { CharacterSet } from './regex-characters.ts';
import { type Assertion, type RegexNode, RegexProblem, readRegex } from './regex-syntax.ts';

export { RegexProblem } from './regex-syntax.ts';

/**
 * A regular expression that must match a whole text, in time proportional to the text: all ways through are followed at once,
 * nothing is tried again (Thompson 1968, what RE2 does). JavaScript's own can take for ever on a text made for it, and label
 * values come from outside.
 */
export interface Regex {
  /** Whether all of `text` matches. */
  test(text: string): boolean;
  /** Texts that probably match, simplest first; the caller tests them. At most `limit`. */
  examples(limit: number): string[];
}

type Instruction =
  | { readonly kind: 'take'; readonly set: CharacterSet }
  | { readonly kind: 'check'; readonly what: Assertion }
  /** Goes on at each of these places. */
  | { readonly kind: 'fork'; readonly to: number[] }
  | { readonly kind: 'done' };

/** An expression larger than this once its repetitions are written out is refused (RE2 refuses by memory, about here). */
const maxInstructions = 10_000;

/** Throws RegexProblem, with words a person understands and the place. */
export function compileRegex(source: string): Regex {
  const tree = readRegex(source);
  const program: Instruction[] = [];
  emit(tree, program);
  program.push({ kind: 'done' });
  return { test: (text) => run(program, text), examples: (limit) => examplesOf(tree, limit).slice(0, limit) };
}

function emit(node: RegexNode, program: Instruction[]): void {
  if (program.length > maxInstructions) throw new RegexProblem('repetitions that make it too large', 0);
  switch (node.kind) {
    case 'set':
      program.push({ kind: 'take', set: node.set });
      return;
    case 'assertion':
      program.push({ kind: 'check', what: node.what });
      return;
    case 'sequence':
      for (const item of node.items) emit(item, program);
      return;
    case 'choice':
      emitChoice(node.items, program);
      return;
    case 'repeat':
      for (let n = 0; n < node.min; n += 1) emit(node.item, program);
      if (node.max === null) emitLoop(node.item, program);
      else for (let n = node.min; n < node.max; n += 1) emitOptional(node.item, program);
  }
}

function emitChoice(items: readonly RegexNode[], program: Instruction[]): void {
  const fork: number[] = [];
  program.push({ kind: 'fork', to: fork });
  const ends: number[][] = [];
  for (const item of items) {
    fork.push(program.length);
    emit(item, program);
    const end: number[] = [];
    ends.push(end);
    program.push({ kind: 'fork', to: end });
  }
  for (const end of ends) end.push(program.length);
}

function emitLoop(item: RegexNode, program: Instruction[]): void {
  const begin = program.length;
  const fork = [begin + 1];
  program.push({ kind: 'fork', to: fork });
  emit(item, program);
  program.push({ kind: 'fork', to: [begin] });
  fork.push(program.length);
}

function emitOptional(item: RegexNode, program: Instruction[]): void {
  const fork = [program.length + 1];
  program.push({ kind: 'fork', to: fork });
  emit(item, program);
  fork.push(program.length);
}

function run(program: readonly Instruction[], text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  let active = follow(program, [0], codes, 0);
  for (let at = 0; at < codes.length && active.size > 0; at += 1) {
    const code = codes[at] ?? 0;
    const next: number[] = [];
    for (const place of active) {
      const instruction = program[place];
      if (instruction?.kind === 'take' && contains(instruction.set, code)) next.push(place + 1);
    }
    active = follow(program, next, codes, at + 1);
  }
  return active.has(program.length - 1);
}

/** Every place that can be reached without taking a character. */
function follow(
  program: readonly Instruction[],
  from: readonly number[],
  codes: readonly number[],
  at: number,
): Set<number> {
  const reached = new Set<number>();
  const open = [...from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (reached.has(place)) continue;
    reached.add(place);
    const instruction = program[place];
    if (instruction?.kind === 'fork') open.push(...instruction.to);
    if (instruction?.kind === 'check' && holds(instruction.what, codes, at)) open.push(place + 1);
  }
  return reached;
}

function holds(what: Assertion, codes: readonly number[], at: number): boolean {
  switch (what) {
    case 'text-begin':
      return at === 0;
    case 'text-end':
      return at === codes.length;
    case 'line-begin':
      return at === 0 || codes[at - 1] === 10;
    case 'line-end':
      return at === codes.length || codes[at] === 10;
    default:
      return (isWord(codes[at - 1]) !== isWord(codes[at])) === (what === 'word-boundary');
  }
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && /^\w$/.test(String.fromCodePoint(code));
}

function contains(set: CharacterSet, code: number): boolean {
  const character = String.fromCodePoint(code);
  return casesOf(character, set.fold).some((variant) => containsExactly(set, variant)) !== set.negated;
}

/** Cases that take another number of characters (ß, SS) are no cases of it. */
function casesOf(character: string, fold: boolean): string[] {
  if (!fold) return [character];
  const others = [character.toLowerCase(), character.toUpperCase()];
  return [character, ...others.filter((other) => other.length === character.length)];
}

function containsExactly(set: CharacterSet, character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (
    set.ranges.some(([low, high]) => code >= low && code <= high) ||
    set.classes.some(({ test, negated }) => test.test(character) !== negated)
  );
}

function examplesOf(node: RegexNode, limit: number): string[] {
  switch (node.kind) {
    case 'set':
      return exampleOf(node.set);
    case 'assertion':
      return [''];
    case 'choice':
      return node.items.flatMap((item) => examplesOf(item, limit)).slice(0, limit);
    case 'sequence':
      return node.items.reduce((texts, item) => joined(texts, examplesOf(item, limit), limit), ['']);
    case 'repeat': {
      const items = examplesOf(node.item, limit);
      let texts = [''];
      // At least once where that is allowed: "x*" is better shown by "x" than by nothing.
      for (let n = 0; n < Math.max(node.min, node.max === 0 ? 0 : 1); n += 1) texts = joined(texts, items, limit);
      return node.min === 0 ? [...texts, ''] : texts;
    }
  }
}

function joined(begins: readonly string[], ends: readonly string[], limit: number): string[] {
  return begins.flatMap((begin) => ends.map((end) => begin + end)).slice(0, limit);
}

/** Letters and digits first: an example is shown to people. */
function exampleOf(set: CharacterSet): string[] {
  const preferred = [...'axAX01_-. /é中'].map((character) => character.codePointAt(0) ?? 0);
  const candidates = set.negated ? preferred : [...preferred, ...set.ranges.map(([low]) => low)];
  const found = candidates.find((code) => contains(set, code));
  return found === undefined ? [] : [String.fromCodePoint(found)];
}
