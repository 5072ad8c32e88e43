import { act, get, listen } from './api.js';
import { Composer } from './composer.js';
import { toast } from './dialogs.js';
import { h } from './dom.js';
import { drawHome } from './home.js';
import { listenToKeys } from './keys.js';
import { MessageList } from './list.js';
import { ModalHost } from './modal.js';
import { Panes } from './panes.js';
import { keepPresses } from './presses.js';
import { renderHeader, renderIntro, renderSidebar } from './sidebar.js';
import { drawThread } from './thread.js';
import { setClock } from './time.js';
import { keepingFocus, keepTimesTrue, single } from './tools.js';

const byId = (id) => document.getElementById(id);

/** Everything the page knows and does. */
class Store {
  constructor(boot) {
    Object.assign(this, boot);
    this.place = 'channel';
    this.values = {};
    this.messages = [];
    this.ephemerals = [];
    this.unread = new Map();
    this.dismissed = new Set();
    this.threadTs = null;
    /** What was sent from this page: the composers share it. */
    this.typed = [];
    /** Up to which reply each thread has been read: parent ts → ts. */
    this.read = new Map();
    this.known = new Set();
    if (boot.now !== null) setClock(boot.now);
    const asked = new URLSearchParams(location.search);
    const stored = localStorage.getItem('workspace-user');
    this.user = [asked.get('user'), stored, this.users[0].id].find((id) => this.users.some((one) => one.id === id));
    const permalink = /^\/archives\/(\w+)\/p(\d{10})(\d{6})/.exec(location.pathname);
    const channels = this.channels.filter((one) => one.directTo === undefined);
    this.channelId = [permalink?.[1], asked.get('channel'), channels[0]?.id].find((id) =>
      channels.some((one) => one.id === id),
    );
    this.threadTs = asked.get('thread_ts') ?? asked.get('thread');
    this.goTo = permalink === null ? null : `${permalink[2]}.${permalink[3]}`;
    if (asked.get('place') === 'home') this.place = 'home';
    this.makeDirectory();
    this.panes = new Panes(this);
    this.makeList();
    this.composer = new Composer(byId('composer'), this);
    this.modals = new ModalHost(this);
    this.loadMessages = single(() => this.fetchMessages());
    this.loadViews = single(async () => this.modals.show((await get('/client/views', { user: this.user })).views));
    this.loadHome = single(async () => drawHome(this, (await get('/client/home', { user: this.user })).view));
  }

  makeList() {
    byId('messages').replaceChildren();
    byId('news').hidden = true;
    const intro = () => renderIntro(this);
    this.list = new MessageList(byId('messages'), byId('scroller'), this, { news: byId('news'), intro });
  }

  makeDirectory() {
    const name = (list, id, field) => list.find((one) => one.id === id)?.[field];
    this.directory = {
      me: this.user,
      users: this.users,
      user: (id) => (id === this.bot.id ? this.bot.name : name(this.users, id, 'realName')),
      channel: (id) => name(this.channels, id, 'name'),
      group: (id) => name(this.usergroups, id, 'handle'),
    };
  }

  directId() {
    return this.channels.find((channel) => channel.directTo === this.user)?.id;
  }

  start() {
    this.stopListening?.();
    this.stopListening = listen(
      this.user,
      (change) => this.changed(change),
      () => this.loadAll(),
    );
    this.drawFrame();
    this.loadAll();
    if (this.place === 'home') this.openHome();
  }

  loadAll() {
    this.loadMessages();
    this.loadViews();
    if (this.place === 'home') this.loadHome();
  }

  changed(change) {
    if (change.kind === 'clock') setClock(change.now);
    else if (change.kind === 'notice') toast(change.text);
    else if (change.kind === 'view') this.loadViews();
    else if (change.kind === 'home') this.place === 'home' && this.loadHome();
    else if (change.kind === 'channel') this.reloadChannels();
    else if (change.channel === this.channelId && this.place !== 'home') {
      this.loadMessages();
      this.panes.tellNews();
    } else if (change.kind === 'message') {
      this.unread.set(change.channel, (this.unread.get(change.channel) ?? 0) + 1);
      this.drawFrame();
    }
  }

  async reloadChannels() {
    const boot = await get('/client/boot');
    this.channels = boot.channels;
    this.makeDirectory();
    this.drawFrame();
  }

  async fetchMessages() {
    const answer = await get('/client/messages', { user: this.user, channel: this.channelId });
    this.messages = answer.messages;
    this.ephemerals = answer.ephemerals;
    this.values = answer.values ?? {};
    // What was there when the channel was first shown is no news.
    if (!this.known.has(this.channelId)) for (const one of this.messages) this.read.set(one.ts, one.latest_reply ?? '');
    this.known.add(this.channelId);
    this.draw();
  }

  /** Whether a thread has replies that nobody has looked at on this page. */
  hasNewReplies(message) {
    if (message.ts === this.threadTs || message.latest_reply === undefined) return false;
    return message.latest_reply > (this.read.get(message.ts) ?? '');
  }

  draw() {
    if (this.threadTs !== null) {
      const open = this.messages.find((one) => one.ts === this.threadTs);
      this.read.set(this.threadTs, open?.latest_reply ?? '');
    }
    const only = this.ephemerals.filter((one) => !this.dismissed.has(one.ts));
    const sorted = (list) => list.toSorted((a, b) => (a.ts < b.ts ? -1 : 1));
    // What only this person sees in a thread that is not open is shown in the channel: it must not go unseen.
    const top = this.messages.filter(
      (one) => one.thread_ts === undefined || one.thread_ts === one.ts || one.subtype === 'thread_broadcast',
    );
    this.list.show(
      sorted([...top, ...only.filter((one) => one.thread_ts === undefined || one.thread_ts !== this.threadTs)]),
    );
    if (this.threadTs !== null) drawThread(this, only);
    if (this.goTo !== null) this.goToMessage();
  }

  goToMessage() {
    const node = document.querySelector(`[data-ts="${CSS.escape(this.goTo)}"]`);
    this.goTo = null;
    node?.scrollIntoView({ block: 'center' });
    node?.classList.add('highlight');
  }

  openThread(ts) {
    this.threadTs = ts;
    this.draw();
    this.panes.draw();
    byId('thread').querySelector('textarea')?.focus({ preventScroll: true });
    this.remember();
  }

  /** Back to the message it belongs to. */
  closeThread() {
    const ts = this.threadTs;
    this.threadTs = null;
    byId('thread').hidden = true;
    document.body.classList.remove('with-thread');
    this.panes.draw();
    if (ts !== null)
      byId('messages')
        .querySelector(`[data-ts="${CSS.escape(ts)}"]`)
        ?.focus({ preventScroll: true });
    this.remember();
  }

  openChannel(id, place = 'channel') {
    this.place = place;
    this.channelId = id;
    this.unread.delete(id);
    this.messages = [];
    this.ephemerals = [];
    this.closeThread();
    document.body.classList.remove('with-sidebar');
    this.panes.shown = 'channel';
    this.makeList();
    this.drawFrame();
    this.loadMessages();
    this.remember();
  }

  openMessages() {
    this.openChannel(this.directId(), 'direct');
  }

  async openHome() {
    this.place = 'home';
    this.closeThread();
    document.body.classList.remove('with-sidebar');
    this.drawFrame();
    byId('messages').replaceChildren(h('div', { class: 'empty' }, 'Loading…'));
    this.loadHome();
    this.remember();
    const result = await act(this.user, 'home');
    if (!result.ok) toast(`${this.bot.name} did not answer: ${result.error ?? result.message}`);
  }

  async use(target, block, element, chosen, channel) {
    const details = {
      target,
      blockId: block.block_id,
      actionId: element.action_id,
      ...(chosen === undefined ? {} : { chosen }),
      ...(channel === undefined ? {} : { channel }),
    };
    const result = await act(this.user, 'use', details);
    if (result.message) toast(result.message);
    if (result.error === 'app_not_connected') toast(`${this.bot.name} is not connected.`);
  }

  redraw(ts) {
    this.list.forget(ts);
    this.threadList?.forget(ts);
    this.draw();
  }

  dismiss(ts) {
    this.dismissed.add(ts);
    this.draw();
  }

  sent() {
    this.list.toBottom();
  }

  switchUser(id) {
    localStorage.setItem('workspace-user', id);
    this.user = id;
    this.makeDirectory();
    this.modals.show([]);
    if (this.place === 'direct') this.channelId = this.directId();
    this.remember();
    this.makeList();
    this.start();
    document.querySelector('[data-testid=user-switch]')?.focus();
  }

  toggleSidebar() {
    document.body.classList.toggle('with-sidebar');
  }

  togglePanel() {
    if (this.panes.narrow) this.panes.show(this.panes.shown === 'panel' ? 'channel' : 'panel');
    else this.panes.toggle();
  }

  /** Keeps the address such that a reload comes back to the same place. */
  remember() {
    const query = new URLSearchParams({
      user: this.user,
      ...(this.place === 'home' ? { place: 'home' } : { channel: this.channelId }),
      ...(this.threadTs === null ? {} : { thread: this.threadTs }),
    });
    history.replaceState(null, '', `/?${query}`);
  }

  drawFrame() {
    keepingFocus(byId('sidebar'), () => byId('sidebar').replaceChildren(...renderSidebar(this)));
    const header = byId('header');
    keepingFocus(header, () => header.replaceChildren(...renderHeader(this).filter((node) => node !== null)));
    const channel = this.channels.find((one) => one.id === this.channelId);
    const name = this.place === 'channel' ? `#${channel?.name}` : this.bot.name;
    document.title = `${name} · ${this.team.name}`;
    byId('composer').hidden = this.place === 'home';
    this.composer.place(channel?.archived ? 'This channel is archived' : `Message ${name}`, channel?.archived === true);
    this.panes.draw();
  }
}

byId('scroller').addEventListener('click', () => document.body.classList.remove('with-sidebar'));
setInterval(keepTimesTrue, 1000);

const store = new Store(await get('/client/boot'));
listenToKeys(store);
document.addEventListener('visibilitychange', () => store.list.seen());
keepPresses(document);
store.start();
