import { type Fields, isFields } from './fields.ts';

const mention =
  /<!(channel|here|everyone)(?:\|[^>]*)?>|<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>/g;

/** Everything a message would notify: channel, here, everyone, user ids, user group ids; each once. */
export function mentionsIn(message: { text: string; blocks?: unknown; attachments?: unknown }): string[] {
  const found = new Set<string>();
  scan(message.text, found);
  walk(message.blocks, found);
  walk(message.attachments, found);
  return [...found];
}

function scan(text: string, found: Set<string>): void {
  for (const match of text.matchAll(mention)) found.add(match[1] ?? match[2] ?? match[3] ?? '');
}

function walk(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const entry of value) walk(entry, found);
  if (!isFields(value)) return;
  const target = richTextTarget(value);
  if (target !== null) found.add(target);
  // Text that is never parsed: plain text, table cells and code of rich text.
  if (value.type === 'plain_text' || value.type === 'raw_text' || value.type === 'text') return;
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry === 'string') {
      if (key === 'text' || key === 'pretext') scan(entry, found);
    } else {
      walk(entry, found);
    }
  }
}

function richTextTarget(element: Fields): string | null {
  if (element.type === 'broadcast') return String(element.range);
  if (element.type === 'user' && typeof element.user_id === 'string') return element.user_id;
  if (element.type === 'usergroup' && typeof element.usergroup_id === 'string') return element.usergroup_id;
  return null;
}

/** What Slack's composer sends for what a person typed: escaped, with @names and #channels as mentions. */
export function composed(
  text: string,
  directory: { users: Iterable<{ id: string; name: string }>; channels: Iterable<{ id: string; name: string }> },
  withNames: boolean,
): string {
  const users = new Map([...directory.users].map((user) => [user.name, user.id]));
  const channels = new Map([...directory.channels].map((channel) => [channel.name, channel.id]));
  return escapeText(text)
    .replace(/(^|[\s(])@([a-z0-9][a-z0-9._-]*)/g, (whole, before: string, name: string) => {
      if (['channel', 'here', 'everyone'].includes(name)) return `${before}<!${name}>`;
      const id = users.get(name);
      if (id === undefined) return whole;
      return `${before}<@${id}${withNames ? `|${name}` : ''}>`;
    })
    .replace(/(^|[\s(])#([a-z0-9][a-z0-9_-]*)/g, (whole, before: string, name: string) => {
      const id = channels.get(name);
      return id === undefined ? whole : `${before}<#${id}|${name}>`;
    });
}

/** Slack's three escapes. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
