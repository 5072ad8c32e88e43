import { describe, expect, it } from 'vitest';
import { pastMoment } from '../../src/slack/commands/moment.ts';
import { NOON } from './states.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const utc = (text: string) => Date.parse(text);

describe('a moment in the past', () => {
  it.each([
    ['2 h ago', NOON - 2 * HOUR],
    ['2h', NOON - 2 * HOUR],
    ['90m', NOON - 1.5 * HOUR],
    ['1 d ago', NOON - DAY],
    ['1h30m ago', NOON - 1.5 * HOUR],
    ['1 h 30 min ago', NOON - 1.5 * HOUR],
    ['2 hours ago', NOON - 2 * HOUR],
    ['45 minutes', NOON - 0.75 * HOUR],
    ['  3   DAYS ago ', NOON - 3 * DAY],
    ['09:12', utc('2026-11-21T09:12:00Z')],
    ['9:12 UTC', utc('2026-11-21T09:12:00Z')],
    ['today 11:59:30', utc('2026-11-21T11:59:30Z')],
    ['yesterday 14:00', utc('2026-11-20T14:00:00Z')],
    ['2026-11-21T09:12Z', utc('2026-11-21T09:12:00Z')],
    ['2026-11-21 09:12 UTC', utc('2026-11-21T09:12:00Z')],
    ['2026-11-21T09:12:30.5+01:00', utc('2026-11-21T08:12:30.5Z')],
    ['2026-11-21 09:12+0100', utc('2026-11-21T08:12:00Z')],
  ])('%j', (text, atMs) => {
    expect(pastMoment(text, NOON)).toEqual({ atMs });
  });

  it.each([
    ['14:00', 'It is not 14:00 UTC yet today. Did you mean `yesterday 14:00`?'],
    ['2026-11-21T14:00Z', 'That is 21 Nov 14:00 UTC, which is still to come.'],
    ['12:00', 'That is now: say a time before things went wrong.'],
    ['0m', 'That is now: say a time before things went wrong.'],
    ['2', '2 of what? Write `2m`, `2h` or `2d`.'],
    ['2 ago', '2 of what? Write `2m`, `2h` or `2d`.'],
    ['2026-11-21', 'A date needs its time and zone'],
    ['2026-11-21T09:12', 'In which zone? Write `2026-11-21T09:12Z` for UTC, or `2026-11-21T09:12+01:00`.'],
    ['2026-02-31T09:12Z', 'There is no such date or time.'],
    ['2026-11-20T25:12Z', 'There is no such date or time.'],
    ['21.11.2026 09:12', 'Dates are written differently here and there'],
    ['11/10', 'Dates are written differently here and there'],
    ['25:00', 'There is no such time of the day'],
    ['400d', 'over a year ago'],
    ['the other day', 'It was not understood as a time. Say how long ago'],
    ['-2h', 'It was not understood as a time'],
    ['', 'Say how long ago'],
    ['9'.repeat(500), 'It was not understood as a time'],
  ])('%j is refused, and says what to write', (text, problem) => {
    expect(pastMoment(text, NOON)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
