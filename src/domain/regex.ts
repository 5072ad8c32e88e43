import { RE2JS, RE2JSSyntaxException } from 're2js';

/** The expression cannot be used; the message has RE2's words, which are Alertmanager's, and the part it stumbled over. */
export class RegexProblem extends Error {
  override readonly name = 'RegexProblem';
}

/** Longer ones would take seconds to compile. Plain alternatives never come here. */
const maxCharacters = 4000;

/** What people know from elsewhere and RE2 does not have, or limits; the library's words do not say it. */
const explanations: readonly (readonly [RegExp, string])[] = [
  [/^\(\?<?[=!]/, 'look-around, which Alertmanager (RE2) does not have'],
  [/^\\[1-9]/, 'a back reference, which Alertmanager (RE2) does not have'],
  [/^\(\?/, 'a "(?" that Alertmanager (RE2) does not know'],
  [/^\{\d/, 'repetitions must not end before they begin, nor exceed 1000'],
];

/**
 * Whether an expression matches a whole text, in Alertmanager's syntax and in time proportional to the text: JavaScript's own
 * can take for ever on a text made for it, and label values come from outside. Throws RegexProblem.
 */
export function compileRegex(source: string): (text: string) => boolean {
  if (source.length > maxCharacters) throw new RegexProblem(`longer than ${maxCharacters} characters`);
  try {
    // By itself first: "a)(b" is no expression, though it would become one between the anchors.
    RE2JS.compile(source);
    const anchored = RE2JS.compile(`^(?:${source})$`);
    return (text) => anchored.testExact(text);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const part = error.getPattern() ?? '';
    const explained = explanations.find(([begin]) => begin.test(part))?.[1];
    const words = explained ? `${explained} (${error.getDescription()})` : error.getDescription();
    throw new RegexProblem(part === '' ? words : `${words}: ${part.slice(0, 60)}`, { cause: error });
  }
}
