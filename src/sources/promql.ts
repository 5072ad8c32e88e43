/** Filling a policy's PromQL: `{{version}}`, `{{arm}}`, `{{service}}`. */

export interface Placeholders {
  readonly version: string;
  readonly arm: 'stable' | 'candidate';
  readonly service: string;
}

/**
 * Fills the placeholders so that a value stays a value: escaped for the quotes it stands in (PromQL's strings are Go's), and
 * for the pattern where the matcher is =~ or !~. Throws a plain sentence where a value cannot be written there.
 */
export function fillPromql(template: string, values: Placeholders): string {
  return walk(template, (name, place) => written(values[name], name, place));
}

/**
 * The same with any version: what the service did before, whichever version it ran. `label="{{version}}"` becomes `label=~".+"`.
 * Null where the selector does not name the version, or not in a way that can be widened.
 */
export function fillForAnyVersion(template: string, values: Placeholders): string | null {
  const anyVersion = widened(template, 'version');
  if (anyVersion === template || names(anyVersion, 'version')) return null;
  return fillPromql(anyVersion, values);
}

/**
 * The same for the whole service: any version and either arm. A selector that names neither is one of the whole service as it
 * stands. Null where it names them in a way that cannot be widened.
 */
export function fillForWholeService(template: string, values: Placeholders): string | null {
  const whole = widened(widened(template, 'version'), 'arm');
  if (names(whole, 'version') || names(whole, 'arm')) return null;
  return fillPromql(whole, values);
}

function names(template: string, name: 'version' | 'arm'): boolean {
  return new RegExp(`\\{\\{\\s*${name}\\s*\\}\\}`).test(template);
}

function widened(template: string, name: 'version' | 'arm'): string {
  const matcher = new RegExp(`=~?\\s*(["'\`])\\{\\{\\s*${name}\\s*\\}\\}\\1`, 'g');
  return template.replace(matcher, (match, _quote, at: number) => (template[at - 1] === '!' ? match : '=~".+"'));
}

interface Place {
  /** The quote it stands in; null: outside of strings. */
  readonly quote: string | null;
  readonly isPattern: boolean;
}

const PLACEHOLDER = /^\{\{\s*(version|arm|service)\s*\}\}/;

function walk(template: string, fill: (name: keyof Placeholders, place: Place) => string): string {
  let out = '';
  let quote: string | null = null;
  let isPattern = false;
  for (let i = 0; i < template.length; ) {
    const found = PLACEHOLDER.exec(template.slice(i, i + 40));
    const char = template[i] ?? '';
    if (found !== null) {
      out += fill(found[1] as keyof Placeholders, { quote, isPattern });
      i += found[0].length;
    } else if (quote !== null && quote !== '`' && char === '\\') {
      out += template.slice(i, i + 2);
      i += 2;
    } else {
      if (quote === null && (char === '"' || char === "'" || char === '`')) {
        quote = char;
        isPattern = /[=!]~\s*$/.test(out);
      } else if (quote === char) quote = null;
      out += char;
      i += 1;
    }
  }
  return out;
}

function written(value: string, name: string, place: Place): string {
  const text = place.isPattern ? value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : value;
  if (place.quote === null) {
    if (/^[A-Za-z0-9_:]+$/.test(value)) return value;
    throw new Error(`{{${name}}} is "${value}", which only fits inside of quotes`);
  }
  if (place.quote === '`') {
    if (!text.includes('`')) return text;
    throw new Error(`{{${name}}} is "${value}", which does not fit between backticks`);
  }
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll(place.quote, `\\${place.quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}
