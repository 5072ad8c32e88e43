import type { Block } from '../../src/slack/cards/blocks.ts';

interface Element {
  readonly type: string;
  readonly text?: { readonly text: string } | string;
  readonly action_id?: string;
  readonly value?: string;
  readonly style?: string;
}

/** Everything a reader sees, one line a block; a table one line a row. Dates as their UTC fallback. */
export function seen(blocks: readonly Block[]): string {
  return blocks
    .map(lineOf)
    .join('\n')
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, '$1');
}

function lineOf(block: Block): string {
  switch (block.type) {
    case 'header':
    case 'section':
      return textOf(block.text);
    case 'context':
      return (block.elements as Element[]).map((e) => textOf(e.text)).join(' / ');
    case 'actions':
      return buttons([block])
        .map((b) => `[${b.label}]`)
        .join(' ');
    case 'table':
      return (block.rows as { text: string }[][]).map((row) => row.map((cell) => cell.text).join(' | ')).join('\n');
    case 'data_visualization':
      return `(chart: ${String(block.title)})`;
    default:
      return `(${block.type})`;
  }
}

function textOf(text: unknown): string {
  return typeof text === 'string' ? text : ((text as { text?: string } | undefined)?.text ?? '');
}

export function buttons(
  blocks: readonly Block[],
): { label: string; actionId: string; value: string; style?: string }[] {
  return blocks
    .filter((block) => block.type === 'actions')
    .flatMap((block) => block.elements as Element[])
    .map((e) => ({ label: textOf(e.text), actionId: e.action_id ?? '', value: e.value ?? '', style: e.style }));
}

/** Every string anywhere in the blocks. */
export function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(strings);
  return [];
}
