import { utcTime } from '../../domain/words.ts';

/**
 * Characters that nobody sees and that turn a card around: control characters (line feed stays), bidirectional
 * overrides and isolates, line and paragraph separators. Letters that are written from right to left stay.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is what this is for
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
/** A half of a surrogate pair standing alone: Slack refuses the whole message for one. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Takes out what cannot be seen, and makes one line of it. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, ' ').trim();
}

/** Takes out what cannot be seen; line feeds stay. */
export function clean(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(UNSEEN, ' ').replace(LONE_SURROGATE, '\ufffd');
}

function escapeOnly(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/**
 * Text from outside, safe to put into any Slack text: `<!channel>` in an alert notifies nobody. At most `max` characters
 * after escaping; cut between graphemes, never inside an entity, with an ellipsis to show it.
 */
export function outside(text: string, max: number): string {
  return cut(oneLine(text), max);
}

/** The same for text of several lines. */
export function outsideLines(text: string, max: number): string {
  return cut(clean(text).trim(), max);
}

function cut(text: string, max: number): string {
  const whole = escapeOnly(text);
  if (whole.length <= max) return whole;
  let kept = '';
  for (const { segment } of GRAPHEMES.segment(text)) {
    const next = escapeOnly(segment);
    if (kept.length + next.length > max - 1) break;
    kept += next;
  }
  return `${kept.trimEnd()}…`;
}

/** Text that is escaped already (ours around outside text): cut at a line, else at a word, so that no link is torn. */
export function fitted(text: string, max: number): string {
  if (text.length <= max) return text;
  const lines = text.split('\n');
  let kept = '';
  for (const line of lines) {
    if (kept.length + line.length + 2 > max) break;
    kept += `${line}\n`;
  }
  if (kept !== '') return `${kept}…`;
  const head = text.slice(0, max - 1);
  const open = head.lastIndexOf('<');
  const whole = open > head.lastIndexOf('>') ? head.slice(0, open) : head.slice(0, Math.max(head.lastIndexOf(' '), 1));
  return `${whole.replace(/&[a-z]*$/, '')}…`;
}

/** A word from outside in a code span; back-ticks of its own would end it. */
export function code(text: string, max = 100): string {
  const shown = outside(text.replaceAll('`', "'"), max);
  return shown === '' ? '`-`' : `\`${shown}\``;
}

/** A link where the address is a web address, else the label alone. */
export function link(url: string, label: string, max = 150): string {
  const shown = outside(label.replaceAll('|', '/'), max);
  const address = webAddress(url);
  return address === null ? shown : `<${address}|${shown === '' ? 'link' : shown}>`;
}

/** Null unless it is http(s), short enough for Slack, and without anything that would end the link early. */
export function webAddress(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { href, protocol, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  if (username !== '' || password !== '') return null;
  const safe = href.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E').replaceAll('&', '&amp;');
  return safe.length <= 2000 ? safe : null;
}

/** A moment as everybody's own clock shows it; Slack falls back to UTC where it cannot. */
export function moment(ms: number, format: 'time' | 'seconds' | 'day' = 'time'): string {
  const token = { time: '{time}', seconds: '{time_secs}', day: '{date_short_pretty} {time}' }[format];
  const fallback = format === 'day' ? `${utcDay(ms)} ${utcTime(ms)}` : utcTime(ms);
  return `<!date^${Math.floor(ms / 1000)}^${token}|${fallback}>`;
}

/** "2026-11-21" */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "21 Nov 09:12 UTC", for where Slack shows no dates of its own: options, notifications. */
export function utcMoment(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''} ${utcTime(ms).slice(0, 5)} UTC`;
}
