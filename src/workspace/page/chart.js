import { h, svg } from './dom.js';

const margin = { top: 10, right: 30, bottom: 24, left: 40 };
/** Marks differ, so that the series can be told apart without colour. */
const dashes = [null, '6 4', '2 3', '10 4 2 4', '1 4', '12 3'];

/** Round steps for an axis: 1, 2 or 5 times a power of ten. */
export function ticks(low, high, wanted = 4) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? power;
  const first = Math.floor(low / step) * step;
  const list = [];
  for (let value = first; list.length < 12; value += step) {
    list.push(Number(value.toPrecision(12)));
    if (value >= high) break;
  }
  return list;
}

function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}

/** Where things are: from categories and values to x and y. */
function scales(chart) {
  // Drawn for the width it is shown at, so that its words stay readable on a phone.
  const narrow = window.innerWidth < 600;
  const width = narrow ? 350 : 540;
  const height = narrow ? 160 : 132;
  const { categories } = chart.axis_config;
  const values = chart.series.flatMap((series) => series.data.map((point) => point.value));
  const marks = ticks(Math.min(0, ...values), Math.max(...values, 0));
  const low = marks[0];
  const high = marks.at(-1);
  const innerWidth = width - margin.left - margin.right;
  const innerHeight = height - margin.top - margin.bottom;
  const bars = chart.type === 'bar';
  const step = innerWidth / (bars ? categories.length : Math.max(1, categories.length - 1));
  return {
    width,
    height,
    categories,
    marks,
    step,
    x: (index) => margin.left + (bars ? step * (index + 0.5) : categories.length === 1 ? innerWidth / 2 : step * index),
    y: (value) => margin.top + innerHeight * (1 - (value - low) / (high - low || 1)),
    base: margin.top + innerHeight * (1 - (0 - low) / (high - low || 1)),
  };
}

function axes(scale) {
  const { width, height } = scale;
  const every = Math.ceil(scale.categories.length / (width < 400 ? 5 : 7));
  return [
    ...scale.marks.flatMap((value) => [
      svg('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: scale.y(value), y2: scale.y(value) }),
      svg('text', { class: 'tick', x: margin.left - 8, y: scale.y(value) + 4, 'text-anchor': 'end' }, short(value)),
    ]),
    ...scale.categories.map((category, index) =>
      index % every === 0
        ? svg('text', { class: 'tick', x: scale.x(index), y: height - 8, 'text-anchor': 'middle' }, category)
        : null,
    ),
  ];
}

function valueAt(series, category) {
  return series.data.find((point) => point.label === category)?.value ?? 0;
}

function lineOf(series, index, scale, area) {
  const points = scale.categories.map((category, x) => [scale.x(x), scale.y(valueAt(series, category)), category]);
  const path = points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');
  const last = points.at(-1);
  return svg(
    'g',
    { class: `series series-${index}` },
    area
      ? svg('path', { class: 'area', d: `${path} L${last[0]} ${scale.base} L${points[0][0]} ${scale.base} Z` })
      : null,
    svg('path', { class: 'line', d: path, 'stroke-dasharray': dashes[index % dashes.length] }),
    points.map(([x, y, category]) =>
      svg(
        'circle',
        { class: 'dot', cx: x, cy: y, r: 3.2 },
        svg('title', {}, `${series.name}, ${category}: ${valueAt(series, category)}`),
      ),
    ),
  );
}

function barsOf(series, index, count, scale) {
  const slot = (scale.step * 0.7) / count;
  return svg(
    'g',
    { class: `series series-${index}` },
    scale.categories.map((category, at) => {
      const value = valueAt(series, category);
      const top = Math.min(scale.y(value), scale.base);
      return svg(
        'rect',
        {
          class: 'bar',
          x: scale.x(at) - (slot * count) / 2 + slot * index,
          y: top,
          width: Math.max(1, slot - 2),
          height: Math.abs(scale.y(value) - scale.base),
          rx: 2,
        },
        svg('title', {}, `${series.name}, ${category}: ${value}`),
      );
    }),
  );
}

/** A data_visualization block as an inline SVG with a legend, and its numbers in words for those who cannot see it. */
export function renderChart(block) {
  const { chart } = block;
  const scale = scales(chart);
  const words = chart.series
    .map((series) => `${series.name}: ${series.data.map((point) => `${point.label} ${point.value}`).join(', ')}`)
    .join('. ');
  return h(
    'figure',
    { class: 'chart', 'data-testid': 'chart' },
    h(
      'figcaption',
      { class: 'chart-title' },
      block.title,
      chart.axis_config.y_label ? h('span', { class: 'chart-unit' }, chart.axis_config.y_label) : null,
    ),
    svg(
      'svg',
      { viewBox: `0 0 ${scale.width} ${scale.height}`, role: 'img', 'aria-label': `${block.title}. ${words}` },
      axes(scale),
      chart.series.map((series, index) =>
        chart.type === 'bar'
          ? barsOf(series, index, chart.series.length, scale)
          : lineOf(series, index, scale, chart.type === 'area'),
      ),
    ),
    h(
      'div',
      { class: 'legend' },
      chart.series.map((series, index) =>
        h(
          'span',
          { class: `legend-item series-${index}` },
          svg(
            'svg',
            { viewBox: '0 0 26 10', 'aria-hidden': 'true' },
            svg('path', {
              class: 'line',
              d: 'M1 5 H25',
              'stroke-dasharray': chart.type === 'bar' ? null : dashes[index % dashes.length],
            }),
          ),
          series.name,
        ),
      ),
      chart.axis_config.x_label ? h('span', { class: 'legend-axis' }, chart.axis_config.x_label) : null,
    ),
  );
}
