import { byId, h, percent, setAttribute, setText, timeOfDay } from './dom.js';
import { drawMarkers, isNear, markersOf } from './markers.js';
import { newestOf, withGaps } from './newest.js';
import { onTheme, palette } from './palette.js';

const SPAN_MS = 120_000;
const HEIGHT = { narrow: 92, wide: 118 };
const isWide = matchMedia('(min-width: 820px)');
const TIMES_HEIGHT = 20;
/** A reading this far from the cursor is not the one pointed at. */
const NEAR_MS = 3_000;
/** Half of a time of day: the last one stands at the right edge. */
const HALF_TIME_PX = 30;
const roles = ['stable', 'candidate'];

const kinds = (slowMs) => [
  { id: 'errors', title: 'Errors', of: (point) => point.errorShare },
  { id: 'slow', title: `Over ${slowMs}\u00a0ms`, of: (point) => point.slowShare },
  { id: 'wrong', title: 'Wrong scores', of: (point) => point.wrongShare, optional: true },
];

let charts = null;
let caption = null;
let markers = [];
let latest = null;

/** The lines of both versions. `uPlot` is null until it is loaded (or where it cannot be): the numbers are shown without. */
export function drawLines(state, uPlot) {
  latest = { ...state, arms: armsOf(state) };
  const wanted = kinds(state.slowMs).filter(({ optional, of }) => !optional || hasAny(state.points, of));
  if (charts?.length !== wanted.length) build(wanted);
  markers = markersOf(state, state.nowMs - SPAN_MS);
  for (const chart of charts) {
    if (uPlot && !chart.plot) chart.plot = createPlot(uPlot, chart);
    chart.plot?.setData(dataOf(uPlot, chart));
    drawLegend(chart);
  }
}

function hasAny(points, of) {
  return Object.values(points).some((own) => own.some((point) => typeof of(point) === 'number'));
}

/** Who was the candidate a moment ago is still drawn: its line ends where its traffic did. */
function armsOf({ split, points, nowMs }) {
  const stable = split.stable.version;
  const lastServedMs = (version) =>
    points[version].findLast(({ atMs, errorShare }) => atMs > nowMs - SPAN_MS && errorShare !== null)?.atMs ?? 0;
  const served = Object.keys(points).filter((version) => version !== stable && lastServedMs(version) > 0);
  const newest = served.sort((a, b) => lastServedMs(b) - lastServedMs(a))[0] ?? null;
  return { stable, candidate: split.candidate.version ?? newest };
}

function build(wanted) {
  for (const chart of charts ?? []) chart.plot?.destroy();
  charts = wanted.map((kind) => {
    const values = Object.fromEntries(roles.map((role) => [role, h('b', { class: 'entry-value' }, '–')]));
    const names = Object.fromEntries(roles.map((role) => [role, h('span', {}, role)]));
    const legend = roles.map((role) =>
      h('span', { class: `entry ${role}` }, h('i', { class: `stroke ${role}`, 'aria-hidden': 'true' }), names[role], [
        ' ',
        values[role],
      ]),
    );
    const at = h('span', { class: 'at' });
    const body = h('div', {
      class: 'plot',
      role: 'img',
      tabindex: '0',
      'data-testid': `line-${kind.id}`,
    });
    const box = h(
      'div',
      { class: 'chart' },
      h('div', { class: 'chart-head' }, h('h3', {}, kind.title), at, legend),
      body,
    );
    const chart = { ...kind, box, body, values, names, at, plot: null };
    body.addEventListener('keydown', (event) => moveCursor(chart, event));
    body.addEventListener('blur', () => chart.plot?.setCursor({ left: -10, top: -10 }, true, true));
    return chart;
  });
  caption = h('p', { class: 'key markers', 'data-testid': 'markers' });
  byId('lines-charts').replaceChildren(h('div', { class: 'charts' }, ...charts.map(({ box }) => box)), caption);
}

/** One table for both lines; where the other version was not read at that moment its line simply goes on. */
function dataOf(uPlot, chart) {
  const tables = roles.map((role) => {
    const all = latest.points[latest.arms[role]] ?? [];
    const own = withGaps(all.filter(({ atMs }) => atMs > latest.nowMs - SPAN_MS - NEAR_MS));
    return [own.map(({ atMs }) => atMs / 1000), own.map((point) => chart.of(point) ?? null)];
  });
  const filled = tables.map((table) => (table[0].length > 0 ? table : [[latest.nowMs / 1000], [null]]));
  // 2: a gap stays a gap, also next to a moment only the other version has.
  return uPlot.join(filled, [
    [0, 1],
    [0, 1],
  ]);
}

function topOf(chart) {
  const values = roles.flatMap((role) => (latest.points[latest.arms[role]] ?? []).map(chart.of));
  const highest = Math.max(0.1, ...values.filter((value) => typeof value === 'number'));
  return [0.1, 0.2, 0.4, 0.6, 0.8].find((top) => top >= highest) ?? 1;
}

function createPlot(uPlot, chart) {
  const soft = () => palette().soft;
  const grid = { stroke: () => palette().grid, width: 1 };
  const font = '11px system-ui, "DejaVu Sans", sans-serif';
  const size = () => ({
    width: Math.max(200, chart.body.clientWidth),
    height: (isWide.matches ? HEIGHT.wide : HEIGHT.narrow) + TIMES_HEIGHT,
  });
  const options = {
    ...size(),
    padding: [10, HALF_TIME_PX, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'world' }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { range: () => [(latest.nowMs - SPAN_MS) / 1000, latest.nowMs / 1000] },
      y: { range: () => [0, topOf(chart)] },
    },
    axes: [
      {
        stroke: soft,
        grid: { show: false },
        ticks: { show: false },
        font,
        size: 20,
        gap: 4,
        space: 110,
        values: (_, splits) => splits.map((seconds) => timeOfDay(seconds * 1000)),
      },
      {
        stroke: soft,
        grid,
        ticks: { show: false },
        font,
        size: 44,
        gap: 6,
        splits: () => [0, topOf(chart) / 2, topOf(chart)],
        values: (_, splits) => splits.map((share) => `${Math.round(share * 100)} %`),
      },
    ],
    series: [
      {},
      { stroke: () => palette().stable, width: 1.75, points: { show: false } },
      { stroke: () => palette().candidate, width: 2.25, dash: [7, 3], points: { show: false } },
    ],
    hooks: {
      draw: [(u) => drawMarkers(u, markers, palette())],
      setCursor: [() => drawLegend(chart)],
    },
  };
  const plot = new uPlot(options, dataOf(uPlot, chart), chart.body);
  new ResizeObserver(() => {
    const { width, height } = size();
    if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
  }).observe(chart.body);
  onTheme(() => plot.redraw(false, true));
  return plot;
}

/** The numbers under the cursor, else the newest. */
function drawLegend(chart) {
  const left = chart.plot?.cursor.left ?? -1;
  const pointed = left >= 0 ? chart.plot.posToVal(left, 'x') * 1000 : null;
  const texts = [];
  for (const role of roles) {
    const version = latest.arms[role];
    const value = valueAt(chart, version, pointed);
    chart.names[role].parentElement.hidden = version === null;
    setText(chart.names[role], `${version} `);
    setText(chart.values[role], percent(value));
    if (version !== null) texts.push(`${version} (${role}) ${percent(valueAt(chart, version, null))}`);
  }
  setText(chart.at, pointed === null ? '' : timeOfDay(pointed));
  setAttribute(chart.body, 'aria-label', `${chart.title}, the last two minutes. Now: ${texts.join(', ')}.`);
  if (chart === charts.at(-1)) drawCaption(pointed);
}

function valueAt(chart, version, atMs) {
  const own = latest.points[version] ?? [];
  if (atMs === null) {
    const point = newestOf(latest, version);
    return point ? (chart.of(point) ?? null) : null;
  }
  const distance = (point) => Math.abs(point.atMs - atMs);
  const nearest = own.reduce((best, point) => (best && distance(best) <= distance(point) ? best : point), null);
  return nearest && distance(nearest) < NEAR_MS ? (chart.of(nearest) ?? null) : null;
}

/** What the vertical lines mean; pointed at, what that one was. */
function drawCaption(pointed) {
  const near = pointed === null ? undefined : markers.findLast((marker) => isNear(marker, pointed));
  const key = [
    ['shift', 'traffic moved'],
    ['alert', 'alert'],
    ['decision', 'decided'],
  ];
  const state = near ? `${near.atMs} ${near.text}` : 'key';
  if (caption.dataset.state === state) return;
  caption.dataset.state = state;
  const entry = ([kind, text]) => h('span', {}, h('i', { class: `marker ${kind}`, 'aria-hidden': 'true' }), text);
  caption.replaceChildren(...(near ? [entry([near.kind, `${timeOfDay(near.atMs)}  ${near.text}`])] : key.map(entry)));
}

function moveCursor({ plot }, event) {
  const width = plot?.over.clientWidth ?? 0;
  const from = plot && plot.cursor.left >= 0 ? plot.cursor.left : width;
  const second = (width * 1000) / SPAN_MS;
  const to = { ArrowLeft: from - second, ArrowRight: from + second, Home: 0, End: width }[event.key];
  if (plot && to !== undefined) plot.setCursor({ left: Math.min(width, Math.max(0, to)), top: 10 }, true, true);
  else if (plot && event.key === 'Escape') plot.setCursor({ left: -10, top: -10 }, true, true);
  else return;
  event.preventDefault();
}
