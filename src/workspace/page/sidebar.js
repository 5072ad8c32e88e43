import { h } from './dom.js';
import { showKeys } from './keys.js';
import { avatar } from './message.js';

/** Draws the sidebar: channels and the app. */
export function renderSidebar(store) {
  const item = ({ testid, current, label, sign, unread, onclick, archived }) =>
    h(
      'button',
      {
        type: 'button',
        class: ['nav-item', current ? 'current' : '', unread > 0 ? 'unread' : '', archived ? 'archived' : '']
          .join(' ')
          .trim(),
        'aria-current': current ? 'page' : null,
        'data-testid': testid,
        onclick,
      },
      h('span', { class: 'nav-sign', 'aria-hidden': 'true' }, sign),
      h('span', { class: 'nav-label' }, label),
      unread > 0 ? h('span', { class: 'count', 'aria-label': `${unread} new` }, String(unread)) : null,
    );
  const channels = store.channels
    .filter((channel) => channel.directTo === undefined)
    .map((channel) =>
      item({
        testid: `channel-${channel.name}`,
        current: store.place === 'channel' && store.channelId === channel.id,
        label: channel.name,
        sign: channel.archived ? '🗄' : '#',
        unread: store.unread.get(channel.id) ?? 0,
        archived: channel.archived,
        onclick: () => store.openChannel(channel.id),
      }),
    );
  return [
    h(
      'div',
      { class: 'team' },
      h('span', { class: 'team-sign', 'aria-hidden': 'true' }, store.team.name[0]),
      h('strong', {}, store.team.name),
    ),
    h(
      'div',
      { class: 'nav-scroll' },
      h('h2', { class: 'nav-title' }, 'Channels'),
      channels,
      h('h2', { class: 'nav-title' }, 'Apps'),
      item({
        testid: 'app-home',
        current: store.place !== 'channel',
        label: store.bot.name,
        sign: '◆',
        unread: store.unread.get(store.directId()) ?? 0,
        onclick: () => store.openHome(),
      }),
    ),
    h(
      'div',
      { class: 'nav-foot' },
      h(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          'aria-label': 'Light or dark',
          title: 'Light or dark (t)',
          'data-testid': 'theme-toggle',
          onclick: () => document.dispatchEvent(new CustomEvent('themetoggle')),
        },
        '◐',
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          'aria-label': 'Keys',
          title: 'Keys (?)',
          'data-testid': 'keys-open',
          onclick: showKeys,
        },
        '?',
      ),
    ),
  ];
}

/** Who uses this page, and the choice of being somebody else. */
function userSwitch(store) {
  const me = store.users.find((user) => user.id === store.user);
  return h(
    'label',
    { class: 'me', title: 'Use this page as somebody else (u)' },
    avatar({ name: me.realName, color: me.color ?? '#6b7280', bot: false }, true),
    h(
      'span',
      { class: 'me-text' },
      h('small', { 'data-testid': 'role' }, me.role ? `You are · ${me.role}` : 'You are'),
      h(
        'select',
        {
          'data-testid': 'user-switch',
          'aria-label': 'Use this page as',
          onchange: (event) => store.switchUser(event.target.value),
        },
        store.users.map((user) =>
          h(
            'option',
            { value: user.id, selected: user.id === store.user },
            user.role && user.id !== store.user ? `${user.realName} · ${user.role}` : user.realName,
          ),
        ),
      ),
    ),
  );
}

/** Draws the bar above the messages. */
export function renderHeader(store) {
  const menu = h(
    'button',
    {
      type: 'button',
      class: 'icon-button menu-toggle',
      'aria-label': 'Show channels',
      'data-testid': 'menu-toggle',
      onclick: () => store.toggleSidebar(),
    },
    '☰',
  );
  const panel = store.panel
    ? h(
        'button',
        {
          type: 'button',
          class: 'icon-button panel-toggle',
          'data-testid': 'panel-toggle',
          'aria-pressed': store.panes.open ? 'true' : 'false',
          'aria-label': store.panel.title,
          title: `${store.panes.open ? 'Hide' : 'Show'} “${store.panel.title}” (w)`,
          onclick: () => store.togglePanel(),
        },
        '◨',
      )
    : null;
  const me = userSwitch(store);
  if (store.place === 'channel') {
    const channel = store.channels.find((one) => one.id === store.channelId);
    return [
      menu,
      h('h1', {}, h('span', { class: 'hash', 'aria-hidden': 'true' }, '#'), channel?.name ?? ''),
      h('span', { class: 'topic' }, channel?.archived ? 'Archived' : (channel?.topic ?? '')),
      me,
      panel,
    ];
  }
  const tab = (place, text) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        class: `tab${store.place === place ? ' current' : ''}`,
        'aria-selected': store.place === place ? 'true' : 'false',
        'data-testid': `tab-${place}`,
        onclick: () => (place === 'home' ? store.openHome() : store.openMessages()),
      },
      text,
    );
  return [
    menu,
    h('h1', {}, store.bot.name),
    h('div', { class: 'tabs', role: 'tablist' }, tab('home', 'Home'), tab('direct', 'Messages')),
    h('span', { class: 'topic' }),
    me,
    panel,
  ];
}

/** What an empty channel says. */
export function renderIntro(store) {
  const channel = store.channels.find((one) => one.id === store.channelId);
  const name = channel?.directTo ? `your conversation with ${store.bot.name}` : `#${channel?.name ?? ''}`;
  return h(
    'div',
    { class: 'intro', 'data-testid': 'intro' },
    h('strong', {}, `This is the very beginning of ${name}.`),
    h(
      'span',
      {},
      'Type ',
      h('kbd', {}, '/'),
      ` to see what ${store.bot.name} understands; `,
      h('kbd', {}, '?'),
      ' lists the keys.',
    ),
  );
}
