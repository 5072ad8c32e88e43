/** Stands for a quoted text while the rest is looked at. */
const quotedText = '·';

/** Names that can stand between `{{` and `}}` in a metric. */
export const placeholders = ['version', 'arm', 'service'] as const;

/**
 * What is wrong with the PromQL of a metric, or null. `counter`: a plain selector of raw series; Lastgood makes the increase
 * per window itself, with counter resets handled per series. `expression`: any PromQL.
 */
export function selectorProblem(text: string, form: 'counter' | 'expression'): string | null {
  for (const [whole, name] of text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)) {
    if (!placeholders.some((known) => known === name)) {
      return `${whole} is not known: use {{version}}, {{arm}} ("stable" or "candidate") or {{service}}`;
    }
  }
  const bare = text
    .replaceAll(/\{\{\s*\w+\s*\}\}/g, 'x')
    .replaceAll(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`[^`]*`/g, quotedText);
  if (/["'`]/.test(bare)) return 'has a quote that is not closed';
  const unbalanced = bracketProblem(bare);
  if (unbalanced) return unbalanced;
  return form === 'counter' ? counterProblem(bare) : null;
}

/** Whether it reads one arm: otherwise it is the same series whichever arm is asked for. */
export function namesArm(text: string): boolean {
  return /\{\{\s*(version|arm)\s*\}\}/.test(text);
}

/** Whether the arm is the whole value of a label, so that any of them can be asked for instead: the past of the whole service. */
export function canReadAnyArm(text: string): boolean {
  return !namesArm(text.replaceAll(/(?<!!)=~?\s*(["'`])\{\{\s*(version|arm)\s*\}\}\1/g, ''));
}

/** A label that is there to tell versions apart, and is held to one of them. Null: there is none. */
export function oneVersionProblem(text: string): string | null {
  const [whole, label] = /\b(version|arm)\s*=\s*(?:"[^"{]*"|'[^'{]*'|`[^`{]*`)/.exec(text) ?? [];
  if (whole === undefined || namesArm(text)) return null;
  return `${whole} reads one ${label} whichever is compared: write ${label}="{{${label}}}", or leave the label out where before and after are to be compared`;
}

function counterProblem(bare: string): string | null {
  const plain = 'must be a plain selector of raw counters such as requests_total{version="{{version}}"}';
  if (/[([]/.test(bare)) return `${plain}: leave out functions, sum and [5m], Lastgood makes the increase itself`;
  const label = /[a-zA-Z_][a-zA-Z0-9_]*\s*(=~|!~|!=|=)\s*·/.source;
  const selector = new RegExp(
    `^\\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\\s*(\\{\\s*(${label}\\s*(,\\s*${label}\\s*)*,?\\s*)?\\})?\\s*$`,
  );
  return selector.test(bare) ? null : `${plain} (label values in quotes)`;
}

function bracketProblem(bare: string): string | null {
  const pairs: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
  const open: string[] = [];
  for (const character of bare) {
    if ('([{'.includes(character)) open.push(character);
    else if (pairs[character] && open.pop() !== pairs[character]) return `has a "${character}" without its beginning`;
  }
  const left = open.pop();
  return left ? `has a "${left}" that is not closed` : null;
}
