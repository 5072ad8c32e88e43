/** One sample of a scrape: its name under `__name__`, like every other label. */
export interface ScrapedSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A line that is not the text exposition format; the scrape it is in counts as failed, as with Prometheus. */
export class ExpositionProblem extends Error {
  override readonly name = 'ExpositionProblem';
}

const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelForm = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:\\.|[^"\\\n])*)"\s*(,|(?=\}))/;

/** Reads the text exposition format 0.0.4. Comments are passed over, and timestamps too: the scrape's time counts. */
export function parseExposition(text: string): ScrapedSample[] {
  const samples: ScrapedSample[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const sample = parseLine(trimmed);
    if (sample === null) throw new ExpositionProblem(`line ${index + 1} is not a sample: ${trimmed.slice(0, 80)}`);
    samples.push(sample);
  }
  return samples;
}

function parseLine(line: string): ScrapedSample | null {
  const name = nameForm.exec(line)?.[0];
  if (name === undefined) return null;
  const labels: Record<string, string> = { __name__: name };
  let rest = line.slice(name.length);
  if (/^\s*\{/.test(rest)) {
    rest = rest.replace(/^\s*\{/, '');
    for (let label = labelForm.exec(rest); label !== null; label = labelForm.exec(rest)) {
      labels[label[1] ?? ''] = unescaped(label[2] ?? '');
      rest = rest.slice(label[0].length);
    }
    if (!/^\s*\}/.test(rest)) return null;
    rest = rest.replace(/^\s*\}/, '');
  } else if (!/^\s/.test(rest)) return null;
  const [value = '', timestamp, ...more] = rest.trim().split(/\s+/);
  if (more.length > 0 || (timestamp !== undefined && !/^-?\d+$/.test(timestamp))) return null;
  const number = parseValue(value);
  return number === null ? null : { labels, value: number };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

/** A number as Go reads it; null where it is none. */
function parseValue(text: string): number | null {
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^\+?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}
