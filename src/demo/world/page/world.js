import { createClock } from './clock.js';
import { drawControls, listenToKeys } from './controls.js';
import { bound, byId, countdown, h, setText, timeOfDay } from './dom.js';
import { drawGauge } from './gauge.js';
import { drawJournal, drawSignals } from './journal.js';
import { drawRoad, tickRoad } from './road.js';
import { createTour } from './tour.js';
import { drawTraffic } from './traffic.js';

performance.mark('world-skeleton');

const AGAIN_MS = 1_500;
const clock = createClock();
const tour = createTour();
const tones = { calm: 'All calm', moving: 'Under way', alarm: 'Needs attention', good: 'Good' };
let latest = null;
let lines = null;

/** What an older or a starting feed leaves out. */
const nothing = {
  speed: { factor: 1, choices: [1] },
  slowMs: 500,
  points: {},
  moment: 'starting',
  road: [],
  alerts: [],
  incidents: [],
  journal: [],
  lines: [],
  controls: [],
  sources: [],
};

function draw(sent) {
  if (sent.starting) return;
  const first = latest === null;
  latest = { ...nothing, ...sent };
  clock.set(latest.nowMs, latest.speed.factor);
  drawNow(latest.now);
  drawTraffic(latest);
  drawGauge(latest);
  drawRoad(latest);
  drawSignals(latest);
  drawJournal(latest);
  drawControls(latest);
  drawSources(latest.sources);
  lines?.draw(latest);
  tick();
  // Last: the rest has its height.
  if (first) measure();
  tour.draw(latest);
  if (!first) return;
  document.body.classList.add('ready');
  performance.mark('world-first');
  loadLines();
}

/** How much of the window the strip and the dock take: what is scrolled to stays clear of both. */
function measure() {
  for (const [name, id] of Object.entries({ strip: 'now', dock: 'dock' })) {
    document.documentElement.style.setProperty(`--${name}-height`, `${byId(id).offsetHeight}px`);
  }
}

function drawNow(now) {
  const strip = byId('now');
  strip.className = `strip ${now.tone}${strip.classList.contains('told') ? ' told' : ''}`;
  strip.dataset.tone = tones[now.tone] ?? '';
  setText(byId('now-title'), bound(now.title));
  setText(byId('now-detail'), bound(now.detail));
  byId('until').classList.toggle('empty', now.untilMs === null);
  setText(byId('until-what'), now.untilMs === null ? '' : now.until);
  setText(byId('until-at'), now.untilMs === null ? '' : timeOfDay(now.untilMs));
  if (now.untilMs !== null) byId('until-at').dateTime = new Date(now.untilMs).toISOString();
}

/** What runs between two snapshots, on the demo's clock. */
function tick() {
  if (latest === null || document.hidden) return;
  const nowMs = clock.nowMs();
  const { untilMs } = latest.now;
  const left = untilMs === null ? '' : countdown(untilMs - nowMs);
  setText(byId('countdown'), left === '' || left === 'now' ? left : `in ${left}`);
  tickRoad(latest, nowMs);
}

function drawSources(sources) {
  const box = byId('sources');
  const shape = JSON.stringify(sources);
  if (box.dataset.shape === shape) return;
  box.dataset.shape = shape;
  const link = ({ label, url, real }) => [
    real ? '' : 'a built-in ',
    h('a', { href: url, target: '_blank', rel: 'noreferrer noopener' }, label),
    real ? ' (installed here)' : '',
  ];
  const named = sources.flatMap((source, index) => [index > 0 ? ', ' : 'Measured by ', ...link(source)]);
  box.replaceChildren(...(named.length > 0 ? [...named, '.'] : ['Prometheus and Alertmanager are starting.']));
}

/** Only when the rest is shown: the numbers do not wait for the chart library. */
async function loadLines() {
  const { drawLines } = await import('./lines.js');
  let uPlot = null;
  lines = { draw: (state) => drawLines(state, uPlot) };
  lines.draw(latest);
  try {
    ({ default: uPlot } = await import('/vendor/uPlot.esm.js'));
    lines.draw(latest);
    performance.mark('world-lines');
  } catch {
    byId('lines').classList.add('without-plots');
  }
}

function connect() {
  const events = new EventSource('/events');
  events.onmessage = ({ data }) => draw(JSON.parse(data));
  events.onerror = () => {
    sayWhy();
    // After a lost connection the browser tries again by itself; after a refusal it does not.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
  };
}

/** Whoever only starts says so with a 503: the page as it came says that already. */
async function sayWhy() {
  const status =
    latest === null
      ? await fetch('/state').then(
          (answer) => answer.status,
          () => 0,
        )
      : 0;
  if (status !== 503) sayLost();
}

function sayLost() {
  const detail = 'It has ended, or the connection was lost. Trying again…';
  drawNow({ tone: 'calm', title: 'The demo does not answer', detail, until: '', untilMs: null });
  if (latest) latest = { ...latest, now: { ...latest.now, untilMs: null } };
  tick();
}

listenToKeys([
  { key: 't', label: 'Open or close the tour', run: () => tour.toggle() },
  { key: 'j', label: 'To the journal', run: () => byId('journal').focus() },
]);
connect();
setInterval(tick, 250);
document.addEventListener('visibilitychange', tick);

const observer = new ResizeObserver(measure);
observer.observe(byId('now'));
observer.observe(byId('dock'));
