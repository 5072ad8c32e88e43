import { bound, byId, countdown, h, setAttribute, setText, timeOfDay } from './dom.js';

const words = { done: 'done', present: 'now', next: 'next', skipped: 'skipped' };
const signs = { done: '✓', present: '●', next: '', skipped: '×' };
const titles = { forward: 'Forward', back: 'Back' };

let built = '';
let steps = [];
let note = null;
let bar = null;
let left = null;

/** The exposures of the plan as a profile: up, and down again where it goes back. */
export function drawRoad({ road }) {
  const shape = road.map(({ direction, exposurePercent }) => `${direction}${exposurePercent}`).join();
  if (shape !== built || !note) build(road, shape);
  for (const [index, milestone] of road.entries()) drawStep(steps[index], milestone);
  const present = road.find(({ state }) => state === 'present') ?? null;
  setText(note, noteOf(road, present));
  byId('road').classList.toggle('going-back', present?.direction === 'back');
  byId('road').classList.toggle('none', road.length === 0);
}

/** Between two snapshots only the countdown and the bar move. */
export function tickRoad({ road }, nowMs) {
  if (!bar) return;
  const present = road.find(({ state }) => state === 'present');
  const untilMs = present?.untilMs ?? null;
  bar.parentElement.hidden = untilMs === null;
  setText(left, untilMs === null ? '' : countdown(untilMs - nowMs));
  if (untilMs === null) return;
  const sinceMs = present.sinceMs ?? nowMs;
  const part = Math.min(1, Math.max(0, (nowMs - sinceMs) / Math.max(1, untilMs - sinceMs)));
  bar.style.width = `${(part * 100).toFixed(1)}%`;
}

function noteOf(road, present) {
  if (road.length === 0) return 'No rollout yet. Its steps forward, and back if it goes back, will stand here.';
  const told = present ?? road.findLast(({ state, note: text }) => state === 'done' && text);
  if (!told) return '';
  const text = bound(`At ${told.exposurePercent} %: ${sentence(told.note || 'under way')}`);
  return told.untilMs === null ? text : `${text} Until ${timeOfDay(told.untilMs)} at the latest:`;
}

function sentence(text) {
  return /[.?]$/.test(text) ? text : `${text}.`;
}

function build(road, shape) {
  built = shape;
  steps = road.map(({ direction, exposurePercent }) => {
    const step = {
      word: h('span', { class: 'step-word' }),
      sign: h('span', { class: 'step-sign', 'aria-hidden': 'true' }),
      column: h('span', { class: 'step-column', 'aria-hidden': 'true' }),
    };
    step.column.style.setProperty('--exposure', String(exposurePercent / 100));
    step.item = h(
      'li',
      { 'data-testid': `step-${direction}-${exposurePercent}` },
      h('span', { class: 'step-space' }, step.sign, step.column),
      h('strong', { class: 'step-percent' }, `${exposurePercent}\u00a0%`),
      step.word,
    );
    return { ...step, direction };
  });
  const groups = Object.keys(titles).flatMap((direction) => {
    const own = steps.filter((step) => step.direction === direction);
    if (own.length === 0) return [];
    const list = h(
      'ol',
      { class: 'steps', 'aria-label': `${titles[direction]}` },
      own.map(({ item }) => item),
    );
    const group = h('div', { class: `way ${direction}` }, h('h3', {}, titles[direction]), list);
    group.style.setProperty('--steps', String(own.length));
    return [group];
  });
  note = h('span', { 'data-testid': 'road-note' });
  left = h('b', { class: 'left', 'data-testid': 'road-left' });
  bar = h('i', {});
  const progress = h('span', { class: 'progress', 'aria-hidden': 'true', hidden: true }, bar);
  byId('road-body').replaceChildren(
    h('div', { class: 'ways' }, groups),
    progress,
    h('p', { class: 'road-note' }, note, ' ', left),
  );
}

function drawStep({ item, word, sign }, { state, note: text }) {
  item.className = `step ${state}`;
  setText(word, words[state] ?? state);
  setText(sign, signs[state] ?? '');
  setAttribute(item, 'aria-current', state === 'present' ? 'step' : null);
  setAttribute(item, 'title', text || null);
}
