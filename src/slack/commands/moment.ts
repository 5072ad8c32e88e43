import { utcMoment } from '../cards/text.ts';
import { durationMs } from './words.ts';

/** A moment in the past as people say it: how long ago, a time of the clock, or a date with both. */

const DAY_MS = 86_400_000;
/** Nothing is known from longer ago, and a slip of the finger reaches further. */
const FURTHEST_MS = 366 * DAY_MS;
const LONGEST = 40;
const AGO = /^(.+?)(?:\s+ago)?$/;
const CLOCK = /^(?:(today|yesterday)\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:utc|z)?$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?\s*(z|utc|[+-]\d{2}:?\d{2})?$/;
const HOW =
  'Say how long ago (`2 h ago`, `90m`), a time in UTC (`09:12`, `yesterday 14:00`), or both with a zone (`2026-11-21T09:12Z`).';

/** Unix ms; or what is wrong with it, in plain words. */
export type Moment = { readonly atMs: number } | { readonly problem: string };

/** "2 h ago", "90m", "1 d ago", "09:12", "yesterday 14:00", "2026-11-21T09:12Z" → when that was, seen from `nowMs`. */
export function pastMoment(text: string, nowMs: number): Moment {
  const said = text.trim().toLowerCase().replace(/\s+/g, ' ');
  if (said === '') return { problem: HOW };
  if (said.length > LONGEST) return { problem: `It was not understood as a time. ${HOW}` };
  return past(clockTime(said, nowMs) ?? dateTime(said) ?? ago(said, nowMs), nowMs);
}

function past(found: Moment, nowMs: number): Moment {
  if ('problem' in found) return found;
  if (found.atMs > nowMs) return { problem: `That is ${utcMoment(found.atMs)}, which is still to come.` };
  if (found.atMs === nowMs) return { problem: 'That is now: say a time before things went wrong.' };
  if (nowMs - found.atMs > FURTHEST_MS) return { problem: 'That is over a year ago: nothing is known from then.' };
  return found;
}

function ago(said: string, nowMs: number): Moment {
  if (/^\d+(?:\.\d+)?(?: ago)?$/.test(said)) {
    const number = said.replace(' ago', '');
    return { problem: `${number} of what? Write \`${number}m\`, \`${number}h\` or \`${number}d\`.` };
  }
  const words = AGO.exec(said)?.[1] ?? said;
  const short = words
    .replace(/(\d)\s*(?:hours?|hrs?)\b/g, '$1h')
    .replace(/(\d)\s*(?:minutes?|mins?)\b/g, '$1m')
    .replace(/(\d)\s*(?:seconds?|secs?)\b/g, '$1s')
    .replace(/(\d)\s*days?\b/g, '$1d')
    .replace(/(\d) (?=[hmsd])/g, '$1')
    .replace(/(\d[hmsd]) (?=\d)/g, '$1');
  const ms = durationMs(short);
  if (ms !== null) return { atMs: nowMs - ms };
  return { problem: `It was not understood as a time. ${HOW}` };
}

/** Null: it is no time of the clock. */
function clockTime(said: string, nowMs: number): Moment | null {
  const found = CLOCK.exec(said);
  if (!found) return null;
  const [, day, hours, minutes, seconds = '0'] = found;
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 23 || m > 59 || s > 59) return { problem: 'There is no such time of the day: 00:00 to 23:59.' };
  const midnight = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const atMs = midnight + ((h * 60 + m) * 60 + s) * 1000 - (day === 'yesterday' ? DAY_MS : 0);
  if (atMs <= nowMs) return { atMs };
  const clock = `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
  return { problem: `It is not ${clock} UTC yet today. Did you mean \`yesterday ${clock}\`?` };
}

/** Null: it does not begin as a date. */
function dateTime(said: string): Moment | null {
  if (/^\d{1,2}[/.]\d{1,2}([/.]\d{2,4})?\b/.test(said))
    return { problem: 'Dates are written differently here and there: write `2026-11-21T09:12Z`.' };
  if (!/^\d{4}-\d{2}/.test(said)) return null;
  const found = DATE_TIME.exec(said);
  if (!found)
    return {
      problem: 'A date needs its time and zone: `2026-11-21T09:12Z` is in UTC, `2026-11-21T10:12+01:00` is not.',
    };
  if (found[1] === undefined) {
    const asUtc = said.replace(' ', 'T').toUpperCase();
    return { problem: `In which zone? Write \`${asUtc}Z\` for UTC, or \`${asUtc}+01:00\`.` };
  }
  const iso = said
    .toUpperCase()
    .replace(/\s*UTC$/, 'Z')
    .replace(/^(\S+) (?=\d)/, '$1T');
  const atMs = Date.parse(iso);
  const exists = !Number.isNaN(atMs) && isOnCalendar(iso);
  return exists ? { atMs } : { problem: 'There is no such date or time.' };
}

/** JavaScript takes 31 February for 3 March. */
function isOnCalendar(iso: string): boolean {
  const day = iso.slice(0, 10);
  const atMs = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().slice(0, 10) === day;
}
