import { code } from '../cards/text.ts';
import { Misunderstood, serviceCommand } from './define.ts';
import { durationMs } from './words.ts';

const ALLOWED_MS = [600_000, 1_800_000, 3_600_000];

export const extend = serviceCommand({
  name: 'extend',
  usage: 'SERVICE 10m|30m|60m [--reason TEXT]',
  summary: 'Move the deadline of the open question',
  rest: { atLeast: 1, atMost: 1 },
  command: (_words, [length = ''], reason) => {
    const byMs = durationMs(length);
    if (byMs === null || !ALLOWED_MS.includes(byMs)) {
      throw new Misunderstood(`A deadline is extended by \`10m\`, \`30m\` or \`60m\`, not by ${code(length)}.`);
    }
    return { name: 'extend', byMs, reason };
  },
});
