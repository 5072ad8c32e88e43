import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from '../../src/domain/match.ts';
import type { Matcher } from '../../src/domain/policy.ts';
import { compileRegex, RegexProblem } from '../../src/domain/regex.ts';

const select = (label: string, operator: Matcher['operator'], value: string) => ({
  matchers: [{ label, operator, value }],
  severity: null,
});

describe("an alert is a selector's where every matcher holds", () => {
  it.each<[Matcher['operator'], string, Record<string, string>, boolean]>([
    ['=', 'x', { a: 'x' }, true],
    ['=', 'x', { a: 'xx' }, false],
    ['=', '', {}, true],
    ['=', 'x', {}, false],
    ['!=', 'x', { a: 'y' }, true],
    ['!=', 'x', {}, true],
    ['!=', '', {}, false],
    ['=~', 'x|y', { a: 'y' }, true],
    ['=~', 'x', { a: 'axb' }, false],
    ['=~', '.*', {}, true],
    ['=~', '.+', {}, false],
    ['!~', 'x.*', { a: 'xyz' }, false],
    ['!~', 'x.*', { a: 'y' }, true],
    ['!~', '.+', {}, true],
    ['=~', 'a.b', { a: 'a\nb' }, false],
    ['=', '', { constructor: 'x' }, true],
  ])('a %s %j against %j: %j', (operator, value, labels, expected) => {
    expect(matches(select('a', operator, value), labels)).toBe(expected);
  });

  it('all of them', () => {
    const matchers: Matcher[] = [
      { label: 'service', operator: '=', value: 's' },
      { label: 'severity', operator: '=~', value: 'warning|critical' },
      { label: 'env', operator: '!~', value: 'dev.*' },
    ];
    const labels = { service: 's', severity: 'critical', env: 'prod' };
    expect(matches({ matchers, severity: null }, labels)).toBe(true);
    expect(matches({ matchers, severity: null }, { ...labels, env: 'dev-2' })).toBe(false);
    expect(matches({ matchers, severity: null }, { ...labels, severity: 'info' })).toBe(false);
  });

  it('an alert has no labels but its own', () => {
    expect(matches(select('constructor', '!=', ''), {})).toBe(false);
    expect(matches(select('__proto__', '=~', '.+'), {})).toBe(false);
  });
});

describe('expressions', () => {
  it.each<[string, string[], string[]]>([
    ['', [''], ['a']],
    ['a|', ['a', ''], ['b']],
    ['(?i)crit.*', ['CRITICAL', 'crit'], ['acrit']],
    ['(?i:A)b', ['ab', 'Ab'], ['aB']],
    ['a(?i)b|c', ['ab', 'aB', 'c', 'C'], ['AB']],
    ['(?s).', ['\n'], ['']],
    ['(?P<name>a)(?<other>b)(?:c)', ['abc'], ['ab']],
    ['[[:digit:]]+', ['12'], ['', 'a']],
    ['[^[:alpha:]-]', ['1'], ['a', '-']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a\\]-]+', ['a]-'], ['b']],
    ['\\d{2,3}', ['12', '123'], ['1', '1234']],
    ['a{,2}', ['a{,2}'], ['a']],
    ['\\pL+\\p{Greek}', ['aλ', 'éλ'], ['1λ', 'aa']],
    ['\\P{Lu}', ['a'], ['A']],
    ['\\Qa.b\\E+', ['a.b', 'a.bb'], ['axb']],
    ['\\x41\\x{1F98A}\\101', ['A🦊A'], ['']],
    ['a\\b.c', ['a c'], ['abc']],
    ['^a$', ['a'], ['a\n']],
    ['a$b', [], ['ab', 'a\nb']],
    ['(?m)a$\\n^b', ['a\nb'], ['ab']],
    ['\\Aa\\z', ['a'], ['aa']],
    ['(a*)*', ['', 'aaa'], ['b']],
    ['(?i)ſ', ['ſ'], ['ss']],
    ['(?i)s', ['S'], ['ß']],
    ['.', ['🦊', 'é'], ['ab']],
  ])('%s', (source, good, bad) => {
    const regex = compileRegex(source);
    for (const text of good) expect([text, regex(text)]).toEqual([text, true]);
    for (const text of bad) expect([text, regex(text)]).toEqual([text, false]);
  });

  it.each([
    ['(?=a)', /look-around/],
    ['(?<!a)b', /look-around/],
    ['(a)\\1', /back reference/],
    ['(?<=a)b', /look-around/],
    ['(?!a)b', /look-around/],
    ['(a', /missing closing \): \(a$/],
    ['a)', /unexpected \)/],
    ['a)(b', /unexpected \)/],
    ['\\Qa', /missing closing \)/],
    ['[a', /missing closing \]/],
    ['*a', /missing argument to repetition operator: \*$/],
    ['a**', /nested repetition operator: \*\*$/],
    ['a{3,2}', /end before they begin.*\{3,2\}$/],
    ['a{1001}', /exceed 1000.*\{1001\}$/],
    ['((a{100}){100}){100}', /exceed 1000/],
    ['\\q', /invalid escape sequence: \\q$/],
    ['\\', /trailing backslash/],
    ['[b-a]', /range: b-a$/],
    ['\\p{Nope}', /class range: \\p\{Nope\}$/],
    ['[[:nope:]]', /class range: \[:nope:\]$/],
    ['(?x)a', /RE2/],
    ['('.repeat(1500) + ')'.repeat(1500), /nests too deeply/],
    ['(a|'.repeat(5000), /longer than 4000 characters/],
  ])('%s is refused', (source, message) => {
    expect(() => compileRegex(source)).toThrow(RegexProblem);
    expect(() => compileRegex(source)).toThrow(message);
  });

  it('takes time in proportion to the text, where backtracking would take for ever', () => {
    const regex = compileRegex('(a|a|aa)*(a|a)*b|(x+x+)+y');
    const began = performance.now();
    expect(regex('a'.repeat(1000))).toBe(false);
    expect(regex('x'.repeat(1000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  const piece = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\w',
    'a|b',
    '(?:ab)',
    '(a|b)',
    'a*',
    'b+',
    '(ab)?',
    '[ab]{1,2}',
    '^',
    '$',
    '\\b',
    '|',
  );
  const expression = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  const subject = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 6 });

  it('agrees with JavaScript where the two languages mean the same', () => {
    fc.assert(
      fc.property(expression, subject, (source, text) => {
        expect(compileRegex(source)(text)).toBe(new RegExp(`^(?:${source})$`).test(text));
      }),
      { numRuns: 3000 },
    );
  });
});

const amtool = spawnSync('amtool', ['--version']).status === 0;
describe.skipIf(!amtool)('Alertmanager itself decides the same (skipped where amtool is missing)', () => {
  const selectors: [string, Matcher['operator'], string][] = [
    ['a', '=', 'x'],
    ['a', '!=', 'x'],
    ['a', '=~', 'x|y.*'],
    ['a', '!~', 'x|y.*'],
    ['a', '=~', '(?i)X'],
    ['a', '=~', '.*'],
    ['a', '=~', '.+'],
    ['a', '=~', '[[:alpha:]]{2}'],
    ['a', '=~', '\\pL+'],
    ['a', '=~', 'y\\b.z'],
    ['a', '=~', '[^x]'],
    ['b', '=', ''],
    ['b', '!=', ''],
    ['b', '!~', '.+'],
  ];
  const subjects = ['x', 'X', 'xy', 'y', 'yz', 'y-z', 'é', 'éé', '1', 'ab'];

  it('on every selector and value', () => {
    const directory = mkdtempSync(join(tmpdir(), 'lastgood-amtool-'));
    try {
      const routes = selectors.map(([label, operator, value], index) => ({
        receiver: `r${index}`,
        continue: true,
        matchers: [`${label}${operator}"${value.replaceAll('\\', '\\\\')}"`],
      }));
      const receivers = ['none', ...routes.map((route) => route.receiver)].map((name) => ({ name }));
      const file = join(directory, 'alertmanager.yml');
      writeFileSync(file, JSON.stringify({ route: { receiver: 'none', routes }, receivers }));
      for (const value of subjects) {
        const output = execFileSync('amtool', ['config', 'routes', 'test', `--config.file=${file}`, `a=${value}`], {
          encoding: 'utf8',
        });
        const theirs = new Set(
          output
            .trim()
            .split(/[,\s]+/)
            .filter((name) => name !== 'none'),
        );
        const ours = new Set(
          selectors.flatMap(([label, operator, source], index) =>
            matches(select(label, operator, source), { a: value }) ? [`r${index}`] : [],
          ),
        );
        expect([value, ours]).toEqual([value, theirs]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
