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
  return filled(partsOf(template), values);
}

/** More selectors than all policies of one Prometheus have; beyond them some are taken apart again. */
const MOST_TEMPLATES = 10_000;

/** `fillPromql` that takes each template apart once: they are filled at every look. */
export function createFilling(): typeof fillPromql {
  const known = new Map<string, readonly Part[]>();
  return (template, values) => {
    const parts = known.get(template) ?? partsOf(template);
    if (known.size >= MOST_TEMPLATES) known.clear();
    known.set(template, parts);
    return filled(parts, values);
  };
}

function filled(parts: readonly Part[], values: Placeholders): string {
  let out = '';
  for (const part of parts) {
    out += typeof part === 'string' ? part : written(values[part.name], part.name, part.place);
  }
  return out;
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

type Part = string | { readonly name: keyof Placeholders; readonly place: Place };

/** What is written as it stands, and the placeholders between. */
function partsOf(template: string): Part[] {
  const parts: Part[] = [];
  let out = '';
  let quote: string | null = null;
  let isPattern = false;
  for (let i = 0; i < template.length; ) {
    const found = PLACEHOLDER.exec(template.slice(i, i + 40));
    const char = template[i] ?? '';
    if (found !== null) {
      parts.push(out, { name: found[1] as keyof Placeholders, place: { quote, isPattern } });
      out = '';
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
  return [...parts, out];
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
