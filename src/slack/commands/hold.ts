import { code } from '../cards/text.ts';
import { Misunderstood, serviceCommand } from './define.ts';
import { durationMs } from './words.ts';

export const hold = serviceCommand({
  name: 'hold',
  usage: 'SERVICE [30m] [--reason TEXT]',
  summary: 'No automatic action for a while; then it asks again',
  rest: { atLeast: 0, atMost: 1 },
  command: (_words, [length], reason) => {
    if (length === undefined) return { name: 'hold', forMs: null, reason };
    const forMs = durationMs(length);
    if (forMs === null) throw new Misunderstood(`${code(length)} is no duration: \`30m\` or \`2h\`.`);
    return { name: 'hold', forMs, reason };
  },
});
