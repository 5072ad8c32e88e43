import { byId, h, memory, setAttribute, setText } from './dom.js';

/** The ways to make things worse, in the order of their keys; the button's own words are its title. */
const short = {
  errors: 'Errors',
  latency: 'Latency',
  accuracy: 'Accuracy',
  drift: 'Drift',
  both: 'Both bad',
  'metrics-gone': 'No metrics',
};
const otherKeys = { heal: '0', next: 'n' };
const QUIET_KEY = 'lastgood-demo-keys';

let latest = null;
let help = null;
let forgetting;
/** Only what was pressed last is answered: an answer may overtake. */
let presses = 0;
const buttons = new Map();
const speeds = new Map();
const extraKeys = [];

export function drawControls(state) {
  latest = state;
  // The speed stands in the strip, as a choice.
  const shown = state.controls.filter(({ group }) => group !== 'time');
  const shape = shown.map(({ id }) => id).join();
  if (byId('controls').dataset.shape !== shape) build(shown, shape);
  for (const control of shown) drawButton(buttons.get(control.id), control);
  const candidate = state.split.candidate.version;
  const title = byId('worsen-title');
  if (title) setText(title, candidate === null ? 'Make the candidate worse' : `Make ${candidate} worse`);
  drawSpeed(state.speed);
}

function build(shown, shape) {
  buttons.clear();
  const order = Object.keys(short);
  const place = ({ id }) => (order.includes(id) ? order.indexOf(id) : order.length);
  const worse = shown
    .filter(({ group: name }) => name === 'worsen')
    .sort((a, b) => place(a) - place(b))
    .map((control, index) => ({ control, label: short[control.id] ?? null, key: String(index + 1) }));
  const others = shown
    .filter(({ group: name }) => name !== 'worsen')
    .map((control) => ({ control, label: null, key: otherKeys[control.id] ?? null }));
  const group = (id, title, entries) =>
    entries.length === 0
      ? null
      : h(
          'div',
          { class: `group ${id}`, role: 'group', 'aria-labelledby': `${id}-title` },
          h('h3', { id: `${id}-title` }, title),
          h('div', { class: 'buttons' }, entries.map(buildButton)),
        );
  const box = byId('controls');
  box.dataset.shape = shape;
  box.replaceChildren(
    ...[group('worsen', 'Make the candidate worse', worse), group('go', 'Go on', others)].filter(Boolean),
  );
}

function buildButton({ control: { id }, label, key }) {
  const text = h('span', {});
  const why = h('span', { class: 'unseen', id: `why-${id}` });
  const node = h(
    'button',
    {
      type: 'button',
      class: 'control',
      'data-testid': `control-${id}`,
      'aria-keyshortcuts': key,
      'aria-describedby': `why-${id}`,
      onclick: () => press(id),
    },
    text,
    key ? h('kbd', { 'aria-hidden': 'true' }, key) : null,
  );
  buttons.set(id, { node, text, why, label, key });
  return h('span', { class: 'slot' }, node, why);
}

/** A blocked button stays reachable and says why. */
function drawButton({ node, text, why, label }, control) {
  setText(text, label ?? control.label);
  setAttribute(node, 'aria-disabled', control.blocked === null ? 'false' : 'true');
  setAttribute(node, 'title', control.blocked ?? (label === null ? null : control.label));
  setText(why, control.blocked ?? (label === null ? '' : control.label));
  if (control.group === 'worsen') setAttribute(node, 'aria-pressed', String(control.pressed));
}

function drawSpeed({ factor, choices }) {
  const box = byId('speed');
  box.hidden = choices.length < 2;
  if (box.dataset.choices !== choices.join()) {
    box.dataset.choices = choices.join();
    speeds.clear();
    for (const choice of choices) {
      const label = `${choice} times the speed`;
      const onclick = () => chooseSpeed(choice);
      speeds.set(choice, h('button', { type: 'button', class: 'small', 'aria-label': label, onclick }, `${choice}×`));
    }
    box.replaceChildren(...speeds.values());
  }
  for (const [choice, node] of speeds) setAttribute(node, 'aria-pressed', String(choice === factor));
}

/** There is one button for it in the feed: it goes from the one speed to the other. */
function chooseSpeed(factor) {
  if (latest.speed.factor !== factor) press('speed');
}

async function press(action) {
  presses += 1;
  const own = presses;
  const control = latest?.controls.find(({ id }) => id === action);
  if (control && control.blocked !== null) return say(control.blocked, 'blocked');
  const node = buttons.get(action)?.node;
  node?.classList.add('sent');
  try {
    const response = await fetch('/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action }),
    });
    const { text } = await response.json();
    if (own === presses) say(text, 'done');
  } catch {
    if (own === presses) say('The demo does not answer: has it ended?', 'blocked');
  } finally {
    node?.classList.remove('sent');
  }
}

/** Long enough to be read. The same text said again is announced again. */
function say(text, kind) {
  const answer = byId('answer');
  answer.replaceChildren(h('span', { class: kind }, text));
  clearTimeout(forgetting);
  forgetting = setTimeout(() => answer.replaceChildren(), 12_000);
}

/** `keys`: more of them, `{ key, label, run }`. */
export function listenToKeys(keys) {
  extraKeys.push({ key: 'f', label: 'Faster, or at normal speed', run: () => press('speed') }, ...keys);
  help = byId('help');
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    if (help.open) return;
    if (event.key === '?') return openHelp(event);
    if (memory.get(QUIET_KEY) === 'off') return;
    const button = [...buttons].find(([, { key }]) => key === event.key);
    const extra = extraKeys.find(({ key }) => key === event.key);
    if (!button && !extra) return;
    event.preventDefault();
    if (button) press(button[0]);
    else extra.run();
  });
  byId('help-open').addEventListener('click', openHelp);
}

function isTyping(target) {
  return target.isContentEditable || target.matches?.('input:not([type=checkbox]), textarea, select') === true;
}

function openHelp(event) {
  event.preventDefault();
  const labelOf = (id) => latest.controls.find((control) => control.id === id)?.label ?? id;
  const own = [...buttons].filter(([, { key }]) => key).map(([id, { key }]) => [key, labelOf(id)]);
  const rows = [
    ...own,
    ...extraKeys.map(({ key, label }) => [key, label]),
    ['?', 'These keys'],
    ['Esc', 'Close what is open'],
  ];
  const box = h('input', { type: 'checkbox', id: 'keys-on' });
  box.checked = memory.get(QUIET_KEY) !== 'off';
  box.addEventListener('change', () => memory.set(QUIET_KEY, box.checked ? 'on' : 'off'));
  help.replaceChildren(
    h('h2', { class: 'help-title', id: 'help-title' }, 'Keys'),
    h(
      'dl',
      {},
      rows.flatMap(([key, label]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, label)]),
    ),
    h('p', {}, h('label', {}, box, ' Single keys work on this page')),
    h('form', { method: 'dialog' }, h('button', { autofocus: true }, 'Close')),
  );
  help.showModal();
}
