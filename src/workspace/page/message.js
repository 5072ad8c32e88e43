import { renderBlocks } from './blocks.js';
import { h, link, safeUrl } from './dom.js';
import { emoji } from './emoji.js';
import { mrkdwn } from './mrkdwn.js';
import { ago, clock, dateOf } from './time.js';

const attachmentColors = { good: '#2eb67d', warning: '#ecb22e', danger: '#e01e5a' };

/** A person's or the app's picture: initials on their colour. */
export function avatar(author, small = false) {
  const className = `avatar${small ? ' avatar-small' : ''}`;
  if (author.bot) return h('img', { class: className, src: '/icon.svg', alt: '' });
  const initials = author.name
    .split(/\s+/)
    .map((word) => word[0])
    .slice(0, 2)
    .join('')
    .toUpperCase();
  return h('span', { class: className, style: { background: author.color }, 'aria-hidden': 'true' }, initials);
}

/** Who wrote a message. */
export function authorOf(message, store) {
  if (message.from === 'slackbot') return { name: 'Slackbot', bot: true, app: false };
  if (message.bot_id !== undefined || message.from === 'app') return { name: store.bot.name, bot: true, app: true };
  const user = store.users.find((one) => one.id === message.user);
  return { name: user?.realName ?? message.user, color: user?.color ?? '#6b7280', bot: false, app: false };
}

function contentOf(message, store, inThread) {
  const target = message.ts;
  const context = {
    target,
    // A parent is drawn twice, in the channel and in its thread: ids and radio groups must differ.
    prefix: inThread ? 'thread-' : '',
    directory: store.directory,
    refresh: () => store.redraw(message.ts),
    use: (block, element, chosen) => store.use(target, block, element, chosen, message.channel),
    value: (block, element) =>
      store.values[target]?.[block.block_id]?.[element.action_id] ?? {
        selected_option: element.initial_option,
        selected_options: element.initial_options,
        selected_user: element.initial_user,
        selected_date_time: element.initial_date_time,
      },
  };
  const blocks = message.blocks ?? [];
  return [
    blocks.length > 0
      ? renderBlocks(blocks, context)
      : h('div', { class: 'text' }, ...mrkdwn(message.text, store.directory)),
    (message.attachments ?? []).map((one) => attachment(one, context, store)),
    (message.files ?? []).map((file) => fileOf(file)),
  ];
}

function attachment(one, context, store) {
  const color =
    attachmentColors[one.color] ?? (/^#?[0-9a-f]{6}$/i.test(one.color ?? '') ? `#${one.color.replace('#', '')}` : null);
  return h(
    'div',
    { class: 'attachment', style: color === null ? {} : { '--bar': color } },
    one.pretext ? h('div', { class: 'text' }, ...mrkdwn(one.pretext, store.directory)) : null,
    one.title ? h('strong', {}, one.title_link ? link(one.title_link, one.title) : one.title) : null,
    one.text ? h('div', { class: 'text' }, ...mrkdwn(one.text, store.directory)) : null,
    one.blocks ? renderBlocks(one.blocks, context) : null,
    one.footer ? h('div', { class: 'subtle' }, one.footer) : null,
  );
}

function fileOf(file) {
  const href = safeUrl(file.url_private ?? '');
  if (href === null) return null;
  const image = /\.(png|jpe?g|gif)$/i.test(file.name);
  return h(
    'a',
    { class: 'file', href, target: '_blank', rel: 'noreferrer' },
    image ? h('img', { src: href, alt: file.title }) : `📄 ${file.title}`,
  );
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h(
    'div',
    { class: 'reactions' },
    message.reactions.map((one) =>
      h('span', { class: 'reaction', title: one.name }, emoji(one.name), ' ', String(one.count)),
    ),
  );
}

function threadLine(message, store) {
  if (!message.reply_count) return null;
  const people = (message.reply_users ?? [])
    .slice(0, 4)
    .map((id) => authorOf(id === store.bot.id ? { from: 'app' } : { user: id }, store));
  return h(
    'button',
    {
      type: 'button',
      class: `thread-line${store.hasNewReplies(message) ? ' unread' : ''}`,
      'data-testid': 'thread-link',
      onclick: () => store.openThread(message.ts),
    },
    people.map((one) => avatar(one, true)),
    h('strong', {}, `${message.reply_count} ${message.reply_count === 1 ? 'reply' : 'replies'}`),
    store.hasNewReplies(message) ? h('span', { class: 'new-mark', 'data-testid': 'new-replies' }, 'New') : null,
    h('time', { class: 'subtle', 'data-ago': message.latest_reply }, `Last reply ${ago(dateOf(message.latest_reply))}`),
  );
}

/** Draws one message. `follows`: the one above is by the same author and recent, so no name is repeated. */
export function renderMessage(message, store, { follows = false, inThread = false } = {}) {
  const author = authorOf(message, store);
  const date = dateOf(message.ts);
  const only = message.from !== undefined;
  const time = h('time', { class: 'time', datetime: date.toISOString(), title: date.toLocaleString() }, clock(date));
  return h(
    'article',
    {
      class: [
        'message',
        follows ? 'follows' : '',
        only ? 'only-you' : '',
        message.subtype === 'tombstone' ? 'tombstone' : '',
      ]
        .join(' ')
        .trim(),
      'data-testid': only ? 'ephemeral' : 'message',
      'data-ts': message.ts,
      tabindex: '-1',
      'aria-label': `${author.name}, ${clock(date)}`,
    },
    h(
      'div',
      { class: 'gutter' },
      follows ? h('span', { class: 'time', 'aria-hidden': 'true' }, clock(date).replace(/\s.*$/, '')) : avatar(author),
    ),
    h(
      'div',
      { class: 'message-body' },
      only ? h('div', { class: 'only-note' }, h('span', { 'aria-hidden': 'true' }, '👁'), ' Only visible to you') : null,
      follows
        ? null
        : h(
            'div',
            { class: 'byline' },
            h('strong', { class: 'author' }, author.name),
            author.app ? h('span', { class: 'badge' }, 'APP') : null,
            time,
          ),
      h('div', { class: 'content' }, contentOf(message, store, inThread)),
      message.edited && !message.bot_id ? h('span', { class: 'subtle' }, ' (edited)') : null,
      reactions(message),
      inThread ? null : threadLine(message, store),
    ),
    h(
      'div',
      { class: 'message-tools' },
      only
        ? h(
            'button',
            {
              type: 'button',
              class: 'icon-button',
              'aria-label': 'Dismiss message',
              title: 'Dismiss',
              'data-testid': 'dismiss',
              onclick: () => store.dismiss(message.ts),
            },
            '✕',
          )
        : inThread
          ? null
          : h(
              'button',
              {
                type: 'button',
                class: 'icon-button',
                'aria-label': 'Reply in thread',
                title: 'Reply in thread',
                'data-testid': 'reply',
                onclick: () => store.openThread(message.ts),
              },
              '💬',
            ),
    ),
  );
}
