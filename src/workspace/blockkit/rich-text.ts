import type { Fields } from '../fields.ts';
import type { Check } from './check.ts';
import { limits } from './limits.ts';

const inline: Readonly<Record<string, { required: string[]; fields: string[] }>> = {
  text: { required: ['text'], fields: ['text'] },
  link: { required: ['url'], fields: ['url', 'text', 'unsafe'] },
  user: { required: ['user_id'], fields: ['user_id'] },
  usergroup: { required: ['usergroup_id'], fields: ['usergroup_id'] },
  channel: { required: ['channel_id'], fields: ['channel_id'] },
  team: { required: ['team_id'], fields: ['team_id'] },
  emoji: { required: ['name'], fields: ['name', 'unicode', 'url', 'skin_tone'] },
  date: { required: ['timestamp', 'format'], fields: ['timestamp', 'format', 'url', 'fallback'] },
  broadcast: { required: ['range'], fields: ['range'] },
  color: { required: ['value'], fields: ['value'] },
};

/** Checks a rich_text block, wherever it stands (block, table cell, container title, task details). */
export function checkRichText(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'elements']);
  if (!check.required(block, at, 'elements')) return;
  check.list(block.elements, `${at}/elements`, { min: 1, max: Number.POSITIVE_INFINITY }).forEach((value, index) => {
    checkPart(check, value, `${at}/elements/${index}`);
  });
}

function checkPart(check: Check, value: unknown, at: string): void {
  const part = check.object(value, at);
  if (part === null) return;
  const extra: Record<string, string[]> = {
    rich_text_section: [],
    rich_text_quote: ['border'],
    rich_text_preformatted: ['border', 'language'],
    rich_text_list: ['border', 'style', 'indent', 'offset'],
  };
  const fields = extra[String(part.type)];
  if (fields === undefined) {
    check.fail(`unsupported type: ${String(part.type)}`, `${at}/type`);
    return;
  }
  check.onlyFields(part, at, ['type', 'elements', ...fields]);
  if (!check.required(part, at, 'elements')) return;
  const list = part.type === 'rich_text_list';
  if (list) {
    check.required(part, at, 'style');
    check.oneOf(part.style, `${at}/style`, ['bullet', 'ordered']);
  }
  check.list(part.elements, `${at}/elements`, { min: 0, max: Number.POSITIVE_INFINITY }).forEach((element, index) => {
    const where = `${at}/elements/${index}`;
    if (list) checkPart(check, element, where);
    else checkInline(check, element, where);
  });
}

function checkInline(check: Check, value: unknown, at: string): void {
  const element = check.object(value, at);
  if (element === null) return;
  const rule = inline[String(element.type)];
  if (rule === undefined) {
    check.fail(`unsupported type: ${String(element.type)}`, `${at}/type`);
    return;
  }
  check.onlyFields(element, at, ['type', 'style', ...rule.fields]);
  check.required(element, at, ...rule.required);
  check.string(element.text, `${at}/text`, { max: Number.POSITIVE_INFINITY, visible: true });
  if (element.type === 'link') check.url(element.url, `${at}/url`);
  if (element.type === 'broadcast') check.oneOf(element.range, `${at}/range`, ['here', 'channel', 'everyone']);
  if (element.style === undefined) return;
  const style = check.object(element.style, `${at}/style`);
  if (style === null) return;
  check.onlyFields(style, `${at}/style`, [
    'bold',
    'italic',
    'strike',
    'code',
    'highlight',
    'client_highlight',
    'unlink',
    'underline',
  ]);
}

/** Checks a field that must hold one rich_text block. */
export function checkRichTextField(check: Check, value: unknown, at: string): void {
  if (value === undefined) return;
  const block = check.object(value, at);
  if (block === null) return;
  if (block.type !== 'rich_text') {
    check.fail(`unsupported type: ${String(block.type)}`, `${at}/type`);
    return;
  }
  check.string(block.block_id, `${at}/block_id`, { max: limits.id });
  checkRichText(check, block, at);
}
