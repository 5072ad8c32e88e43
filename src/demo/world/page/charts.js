import { h, s, timeOfDay } from './dom.js';

const SPAN_MS = 120_000;
const WIDTH = 480;
const HEIGHT = 46;

const charts = (slowMs) => [
  {
    title: 'Requests per second',
    of: (point) => point.requestsPerSecond,
    format: (value) => String(Math.round(value)),
    least: 20,
  },
  { title: 'Error rate', of: (point) => point.errorShare, format: percent, least: 0.1, most: 1 },
  { title: `Slower than ${slowMs} ms`, of: (point) => point.slowShare, format: percent, least: 0.1, most: 1 },
];

/** Draws the last two minutes of each arm. `arms`: role and version; `points`: by version, oldest first. */
export function drawCharts(arms, { points, nowMs, slowMs }) {
  // One time line is enough for all.
  const foot = h(
    'div',
    { class: 'chart-foot' },
    h('span', {}, timeOfDay(nowMs - SPAN_MS)),
    h('span', {}, timeOfDay(nowMs)),
  );
  return [...charts(slowMs).map((chart) => drawChart(chart, arms, points, nowMs)), foot];
}

function drawChart(chart, arms, points, nowMs) {
  const lines = arms.map(({ role, version }) => ({
    role,
    version,
    points: (points[version] ?? []).filter(({ atMs }) => atMs > nowMs - SPAN_MS),
  }));
  const values = lines.flatMap((line) => line.points.map(chart.of)).filter((value) => value !== null);
  const top = Math.min(chart.most ?? Number.POSITIVE_INFINITY, niceTop(Math.max(chart.least, ...values)));
  const x = (atMs) => WIDTH * (1 - (nowMs - atMs) / SPAN_MS);
  const y = (value) => HEIGHT - 2 - (HEIGHT - 4) * Math.min(1, value / top);
  const latest = lines.map(({ role, version, points: own }) => {
    const value = own.length === 0 ? null : chart.of(own.at(-1));
    return h('span', {}, h('i', { class: `dot ${role}` }), `${version} ${value === null ? '–' : chart.format(value)}`);
  });
  return h(
    'div',
    { class: 'chart' },
    h(
      'div',
      { class: 'chart-head' },
      h('span', {}, h('strong', {}, chart.title), `to ${chart.format(top)}`),
      h('span', {}, latest),
    ),
    s(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${chart.title}: ${latest.map((node) => node.textContent).join(', ') || 'nothing yet'}`,
      },
      [0, 0.5, 1].map((part) => s('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(top * part), y2: y(top * part) })),
      lines.map((line) => s('path', { class: `line ${line.role}`, d: pathOf(line.points, chart.of, x, y) })),
    ),
  );
}

/** Where there is no number the line has a gap. */
function pathOf(points, of, x, y) {
  let pen = 'M';
  const parts = [];
  for (const point of points) {
    const value = of(point);
    if (value === null) pen = 'M';
    else {
      parts.push(`${pen}${x(point.atMs).toFixed(1)} ${y(value).toFixed(1)}`);
      pen = 'L';
    }
  }
  return parts.join('');
}

/** The next 1, 2 or 5 times a power of ten. */
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value * 0.999);
}

function percent(value) {
  const points = value * 100;
  return `${points < 10 && !Number.isInteger(points) ? points.toFixed(1) : Math.round(points)} %`;
}
