import type { Notice } from '../../ports/chat.ts';
import { type Drawing, LIMIT, section, withIds } from './blocks.ts';
import { outside, outsideLines } from './text.ts';

/** What operators are told of the instance itself, in the one message that an outage gets. */
export function notice({ tone, text }: Notice): Drawing {
  const emoji = tone === 'trouble' ? '⚠️' : '✅';
  return {
    text: `${emoji} ${outside(text, LIMIT.fallback - 10)}`,
    blocks: withIds([section(`${emoji} ${outsideLines(text, LIMIT.text - 10)}`)]),
  };
}
