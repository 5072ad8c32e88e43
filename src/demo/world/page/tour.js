import { byId, h, memory, prefersStillness, setText } from './dom.js';

const SKIPPED_KEY = 'lastgood-demo-tour';

/** What happens and why, each stop at the part of the page it is about. `is`: whether its moment has come. */
const stops = [
  {
    target: 'traffic',
    title: 'A model at work',
    is: ({ moment }) => moment === 'starting' || moment === 'serving',
    text: ({ stable }) =>
      `Users’ payments go through a router to ${stable}, which scores every one of them. This is real traffic on your machine: every mark stands for requests that were sent and answered.`,
  },
  {
    target: 'road',
    title: 'A new version, a little at a time',
    is: ({ moment, road }) => moment === 'rolling-out' && !hasPassed(road),
    text: ({ candidate }) =>
      `${candidate} first gets a small share. At each step Lastgood waits, compares, and goes on only where the gate passes. Automation never raises the share any other way.`,
  },
  {
    target: 'lines',
    title: 'Compared with the version beside it',
    is: ({ moment, road }) => moment === 'rolling-out' && hasPassed(road),
    text: ({ stable, candidate }) =>
      `The dashed line is ${stable}, the solid one ${candidate}, at the same moment and under the same load. What counts is the difference between them, not a fixed threshold.`,
  },
  {
    target: 'now',
    title: 'It got worse: people are asked first',
    is: ({ moment }) => moment === 'asked',
    text: () =>
      'A card in the channel asks what to do, and a clock runs. Press a button on the card, or let it run out: then the policy’s default happens, a rollback. Until then the share stays where it is.',
  },
  {
    target: 'signals',
    title: 'Nobody answered yet: somebody is paged',
    is: ({ moment }) => moment === 'paged',
    text: () =>
      'After a while without an answer PagerDuty is called, with what is wrong and how to answer. The question in the channel stays open, and its clock goes on.',
  },
  {
    target: 'road',
    title: 'Back in phases, not in one jump',
    is: ({ moment }) => moment === 'rolling-back' || moment === 'verifying',
    text: ({ stable }) =>
      `The share goes down step by step, so that ${stable} can take the load again. If ${stable} got worse under it, the way back would stop and a person would be called.`,
  },
  {
    target: 'journal',
    title: 'How it ended, and why',
    is: ({ moment }) => ['rolled-back', 'held', 'succeeded'].includes(moment),
    text: ({ moment, stable }) =>
      `${ends[moment] ?? ends.other(stable)} Who decided what, when and on which numbers is in the journal. Now it is yours: start the next version and break it, with the buttons below or the keys 1 to 6.`,
  },
];

const ends = {
  held: 'It is held where it is: nothing moves until a person says so, or the hold ends.',
  succeeded: 'The new version has all traffic: that was a decision, too.',
  other: (stable) => `All traffic goes to ${stable} again, and that was verified.`,
};

function hasPassed(road) {
  return road.some(({ direction, state }) => direction === 'forward' && state === 'done');
}

/** Does not block and covers nothing: the card stands in the page, next to what it is about. */
export function createTour() {
  let at = null;
  let follows = true;
  let latest = null;
  const title = h('h3', { id: 'tour-title' });
  const text = h('p', { class: 'tour-text' });
  const when = h('span', { class: 'tour-when' });
  const button = (label, run) => h('button', { type: 'button', class: 'small', onclick: run }, label);
  const back = button('Back', () => go(at - 1));
  const next = button('Next', () => (at === stops.length - 1 ? close() : go(at + 1)));
  const follow = button('Follow the story', () => {
    follows = true;
    show(presentStop(), true);
  });
  const skip = button('Skip', () => close());
  const words = h('div', { 'aria-live': 'polite' }, title, text);
  const card = h(
    'aside',
    { class: 'tour', 'aria-labelledby': 'tour-title', 'data-testid': 'tour' },
    words,
    h('div', { class: 'tour-foot' }, when, h('span', { class: 'tour-buttons' }, follow, skip, back, next)),
  );
  card.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });

  const presentStop = () => {
    const found = latest ? stops.findIndex(({ is }) => is(latest)) : -1;
    return found === -1 ? (at ?? 0) : found;
  };
  const go = (to) => {
    follows = false;
    show(Math.min(stops.length - 1, Math.max(0, to)), true);
  };
  const show = (to, scrolls) => {
    const moved = at !== to;
    at = to;
    const stop = stops[at];
    if (moved || !card.isConnected) place(stop.target, scrolls);
    fill(stop);
    if (moved) card.dataset.stop = String(at + 1);
  };
  const fill = (stop) => {
    setText(title, stop.title);
    const { split } = latest ?? {};
    const names = {
      ...latest,
      stable: split?.stable.version ?? 'the serving version',
      candidate: split?.candidate.version ?? 'the new version',
    };
    setText(text, stop.text(names));
    const present = latest ? stop.is(latest) : at === 0;
    setText(when, `${at + 1} of ${stops.length}${present ? ' · now' : at > presentStop() ? ' · comes later' : ''}`);
    back.setAttribute('aria-disabled', String(at === 0));
    setText(next, at === stops.length - 1 ? 'Done' : 'Next');
    setText(skip, 'Skip');
    skip.hidden = at === stops.length - 1;
    follow.hidden = follows;
  };
  const place = (name, scrolls) => {
    const target = document.querySelector(`[data-tour="${name}"]`);
    // The card is moved with what is in it; whoever pressed its button goes on from there.
    const focused = card.contains(document.activeElement) ? document.activeElement : null;
    unmark();
    target.classList.add('told');
    target.append(card);
    focused?.focus({ preventScroll: true });
    if (scrolls) reveal(target);
  };
  const reveal = (target) => {
    const fixed = getComputedStyle(target).position === 'sticky';
    if (!fixed) target.scrollIntoView({ block: 'nearest', behavior: prefersStillness.matches ? 'auto' : 'smooth' });
  };
  const unmark = () => document.querySelector('.told')?.classList.remove('told');
  const close = () => {
    const focused = card.contains(document.activeElement);
    unmark();
    card.remove();
    at = null;
    memory.set(SKIPPED_KEY, 'skipped');
    if (focused) byId('tour-open').focus();
  };
  const open = () => {
    follows = true;
    at = null;
    show(presentStop(), true);
    next.focus({ preventScroll: true });
  };
  const toggle = () => (at === null ? open() : close());
  byId('tour-open').addEventListener('click', toggle);
  return {
    toggle,
    /** Goes on by itself, forward only, while the visitor lets it. */
    draw(state) {
      const first = latest === null;
      latest = state;
      if (first && memory.get(SKIPPED_KEY) === null) show(presentStop(), false);
      else if (at !== null) show(follows ? Math.max(at, presentStop()) : at, follows);
    },
  };
}
