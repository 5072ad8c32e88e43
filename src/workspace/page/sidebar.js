import { h } from './dom.js';
import { avatar } from './message.js';

/** Draws the sidebar: channels, the app, and who is using this page. */
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
  const me = store.users.find((user) => user.id === store.user);
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
      'label',
      { class: 'me' },
      avatar({ name: me.realName, color: me.color ?? '#6b7280', bot: false }),
      h(
        'span',
        { class: 'me-text' },
        h('small', {}, 'You are'),
        h(
          'select',
          {
            'data-testid': 'user-switch',
            'aria-label': 'Use this page as',
            onchange: (event) => store.switchUser(event.target.value),
          },
          store.users.map((user) => h('option', { value: user.id, selected: user.id === store.user }, user.realName)),
        ),
      ),
    ),
  ];
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
          class: 'button button-default panel-toggle',
          'data-testid': 'panel-toggle',
          'aria-pressed': store.panelOpen ? 'true' : 'false',
          onclick: () => store.togglePanel(),
        },
        store.panel.title,
      )
    : null;
  if (store.place === 'channel') {
    const channel = store.channels.find((one) => one.id === store.channelId);
    return [
      menu,
      h('h1', {}, h('span', { class: 'hash', 'aria-hidden': 'true' }, '#'), channel?.name ?? ''),
      h('span', { class: 'topic' }, channel?.archived ? 'Archived' : (channel?.topic ?? '')),
      h('span', { class: 'members', title: 'Members' }, `👥 ${store.users.length + (channel?.botIsMember ? 1 : 0)}`),
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
    panel,
  ];
}
