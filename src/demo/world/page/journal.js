import { bound, byId, h, timeOfDay } from './dom.js';

const KEPT = 200;
const told = new Set();
let first = true;

/** Lastgood's journal, and between its lines what the story tells and the visitor did. Newest first; only what is new is added. */
export function drawJournal({ journal, lines }) {
  const list = byId('journal');
  const spoken = lines.filter(({ kind }) => kind !== 'journal' || journal.length === 0);
  const all = [
    ...journal.map((line) => ({ ...line, kind: 'journal' })),
    ...spoken.map(({ atMs, kind, text }) => ({ atMs, kind, text, who: kind === 'act' ? 'Demo' : '', what: '' })),
  ].sort((a, b) => a.atMs - b.atMs);
  const seen = new Map();
  const news = all.filter((line) => {
    const same = `${line.atMs} ${line.who} ${line.what} ${line.text}`;
    const count = (seen.get(same) ?? 0) + 1;
    seen.set(same, count);
    const key = `${same} ${count}`;
    if (told.has(key)) return false;
    told.add(key);
    return true;
  });
  for (const line of news) insert(list, line);
  while (list.children.length > KEPT) list.lastChild.remove();
  if (all.length > 0) first = false;
  if (list.children.length === 0) list.append(h('li', { class: 'none' }, 'Nothing is written yet.'));
  else if (news.length > 0) list.querySelector('.none')?.remove();
}

/** A line may come a little late: it stands where its time is. */
function insert(list, line) {
  const { atMs, kind, who, what, text } = line;
  // Which policy's automation: in the title, once it is asked for.
  const by = [what.replaceAll('-', ' '), who.replace(/ \(\S+@\w+\)$/, '')].filter(Boolean).join(' · ');
  const item = h(
    'li',
    { class: `entry-line by-${kind}${first ? '' : ' fresh'}` },
    h('time', { datetime: new Date(atMs).toISOString() }, timeOfDay(atMs)),
    h('div', {}, h('p', {}, bound(text)), by ? h('p', { class: 'by', title: who }, by) : null),
  );
  item.dataset.at = String(atMs);
  const older = [...list.children].find(({ dataset }) => !(Number(dataset.at) > atMs));
  list.insertBefore(item, older ?? null);
}

/** Alerts and PagerDuty's incidents, worst first. */
export function drawSignals({ alerts, incidents }) {
  const order = ['firing', 'triggered', 'pending', 'acknowledged', 'resolved'];
  const rows = [
    ...alerts.map(({ name, version, state, summary, sinceMs }) => ({ what: name, version, state, summary, sinceMs })),
    ...incidents.map(({ state, summary }) => ({ what: 'PagerDuty', state, summary, sinceMs: null })),
  ].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  const shape = JSON.stringify(rows);
  const list = byId('signals');
  if (list.dataset.shape === shape) return;
  list.dataset.shape = shape;
  const nothing = h('li', { class: 'none' }, 'No alert fires, nobody is paged.');
  list.replaceChildren(...(rows.length > 0 ? rows.map(signalRow) : [nothing]));
}

function signalRow({ what, version, state, summary, sinceMs }) {
  const since = sinceMs === null || !Number.isFinite(sinceMs) ? null : `since ${timeOfDay(sinceMs)}`;
  const which = [version, since].filter(Boolean).join(', ');
  return h(
    'li',
    { class: 'row' },
    h('span', { class: `badge ${state}` }, state),
    h('strong', {}, what),
    which ? h('span', { class: 'by' }, which) : null,
    h('p', { class: 'by' }, bound(summary)),
  );
}
