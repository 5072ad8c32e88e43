import { h } from './dom.js';
import { renderMessage } from './message.js';
import { patch } from './patch.js';
import { dateOf, dayName } from './time.js';
import { keepingFocus } from './tools.js';

const groupSeconds = 300;

function author(message) {
  return message.from ?? message.bot_id ?? message.user;
}

/**
 * Keeps a list of messages on the page up to date: what did not change keeps its element,
 * so that focus, open menus and scroll positions survive the updates of other messages.
 */
export class MessageList {
  constructor(box, scroller, store, options = {}) {
    this.box = box;
    this.scroller = scroller;
    this.store = store;
    this.options = options;
    this.drawn = new Map();
    this.shownOnce = false;
    this.unseen = 0;
    scroller.onscroll = () => this.atBottom() && this.seen();
    if (options.news !== undefined) options.news.onclick = () => this.toBottom();
  }

  show(messages) {
    const bottom = this.atBottom();
    const wanted = [];
    const next = new Map();
    let before = null;
    const { intro } = this.options;
    if (messages.length === 0 && intro !== undefined) wanted.push(this.keyed(next, 'intro', '', intro));
    for (const message of messages) {
      const date = dateOf(message.ts);
      if (!this.options.inThread && (before === null || dateOf(before.ts).toDateString() !== date.toDateString())) {
        wanted.push(
          this.keyed(next, `day-${date.toDateString()}`, dayName(date), () =>
            h('div', { class: 'day', role: 'separator' }, h('span', {}, dayName(date))),
          ),
        );
        before = null;
      }
      const follows =
        before !== null &&
        author(before) === author(message) &&
        !before.from &&
        Number(message.ts) - Number(before.ts) < groupSeconds;
      const { ts } = message;
      const state = [follows, this.store.values[ts] ?? null, this.store.hasNewReplies(message)];
      const options = { follows, inThread: this.options.inThread };
      const draw = () => renderMessage(message, this.store, options);
      wanted.push(this.keyed(next, ts, JSON.stringify([message, ...state]), draw));
      before = message;
      if (this.options.inThread && message === messages[0] && messages.length > 1) {
        const text = `${messages.length - 1} ${messages.length === 2 ? 'reply' : 'replies'}`;
        wanted.push(this.keyed(next, 'replies', text, () => h('div', { class: 'replies-line' }, h('span', {}, text))));
        before = null;
      }
    }
    const fresh = messages.filter((message) => !this.drawn.has(message.ts)).length;
    this.drawn = next;
    place(this.box, wanted);
    if (bottom) this.toBottom();
    else if (this.shownOnce) this.tellNews(fresh);
    this.shownOnce ||= messages.length > 0;
  }

  /** Somebody reads further up: what came is told, the page does not jump. */
  tellNews(count) {
    this.unseen += count;
    const { news } = this.options;
    if (news === undefined || this.unseen === 0) return;
    news.textContent = `${this.unseen} new ${this.unseen === 1 ? 'message' : 'messages'} ↓`;
    news.hidden = false;
  }

  seen() {
    if (!this.atBottom()) return;
    this.unseen = 0;
    if (this.options.news !== undefined) this.options.news.hidden = true;
  }

  keyed(next, key, signature, draw) {
    const old = this.drawn.get(key);
    const entry = old?.signature === signature ? old : { signature, node: draw() };
    if (old !== undefined && entry !== old) entry.node = changed(old.node, entry.node);
    next.set(key, entry);
    return entry.node;
  }

  /** Draws one message anew, for example after a refused confirmation. */
  forget(ts) {
    this.drawn.delete(ts);
  }

  atBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    // Images and fonts may still make it taller.
    requestAnimationFrame(() => {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    });
  }
}

/** The drawn message, made to look like the fresh one; who was at a control that is gone is at the message. */
function changed(node, fresh) {
  const had = node.contains(document.activeElement);
  let now = node;
  keepingFocus(node, () => {
    now = patch(node, fresh);
  });
  if (had && !now.contains(document.activeElement)) now.focus({ preventScroll: true });
  return now;
}

/** Puts exactly these nodes into the box, moving as few as possible. */
function place(box, wanted) {
  const keep = new Set(wanted);
  for (const child of [...box.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((node, index) => {
    if (box.children[index] !== node) box.insertBefore(node, box.children[index] ?? null);
  });
}
