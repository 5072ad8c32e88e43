import { h } from './dom.js';

const byId = (id) => document.getElementById(id);
const rows = [
  ['j  or  ↓', 'The next message'],
  ['k  or  ↑', 'The message before'],
  ['Enter  or  r', 'Its thread, to read and reply'],
  ['Esc', 'Close the thread, or leave the message line'],
  ['/', 'Type a command'],
  ['↑  in an empty line', 'What was sent before'],
  ['u', 'Who you are'],
  ['w', 'Show or hide the other page'],
  ['t', 'Light or dark'],
  ['?', 'This list'],
];

/** Opens the list of keys; closing it gives the focus back. */
export function showKeys() {
  if (document.querySelector('dialog[open]') !== null) return;
  const dialog = h(
    'dialog',
    { class: 'dialog dialog-small', 'data-testid': 'keys', 'aria-label': 'Keys' },
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', {}, 'Keys'),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕'),
    ),
    h(
      'dl',
      { class: 'keys' },
      rows.map(([keys, what]) => [
        h(
          'dt',
          {},
          keys.split('  ').map((part) => (/^(or|in)/.test(part) ? ` ${part} ` : h('kbd', {}, part))),
        ),
        h('dd', {}, what),
      ]),
    ),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function isTyping(node) {
  return node instanceof Element && node.closest('input, textarea, select, [contenteditable]') !== null;
}

/** In the thread where it is open and has the focus, or covers the channel; otherwise in the channel. */
function listInUse() {
  const thread = byId('thread');
  const inThread = !thread.hidden && (byId('main').inert || thread.contains(document.activeElement));
  return inThread ? thread : byId('main');
}

/** To the message after or before the one that has the focus. */
function step(by) {
  const all = [...listInUse().querySelectorAll('article.message')];
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement?.closest('article.message'));
  const next = at < 0 ? all.at(-1) : all[Math.min(all.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

function leave(store) {
  if (document.body.classList.contains('with-sidebar')) return document.body.classList.remove('with-sidebar');
  if (store.threadTs !== null) return store.closeThread();
  if (isTyping(document.activeElement)) document.activeElement.blur();
}

/** Keys that work while nobody types. */
export function listenToKeys(store) {
  const does = {
    j: () => step(1),
    k: () => step(-1),
    r: () => openThreadOf(store),
    '/': () => !byId('main').inert && store.composer.begin('/'),
    u: () => document.querySelector('[data-testid=user-switch]')?.focus(),
    w: () => store.panel !== null && store.togglePanel(),
    t: () => document.dispatchEvent(new CustomEvent('themetoggle')),
    '?': showKeys,
  };
  const onMessage = { ArrowDown: does.j, ArrowUp: does.k, Enter: does.r };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (event.key === 'Escape') return leave(store);
    if (isTyping(event.target)) return;
    const message = event.target instanceof Element && event.target.matches('article.message');
    const action = Object.hasOwn(does, event.key) ? does[event.key] : message ? onMessage[event.key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function openThreadOf(store) {
  const message = document.activeElement?.closest('#messages article.message:not(.only-you)');
  if (message) store.openThread(message.dataset.ts);
}
