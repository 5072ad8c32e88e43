import { Composer } from './composer.js';
import { h } from './dom.js';
import { MessageList } from './list.js';

/** Shows the open thread in its pane: the parent, then its replies and what only this person sees there. */
export function drawThread(store, only) {
  const parent = store.messages.find((one) => one.ts === store.threadTs);
  const pane = document.getElementById('thread');
  pane.hidden = parent === undefined || store.place === 'home';
  document.body.classList.toggle('with-thread', !pane.hidden);
  if (pane.hidden) return;
  if (pane.dataset.ts !== store.threadTs) makeThread(store, pane);
  const replies = [...store.messages, ...only].filter((one) => one.thread_ts === parent.ts && one.ts !== parent.ts);
  store.threadList.show([parent, ...replies.toSorted((a, b) => (a.ts < b.ts ? -1 : 1))]);
}

function makeThread(store, pane) {
  pane.dataset.ts = store.threadTs;
  const channel = store.channels.find((one) => one.id === store.channelId);
  const box = h('div', { class: 'messages', role: 'log', 'data-testid': 'thread-messages' });
  const scroller = h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': 'Replies' }, box);
  const slot = h('div', { class: 'composer-slot' });
  const head = h(
    'header',
    { class: 'main-header' },
    h(
      'button',
      {
        type: 'button',
        class: 'icon-button thread-back',
        'aria-label': 'Back to the channel',
        'data-testid': 'thread-back',
        onclick: () => store.closeThread(),
      },
      '←',
    ),
    h('h2', {}, 'Thread'),
    h('span', { class: 'topic' }, channel?.directTo ? '' : `# ${channel?.name ?? ''}`),
    h(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'aria-label': 'Close thread',
        'data-testid': 'thread-close',
        onclick: () => store.closeThread(),
      },
      '✕',
    ),
  );
  pane.replaceChildren(head, scroller, slot);
  store.threadList = new MessageList(box, scroller, store, { inThread: true });
  new Composer(slot, store, { thread: () => store.threadTs }).place('Reply…', channel?.archived === true);
}
