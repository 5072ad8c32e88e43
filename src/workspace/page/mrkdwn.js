import { h, link } from './dom.js';
import { emoji, withEmoji } from './emoji.js';
import { formatDate } from './time.js';

/** Slack's three escapes, undone. */
export function unescapeText(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** Slack's mrkdwn as nodes. `directory` knows names of users, channels and groups. */
export function mrkdwn(text, directory) {
  return text.split(/```([\s\S]*?)```/).map((part, index) => {
    if (index % 2 === 1) return h('pre', { class: 'pre' }, plainly(part.replace(/^\n/, ''), directory));
    return lines(part.replace(index > 0 ? /^\n/ : /^(?!)/, ''), directory);
  });
}

/** Lines, with runs that begin with `>` as quotes. */
function lines(text, directory) {
  const nodes = [];
  let quote = null;
  const all = text.split('\n');
  all.forEach((line, index) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted !== null) {
      if (quote === null) {
        quote = h('blockquote', { class: 'quote' });
        nodes.push(quote);
      } else quote.append(h('br'));
      quote.append(...inline(quoted[1], directory));
      return;
    }
    const afterQuote = quote !== null;
    quote = null;
    if (index > 0 && !afterQuote) nodes.push(h('br'));
    nodes.push(...inline(line, directory));
  });
  return nodes;
}

/** What `<…>` means: links, mentions, dates. */
function angle(body, directory) {
  const bar = body.indexOf('|');
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : unescapeText(body.slice(bar + 1));
  const mention = (text, self = false) => h('span', { class: self ? 'mention mention-me' : 'mention' }, text);
  if (target.startsWith('@')) {
    return mention(`@${directory.user(target.slice(1)) ?? label ?? target.slice(1)}`, directory.me === target.slice(1));
  }
  if (target.startsWith('#')) return mention(`#${directory.channel(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith('!date^')) {
    const [, seconds, format = '', url] = target.split('^');
    const shown = formatDate(seconds, unescapeText(format)) ?? label ?? '';
    const time = h('time', { 'data-seconds': seconds, 'data-format': unescapeText(format), title: label }, shown);
    return url === undefined ? time : link(unescapeText(url), time);
  }
  if (target.startsWith('!subteam^')) return mention(`@${directory.group(target.slice(9)) ?? label ?? 'group'}`, true);
  if (/^!(channel|here|everyone)$/.test(target)) return mention(`@${target.slice(1)}`, true);
  if (target.startsWith('!')) return document.createTextNode(label ?? `<${target}>`);
  const url = unescapeText(target);
  return link(url, label === null ? url.replace(/^mailto:/, '') : withEmoji(label));
}

/** Angle brackets and nothing else: inside code. */
function plainly(text, directory) {
  return text
    .split(/<([^<>\n]+)>/)
    .map((part, index) => (index % 2 === 1 ? angle(part, directory) : unescapeText(part)));
}

const boundary = '(?<![\\p{L}\\p{N}])';
const spans = [
  [new RegExp(`${boundary}\\*(?!\\s)([^*\\n]+?)(?<!\\s)\\*(?![\\p{L}\\p{N}])`, 'u'), 'strong'],
  [new RegExp(`${boundary}_(?!\\s)([^_\\n]+?)(?<!\\s)_(?![\\p{L}\\p{N}])`, 'u'), 'em'],
  [new RegExp(`${boundary}~(?!\\s)([^~\\n]+?)(?<!\\s)~(?![\\p{L}\\p{N}])`, 'u'), 'del'],
];

/** Code, links and mentions first (they are not looked into), then bold, italic, strike, then emoji. */
function inline(text, directory) {
  const held = [];
  const hold = (node) => {
    held.push(node);
    return `\u{E000}${held.length - 1}\u{E001}`;
  };
  const safe = text.replace(/[\u{E000}\u{E001}]/gu, '');
  const marked = safe
    .replace(/`([^`\n]+)`/g, (_whole, code) => hold(h('code', { class: 'code' }, ...plainly(code, directory))))
    .replace(/<([^<>\n]+)>/g, (_whole, body) => hold(angle(body, directory)));
  return styled(marked, held);
}

function styled(text, held) {
  for (const [pattern, tag] of spans) {
    const match = pattern.exec(text);
    if (match === null) continue;
    return [
      ...styled(text.slice(0, match.index), held),
      h(tag, {}, ...styled(match[1], held)),
      ...styled(text.slice(match.index + match[0].length), held),
    ];
  }
  return text
    .split(/\u{E000}(\d+)\u{E001}/u)
    .map((part, index) => (index % 2 === 1 ? held[Number(part)] : withEmoji(unescapeText(part))))
    .filter((part) => part !== '');
}

/** A text object. */
export function textObject(text, directory) {
  if (text === undefined || text === null) return [];
  if (text.type === 'mrkdwn') return mrkdwn(text.text, directory);
  return plainText(text.text, text.emoji !== false);
}

/** Plain text with its line breaks. */
export function plainText(text, emojis = true) {
  const shown = unescapeText(emojis ? withEmoji(text) : text);
  return shown.split('\n').flatMap((line, index) => (index === 0 ? [line] : [h('br'), line]));
}

/** Standard Markdown, as far as messages use it: headings, lists, bold, links, code. */
export function markdown(text, directory) {
  return text.split(/\n{2,}/).map((paragraph) => {
    const heading = /^(#{1,6})\s+(.*)$/.exec(paragraph);
    if (heading !== null) return h('p', { class: 'md-heading' }, ...inline(slackStyle(heading[2]), directory));
    const items = paragraph.split('\n');
    if (items.every((line) => /^\s*[-*]\s+/.test(line))) {
      return h(
        'ul',
        {},
        ...items.map((line) => h('li', {}, ...inline(slackStyle(line.replace(/^\s*[-*]\s+/, '')), directory))),
      );
    }
    return h('p', {}, ...mrkdwn(slackStyle(paragraph), directory));
  });
}

function slackStyle(text) {
  return text
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, '<$2|$1>')
    .replace(/(?<!\*)\*(?!\*)([^*\n]+)\*(?!\*)/g, '_$1_')
    .replace(/\*\*([^*\n]+)\*\*/g, '*$1*')
    .replace(/~~([^~\n]+)~~/g, '~$1~');
}

/** A rich_text block's nodes. */
export function richText(block, directory) {
  return (block.elements ?? []).map((part) => richPart(part, directory));
}

function richPart(part, directory) {
  const children = (part.elements ?? []).map((element) =>
    element.type === 'rich_text_section' ? richPart(element, directory) : richElement(element, directory),
  );
  if (part.type === 'rich_text_quote') return h('blockquote', { class: 'quote' }, ...children);
  if (part.type === 'rich_text_preformatted') return h('pre', { class: 'pre' }, ...children);
  if (part.type === 'rich_text_list') {
    return h(
      part.style === 'ordered' ? 'ol' : 'ul',
      { class: `list indent-${part.indent ?? 0}` },
      ...children.map((child) => h('li', {}, child)),
    );
  }
  return h('span', { class: 'rich-section' }, ...children);
}

function richElement(element, directory) {
  const node = richNode(element, directory);
  const style = element.style ?? {};
  let wrapped = node;
  for (const [name, tag] of [
    ['bold', 'strong'],
    ['italic', 'em'],
    ['strike', 'del'],
    ['code', 'code'],
  ]) {
    if (style[name] === true) wrapped = h(tag, tag === 'code' ? { class: 'code' } : {}, wrapped);
  }
  return wrapped;
}

function richNode(element, directory) {
  switch (element.type) {
    case 'text':
      return h('span', {}, ...plainText(element.text));
    case 'link':
      return link(element.url, element.text ?? element.url);
    case 'emoji':
      return document.createTextNode(emoji(element.name));
    case 'user':
      return angle(`@${element.user_id}`, directory);
    case 'channel':
      return angle(`#${element.channel_id}`, directory);
    case 'usergroup':
      return angle(`!subteam^${element.usergroup_id}`, directory);
    case 'broadcast':
      return angle(`!${element.range}`, directory);
    case 'date':
      return document.createTextNode(formatDate(element.timestamp, element.format) ?? element.fallback ?? '');
    case 'color':
      return h('code', { class: 'code' }, element.value);
    default:
      return document.createTextNode('');
  }
}
