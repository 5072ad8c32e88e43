import { type Drawing, LIMIT, section, withIds } from './blocks.ts';
import { outsideLines } from './text.ts';

/** Plain text of several lines, as it is. */
export function note(text: string): Drawing {
  return { text: outsideLines(text, LIMIT.fallback), blocks: withIds([section(outsideLines(text, LIMIT.text))]) };
}
