/** A block as it goes to Slack. `@slack/types` does not know `data_visualization` yet, so shapes are our own. */
export interface Block {
  readonly type: string;
  readonly block_id?: string;
  readonly [field: string]: unknown;
}

/** What is sent: `text` is complete in itself, for phones and screen readers. */
export interface Drawing {
  readonly text: string;
  readonly blocks: readonly Block[];
}

export interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}
export interface Plain {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: true;
}

/** Slack's limits that cards are built to (slack.md). */
export const LIMIT = {
  blocks: 50,
  /** Slack: about 13,200 for all blocks of a message; some room is left. */
  message: 12_400,
  text: 3000,
  header: 150,
  buttonText: 75,
  buttonValue: 2000,
  contextElements: 10,
  modalTitle: 24,
  privateMetadata: 3000,
  /** Slack cuts the fallback text at 40,000 and advises 4,000. */
  fallback: 3500,
} as const;

/** `text` must be escaped; `verbatim` keeps Slack from finding links and names of its own in it. */
export function mrkdwn(text: string): Mrkdwn {
  return { type: 'mrkdwn', text: text === '' ? ' ' : text, verbatim: true };
}

export function plain(text: string): Plain {
  return { type: 'plain_text', text: text === '' ? '-' : text, emoji: true };
}

export function header(text: string): Block {
  return { type: 'header', text: plain(text) };
}

export function section(text: string): Block {
  return { type: 'section', text: mrkdwn(text) };
}

export function context(texts: readonly string[]): Block[] {
  const elements = texts.filter((text) => text !== '').slice(0, LIMIT.contextElements);
  return elements.length === 0 ? [] : [{ type: 'context', elements: elements.map((text) => mrkdwn(text)) }];
}

export const divider: Block = { type: 'divider' };

/** Gives every block an id that is new whenever anything of the message is: Slack wants fresh ones at each update. */
export function withIds(blocks: readonly Block[]): Block[] {
  return named(blocks, JSON.stringify(blocks));
}

function named(blocks: readonly Block[], text: string): Block[] {
  const salt = saltOf(text);
  return blocks.map((block, index) => ({ ...block, block_id: `${salt}-${index}` }));
}

/**
 * Twelve hexadecimal digits that differ where the text does, nearly always: FNV-1a (32 bit), and the upper half of the same with another
 * factor. Nobody has to be kept from finding two alike, and SHA-256 took half as long as drawing the card.
 */
function saltOf(text: string): string {
  let first = 0x811c9dc5;
  let second = first;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x85ebca6b);
  }
  return `${hex(first >>> 0, 8)}${hex(second >>> 16, 4)}`;
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

export function sizeOf(blocks: readonly Block[]): number {
  return JSON.stringify(blocks).length;
}

/** What an id adds to a block's text, apart from the id itself. */
const ID_FIELD = ',"block_id":""';

/** The first candidate that Slack will take, else the last. Candidates are tried from rich to plain. */
export function firstThatFits(candidates: readonly (() => readonly Block[])[]): readonly Block[] {
  let drawn: readonly Block[] = [];
  for (const draw of candidates) {
    const blocks = draw();
    const text = JSON.stringify(blocks);
    drawn = named(blocks, text);
    const size = drawn.reduce((sum, { block_id: id = '' }) => sum + ID_FIELD.length + id.length, text.length);
    if (drawn.length <= LIMIT.blocks && size <= LIMIT.message) return drawn;
  }
  return drawn;
}
