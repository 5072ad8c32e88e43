import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MatcherProblem, parseMatchers } from '../../src/policies/index.ts';

const short = (text: string) => parseMatchers(text).map(({ label, operator, value }) => [label, operator, value]);

describe('matchers are read as Alertmanager reads them', () => {
  it.each<[string, string[][]]>([
    ['severity="critical"', [['severity', '=', 'critical']]],
    [' severity = critical ', [['severity', '=', 'critical']]],
    [
      '{a="b",c=~"d|e"}',
      [
        ['a', '=', 'b'],
        ['c', '=~', 'd|e'],
      ],
    ],
    [
      '{ a!="b" , c!~"d" , }',
      [
        ['a', '!=', 'b'],
        ['c', '!~', 'd'],
      ],
    ],
    [
      'a=b,c!=d',
      [
        ['a', '=', 'b'],
        ['c', '!=', 'd'],
      ],
    ],
    ['a=""', [['a', '=', '']]],
    ['a=', [['a', '=', '']]],
    ['a=~[a-z]{2}', [['a', '=~', '[a-z]{2}']]],
    ['a="x, y=\\"z\\" \\\\ \\n"', [['a', '=', 'x, y="z" \\ \n']]],
    ['code=~"5\\d\\d"', [['code', '=~', '5\\d\\d']]],
    ['"größe"="12 €"', [['größe', '=', '12 €']]],
    ['größe=12', [['größe', '=', '12']]],
    ['a="}"', [['a', '=', '}']]],
    ['a=b=c', [['a', '=', 'b=c']]],
  ])('%s', (text, expected) => {
    expect(short(text)).toEqual(expected);
  });

  it.each([
    ['', 'there is no matcher in it', 0],
    ['{}', 'there is no matcher in it', 0],
    ['{a="b"', 'not closed with "}"', 0],
    ['a', 'after the label a', 1],
    ['a=="b"', 'after the label a', 1],
    ['a~"b"', 'after the label a one of', 1],
    ['="b"', 'the name of a label', 0],
    ['""="b"', 'must not be empty', 0],
    ['a="b', 'quote is not closed', 2],
    ['a="b" c="d"', 'a comma was expected', 6],
    ['a=b"c', 'a quote inside', 3],
    ["a='b'", 'quoted with "', 2],
    ['a="b",,c="d"', 'the name of a label', 6],
    ['x="y", a=~"("', 'missing closing ): (', 10],
    ['a=~"(?=b)"', 'look-around', 3],
  ])('%j is refused, with the place', (text, message, at) => {
    let caught: unknown;
    try {
      parseMatchers(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(MatcherProblem);
    expect((caught as MatcherProblem).message).toContain(message);
    expect((caught as MatcherProblem).at).toBe(at);
  });

  it('whatever the text is: matchers or a MatcherProblem', () => {
    const characters = fc.constantFrom(...'ab"=~!{},\\ n[](|)?*+^$.é');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 24 }), (text) => {
        try {
          expect(parseMatchers(text).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(MatcherProblem);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads back what it would be written as', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const written = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
        expect(short(`a="${written}"`)).toEqual([['a', '=', value]]);
      }),
    );
  });
});
