import { byId, h, memory, prefersStillness, setText } from './dom.js';
import { stops } from './tour-stops.js';

const SKIPPED_KEY = 'lastgood-demo-tour';
const last = stops.length - 1;

/**
 * The guided tour. It does not block and covers nothing: its card stands in the page, at the end of what it is about. It goes on by
 * itself with the story, forward only, until the visitor takes it over with Back or Next.
 */
class Tour {
  at = null;
  follows = true;
  latest = null;

  constructor() {
    const button = (label, run) => h('button', { type: 'button', class: 'small', onclick: run }, label);
    this.title = h('h3', { id: 'tour-title' });
    this.text = h('p', { class: 'tour-text' });
    this.when = h('span', { class: 'tour-when' });
    this.back = button('Back', () => this.go(this.at - 1));
    this.next = button('Next', () => (this.at === last ? this.close() : this.go(this.at + 1)));
    this.follow = button('Follow the story', () => this.start());
    this.skip = button('Skip', () => this.close());
    const buttons = h('span', { class: 'tour-buttons' }, this.follow, this.skip, this.back, this.next);
    this.card = h(
      'aside',
      { class: 'tour', 'aria-labelledby': 'tour-title', 'data-testid': 'tour' },
      h('div', { 'aria-live': 'polite' }, this.title, this.text),
      h('div', { class: 'tour-foot' }, this.when, buttons),
    );
    this.card.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    byId('tour-open').addEventListener('click', () => this.toggle());
  }

  /** With every snapshot; opens by itself on the first visit. */
  draw(state) {
    const isFirst = this.latest === null;
    this.latest = state;
    if (isFirst && memory.get(SKIPPED_KEY) === null) this.show(this.present(), true);
    else if (this.at !== null) this.show(this.follows ? Math.max(this.at, this.present()) : this.at, this.follows);
  }

  toggle() {
    if (this.at !== null) return this.close();
    this.start();
    this.next.focus({ preventScroll: true });
  }

  /** From where the story is, and on with it. */
  start() {
    this.follows = true;
    this.at = null;
    this.show(this.present(), true);
  }

  /** The visitor has taken over. */
  go(to) {
    this.follows = false;
    this.show(Math.min(last, Math.max(0, to)), true);
  }

  close() {
    const focused = this.card.contains(document.activeElement);
    this.unmark();
    this.card.remove();
    this.at = null;
    memory.set(SKIPPED_KEY, 'skipped');
    if (focused) byId('tour-open').focus();
  }

  /** The stop of this moment; where there is none, the one shown. */
  present() {
    const found = this.latest ? stops.findIndex(({ is }) => is(this.latest)) : -1;
    return found === -1 ? (this.at ?? 0) : found;
  }

  show(to, scrolls) {
    const moved = this.at !== to || !this.card.isConnected;
    this.at = to;
    this.fill(stops[to]);
    if (moved) this.place(stops[to].target, scrolls);
  }

  fill(stop) {
    const { split, moment } = this.latest ?? {};
    const stable = split?.stable.version ?? 'the serving version';
    const candidate = split?.candidate.version ?? 'the new version';
    setText(this.title, stop.title);
    setText(this.text, stop.text({ stable, candidate, moment }));
    const isNow = this.latest !== null && stop.is(this.latest);
    const when = isNow ? ' · now' : this.at > this.present() ? ' · comes later' : '';
    setText(this.when, `${this.at + 1} of ${stops.length}${when}`);
    this.back.setAttribute('aria-disabled', String(this.at === 0));
    setText(this.next, this.at === last ? 'Done' : 'Next');
    this.skip.hidden = this.at === last;
    this.follow.hidden = this.follows;
  }

  place(name, scrolls) {
    const target = document.querySelector(`[data-tour="${name}"]`);
    // The card is moved with what is in it: whoever pressed its button goes on from there.
    const focused = this.card.contains(document.activeElement) ? document.activeElement : null;
    this.unmark();
    target.classList.add('told');
    target.append(this.card);
    focused?.focus({ preventScroll: true });
    document.documentElement.style.setProperty('--strip-height', `${byId('now').offsetHeight}px`);
    if (!scrolls) return;
    // The strip is always in sight: below it, what it is about.
    if (getComputedStyle(target).position === 'sticky') {
      byId('lines').scrollIntoView({ block: 'start', behavior: prefersStillness.matches ? 'auto' : 'smooth' });
      return;
    }
    const room = innerHeight - byId('now').offsetHeight - byId('dock').offsetHeight;
    const shown = target.offsetHeight > room ? this.card : target;
    shown.scrollIntoView({ block: 'nearest', behavior: prefersStillness.matches ? 'auto' : 'smooth' });
  }

  unmark() {
    document.querySelector('.told')?.classList.remove('told');
  }
}

export const createTour = () => new Tour();
