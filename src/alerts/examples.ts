import { compileRegex } from '../domain/regex.ts';

/** `\Q…\E`, a class in brackets, an escape, a dot: each stands for characters. */
const atom =
  /\\Q([\s\S]*?)\\E|\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]|\\(?:[pP]\{\^?\w+\}|[pP]\w|x\{\w+\}|x\w\w|[0-7]{1,3}|[\s\S])|\./gu;
/** Letters and digits first: an example is shown to people. */
const usualCharacters = 'aA1x_-. é中';
/** Where characters stay while those with a meaning in an expression are read: Unicode's private use area. */
const aside = 0xe000;

/**
 * Guesses at texts an expression matches, at most `limit`, simplest first: each group's alternatives, everything optional once, a
 * usual character for a class. The expression must be valid; the caller tests the guesses, among which there may be none.
 */
export function guessExamples(source: string, limit: number): string[] {
  const plain = source
    .replaceAll(atom, (text, quoted: string | undefined) => setAside(quoted ?? memberOf(text)))
    .replaceAll(/\(\?[imsU-]+\)/g, '')
    .replaceAll(/\(\?(P?<\w+>|[imsU-]*:)/g, '(')
    .replaceAll(/[*+?^$]/g, '')
    .replaceAll(/([^()|])\{(\d+)(,\d*)?\}/gu, (_, character: string, count: string) => character.repeat(Number(count)));
  let texts = [`(${plain})`];
  // The same group is the first innermost one in all of them.
  while (texts.some((text) => text.includes('('))) texts = texts.flatMap(withoutOneGroup).slice(0, limit);
  return texts.map(takeBack);
}

function withoutOneGroup(text: string): string[] {
  const group = /\(([^()]*)\)(?:\{(\d+)(?:,\d*)?\})?/.exec(text);
  if (!group) return [text];
  const [before, after] = [text.slice(0, group.index), text.slice(group.index + group[0].length)];
  const count = Number(group[2] ?? 1);
  return (group[1] ?? '').split('|').map((alternative) => before + alternative.repeat(count) + after);
}

function memberOf(characters: string): string {
  const accepts = compileRegex(characters);
  return [...usualCharacters, ...characters].find(accepts) ?? '';
}

function setAside(text: string): string {
  return text.replaceAll(/[\0-\x7f]/g, (character) => String.fromCharCode(aside + character.charCodeAt(0)));
}

function takeBack(text: string): string {
  return text.replaceAll(/[\ue000-\ue07f]/g, (character) => String.fromCharCode(character.charCodeAt(0) - aside));
}
