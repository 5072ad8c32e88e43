import { h } from './dom.js';

const widthKey = 'workspace-panel-percent';
const bounds = { least: 25, most: 70, usual: 46 };
const byId = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 899px)');
const wide = matchMedia('(min-width: 1800px)');

/** The other page beside the channel: its pane, the divider between, and on a phone the switch between the two. */
export class Panes {
  constructor(store) {
    this.store = store;
    this.open = store.panel !== null;
    this.shown = 'channel';
    this.news = false;
    const stored = Number(localStorage.getItem(widthKey));
    this.setWidth(stored >= bounds.least && stored <= bounds.most ? stored : bounds.usual);
    this.watchDivider(byId('divider'));
    for (const query of [narrow, wide]) query.addEventListener('change', () => store.drawFrame());
    document.addEventListener('themechange', () => this.tellTheme());
  }

  /** On a phone one of the two is shown at a time. */
  get narrow() {
    return narrow.matches && this.store.panel !== null;
  }

  /** Whether what happens in the channel can be seen now. */
  get channelSeen() {
    return !document.hidden && !(this.narrow && this.shown === 'panel');
  }

  toggle() {
    this.open = !this.open;
    this.store.drawFrame();
  }

  show(which) {
    this.shown = which;
    if (which === 'channel') this.news = false;
    this.store.drawFrame();
    if (which === 'channel') this.store.list.seen();
  }

  tellNews() {
    if (this.channelSeen || this.news) return;
    this.news = true;
    this.drawSwitch();
  }

  draw() {
    const there = this.store.panel !== null;
    const open = there && (this.open || this.narrow);
    byId('panel').hidden = !open;
    byId('divider').hidden = !open || this.narrow;
    document.body.classList.toggle('with-panel', open);
    document.body.classList.toggle('show-panel', this.narrow && this.shown === 'panel');
    // What lies under the thread is not reached by the keyboard.
    const under = !byId('thread').hidden && (narrow.matches || (open && !wide.matches));
    byId('main').inert = under;
    this.drawSwitch();
    if (open && byId('panel').children.length === 0) this.fill();
  }

  drawSwitch() {
    const { store } = this;
    byId('switch').hidden = !this.narrow;
    if (!this.narrow) return;
    const channel = store.channels.find((one) => one.id === store.channelId);
    const name = store.place === 'channel' ? `# ${channel?.name ?? ''}` : store.bot.name;
    const tab = (which, text, more) =>
      h(
        'button',
        {
          type: 'button',
          role: 'tab',
          class: 'switch-tab',
          'data-testid': `switch-${which}`,
          'aria-selected': this.shown === which ? 'true' : 'false',
          'aria-controls': which === 'channel' ? 'main' : 'panel',
          tabindex: this.shown === which ? '0' : '-1',
          onclick: () => this.show(which),
          onkeydown: (event) => {
            if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
            this.show(which === 'channel' ? 'panel' : 'channel');
            byId('switch').querySelector('[aria-selected=true]').focus();
          },
        },
        text,
        more,
      );
    const dot = this.news ? h('span', { class: 'news-dot', role: 'img', 'aria-label': 'new messages' }) : null;
    byId('switch').replaceChildren(tab('channel', name, dot), tab('panel', store.panel.title, null));
  }

  fill() {
    const { panel } = this.store;
    const source = new URL(panel.url);
    source.searchParams.set('theme', document.documentElement.dataset.theme);
    this.frame = h('iframe', { src: source.href, title: panel.title, onload: () => this.tellTheme() });
    byId('panel').append(
      h(
        'header',
        { class: 'main-header' },
        h('h2', {}, panel.title),
        h('span', { class: 'topic' }),
        h(
          'button',
          { type: 'button', class: 'icon-button', 'aria-label': 'Hide panel', onclick: () => this.toggle() },
          '✕',
        ),
      ),
      this.frame,
    );
  }

  /** The other page is of another origin: it is told. */
  tellTheme() {
    const message = { type: 'theme', value: document.documentElement.dataset.theme };
    this.frame?.contentWindow?.postMessage(message, new URL(this.store.panel.url).origin);
  }

  setWidth(percent) {
    this.percent = Math.round(Math.min(bounds.most, Math.max(bounds.least, percent)));
    document.documentElement.style.setProperty('--panel-width', `${this.percent}%`);
    byId('divider').setAttribute('aria-valuenow', String(this.percent));
  }

  watchDivider(divider) {
    const keep = () => localStorage.setItem(widthKey, String(this.percent));
    const end = () => {
      document.body.classList.remove('dragging');
      keep();
    };
    divider.addEventListener('pointerdown', (event) => {
      divider.setPointerCapture(event.pointerId);
      document.body.classList.add('dragging');
      event.preventDefault();
    });
    divider.addEventListener('pointermove', (event) => {
      if (!document.body.classList.contains('dragging')) return;
      this.setWidth(((window.innerWidth - event.clientX) / window.innerWidth) * 100);
    });
    divider.addEventListener('pointerup', end);
    divider.addEventListener('pointercancel', end);
    divider.addEventListener('dblclick', () => {
      this.setWidth(bounds.usual);
      keep();
    });
    divider.addEventListener('keydown', (event) => {
      const to = {
        ArrowLeft: this.percent + 2,
        ArrowRight: this.percent - 2,
        Home: bounds.least,
        End: bounds.most,
        Enter: bounds.usual,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.setWidth(to);
      keep();
    });
  }
}
