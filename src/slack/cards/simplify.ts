import { type Block, type Drawing, LIMIT, section, withIds } from './blocks.ts';
import { fitted } from './text.ts';

/** Blocks every workspace knows. Anything else is replaced where Slack refuses a message. */
const OLD = new Set(['header', 'section', 'context', 'actions', 'divider']);

/**
 * The same message in plainer clothes, for when Slack refuses its blocks: first newer blocks as text, then only the
 * fallback text with the buttons. The buttons are in all of them: people must be able to answer.
 */
export function plainer(drawing: Drawing): readonly Drawing[] {
  const asText = drawing.blocks.flatMap((block) => (OLD.has(block.type) ? [bare(block)] : inWords(block)));
  const buttons = drawing.blocks.filter((block) => block.type === 'actions').map(bare);
  return [
    { text: drawing.text, blocks: withIds(asText) },
    { text: drawing.text, blocks: withIds([section(fitted(drawing.text, LIMIT.text)), ...buttons]) },
  ];
}

function bare({ block_id: _stale, ...block }: Block): Block {
  return block as Block;
}

function inWords(block: Block): Block[] {
  if (block.type !== 'table' || !Array.isArray(block.rows)) return [];
  const rows = block.rows as readonly (readonly { readonly text: string }[])[];
  const heads = rows[0]?.map((cell) => cell.text) ?? [];
  const lines = rows.slice(1).map((row) => {
    const [name, ...rest] = row.map((cell, index) => (index === 0 ? `*${cell.text}*` : `${heads[index]} ${cell.text}`));
    return `${name ?? ''}: ${rest.join(' · ')}`;
  });
  return lines.length === 0 ? [] : [section(fitted(lines.join('\n'), LIMIT.text))];
}
