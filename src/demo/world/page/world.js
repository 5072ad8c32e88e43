import { drawCharts } from './charts.js';
import { byId, h, timeOfDay } from './dom.js';

let latest = null;
/** By how much the visitor's clock is behind the demo's. */
let clockOffsetMs = 0;
let lastLine = 0;
let forgetting;

function draw(state) {
  if (state.starting) return;
  latest = state;
  clockOffsetMs = state.nowMs - Date.now();
  drawNow(state.now);
  drawSplit(state.split);
  byId('charts').replaceChildren(...drawCharts(armsOf(state.split), state));
  drawSignals(state);
  drawControls(state.controls);
  drawJournal(state.lines);
  drawSources(state.sources);
}

function drawNow(now) {
  byId('now').className = `now ${now.tone}`;
  setText(byId('now-title'), now.title);
  setText(byId('now-detail'), now.detail);
  byId('until').hidden = now.untilMs === null;
  if (now.untilMs === null) return;
  setText(byId('until-what'), now.until);
  setText(byId('until-at'), timeOfDay(now.untilMs));
  byId('until-at').dateTime = new Date(now.untilMs).toISOString();
  drawCountdown();
}

function drawCountdown() {
  const untilMs = latest?.now.untilMs ?? null;
  if (untilMs === null) return;
  const seconds = Math.max(0, Math.ceil((untilMs - Date.now() - clockOffsetMs) / 1000));
  const text = seconds >= 120 ? `in ${Math.round(seconds / 60)} min` : `in ${seconds} s`;
  setText(byId('countdown'), seconds === 0 ? 'now' : text);
}

function armsOf({ stable, candidate }) {
  const arms = [{ role: 'stable', ...stable }];
  if (candidate.version !== null) arms.push({ role: 'candidate', ...candidate });
  return arms;
}

function drawSplit(split) {
  const arms = armsOf(split);
  const bar = byId('bar');
  bar.setAttribute('aria-label', arms.map(({ version, percent }) => `${version} ${percent} %`).join(', '));
  // The same elements, so that the shares move instead of jumping.
  if (bar.children.length === 0) bar.append(h('div', { class: 'stable' }), h('div', { class: 'candidate' }));
  for (const [index, part] of [...bar.children].entries()) {
    const arm = arms[index];
    part.style.width = `${arm?.percent ?? 0}%`;
    setText(part, arm && arm.percent >= 10 ? `${arm.version}` : '');
  }
  const entries = arms.map(({ role, version, percent }) =>
    h('li', {}, h('i', { class: `dot ${role}` }), `${version} (${role}) `, h('strong', {}, `${percent} %`)),
  );
  byId('legend').replaceChildren(...entries);
}

function drawSignals({ alerts, incidents }) {
  const alertRows = alerts.map(({ name, state, summary, sinceMs }) =>
    row(state, `Alert ${name}`, `${summary}, since ${timeOfDay(sinceMs)}`),
  );
  const incidentRows = incidents.map(({ state, summary }) => row(state, 'PagerDuty', summary));
  const rows = [...alertRows, ...incidentRows];
  const nothing = h('li', { class: 'none' }, 'No alert fires, nobody is paged.');
  byId('signals').replaceChildren(...(rows.length > 0 ? rows : [nothing]));
}

function row(state, what, text) {
  return h('li', {}, h('span', { class: `badge ${state}` }, state), h('span', {}, h('strong', {}, what), ` ${text}`));
}

/** Blocked buttons stay reachable and say why. */
function drawControls(controls) {
  const box = byId('controls');
  const same = box.children.length === controls.length;
  if (!same) {
    box.replaceChildren(
      ...controls.map(({ id }) =>
        h('button', { type: 'button', 'data-testid': `control-${id}`, onclick: () => press(id) }),
      ),
    );
  }
  for (const [index, { label, blocked }] of controls.entries()) {
    const button = box.children[index];
    setText(button, label);
    button.setAttribute('aria-disabled', blocked === null ? 'false' : 'true');
    button.title = blocked ?? '';
  }
}

async function press(action) {
  const control = latest?.controls.find(({ id }) => id === action);
  if (control && control.blocked !== null) {
    say(control.blocked);
    return;
  }
  try {
    const response = await fetch('/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action }),
    });
    say((await response.json()).text);
  } catch {
    say('The demo does not answer: has it ended?');
  }
}

/** Long enough to be read. */
function say(text) {
  setText(byId('answer'), text);
  clearTimeout(forgetting);
  forgetting = setTimeout(() => setText(byId('answer'), ''), 12_000);
}

/** Newest on top; only what is new is added. */
function drawJournal(lines) {
  const list = byId('journal');
  for (const { number, atMs, kind, text } of lines) {
    if (number <= lastLine) continue;
    list.prepend(
      h('li', {}, h('time', {}, timeOfDay(atMs)), h('span', { class: kind }, text.replace(/(\d) %/g, '$1\u00a0%'))),
    );
    lastLine = number;
  }
  while (list.children.length > 200) list.lastChild.remove();
}

function drawSources(sources) {
  const text = sources
    .map(({ label, real }) => (real ? `${label} (installed here)` : `a built-in ${label}`))
    .join(', ');
  setText(byId('sources'), text === '' ? 'Prometheus and Alertmanager are starting.' : `Measured by ${text}.`);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const events = new EventSource('/events');
events.onmessage = ({ data }) => draw(JSON.parse(data));
events.onerror = () => {
  // The browser tries again by itself.
  byId('now').className = 'now calm';
  setText(byId('now-title'), 'The demo does not answer');
  setText(byId('now-detail'), 'It has ended, or the connection was lost. Trying again…');
  byId('until').hidden = true;
  latest = null;
};
setInterval(drawCountdown, 250);
