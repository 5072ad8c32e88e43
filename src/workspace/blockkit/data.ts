import { type Fields, listOf, objectsOf } from '../fields.ts';
import type { Check } from './check.ts';
import { limits } from './limits.ts';
import { checkRichText } from './rich-text.ts';

/** Checks a table block: rows of cells, and how its columns are aligned. */
export function checkTable(check: Check, block: Fields, at: string): void {
  check.tables += 1;
  check.onlyFields(block, at, ['type', 'block_id', 'rows', 'column_settings']);
  if (!check.required(block, at, 'rows')) return;
  check.list(block.rows, `${at}/rows`, { min: 1, max: limits.tableRows }).forEach((row, y) => {
    const where = `${at}/rows/${y}`;
    check.list(row, where, { min: 1, max: limits.tableColumns }).forEach((cell, x) => {
      checkCell(check, cell, `${where}/${x}`);
    });
  });
  if (block.column_settings === undefined) return;
  const settings = check.list(block.column_settings, `${at}/column_settings`, { min: 0, max: limits.tableColumns });
  settings.forEach((value, index) => {
    if (value === null) return;
    const where = `${at}/column_settings/${index}`;
    const setting = check.object(value, where);
    if (setting === null) return;
    check.onlyFields(setting, where, ['align', 'is_wrapped']);
    check.oneOf(setting.align, `${where}/align`, ['left', 'center', 'right']);
    check.boolean(setting.is_wrapped, `${where}/is_wrapped`);
  });
}

function checkCell(check: Check, value: unknown, at: string): void {
  const cell = check.object(value, at);
  if (cell === null) return;
  if (cell.type === 'rich_text') {
    checkRichText(check, cell, at);
    return;
  }
  if (cell.type !== 'raw_text' && cell.type !== 'raw_number') {
    check.fail(`unsupported type: ${String(cell.type)}`, `${at}/type`);
    return;
  }
  const number = cell.type === 'raw_number';
  check.onlyFields(cell, at, number ? ['type', 'text', 'value'] : ['type', 'text']);
  check.required(cell, at, 'text');
  check.string(cell.text, `${at}/text`, { max: Number.POSITIVE_INFINITY, visible: true });
  if (number && (typeof cell.value !== 'number' || !Number.isFinite(cell.value))) {
    check.fail('must provide a number', `${at}/value`);
  }
}

/** Checks a data_visualization block: a line, bar or area chart. */
export function checkChart(check: Check, block: Fields, at: string): void {
  check.charts += 1;
  check.onlyFields(block, at, ['type', 'block_id', 'title', 'chart']);
  check.required(block, at, 'title', 'chart');
  check.string(block.title, `${at}/title`, { max: limits.chartTitle, visible: true });
  if (block.chart === undefined) return;
  const chart = check.object(block.chart, `${at}/chart`);
  if (chart === null) return;
  check.onlyFields(chart, `${at}/chart`, ['type', 'series', 'axis_config']);
  if (!check.required(chart, `${at}/chart`, 'type', 'series', 'axis_config')) return;
  check.oneOf(chart.type, `${at}/chart/type`, ['line', 'bar', 'area']);
  const categories = checkAxis(check, chart.axis_config, `${at}/chart/axis_config`);
  const series = check.list(chart.series, `${at}/chart/series`, { min: 1, max: limits.chartSeries });
  const names = objectsOf(series).map((one) => one.name);
  series.forEach((value, index) => {
    const where = `${at}/chart/series/${index}`;
    const one = check.object(value, where);
    if (one === null) return;
    check.onlyFields(one, where, ['name', 'data']);
    if (!check.required(one, where, 'name', 'data')) return;
    check.string(one.name, `${where}/name`, { max: limits.chartLabel, visible: true });
    if (names.indexOf(one.name) !== index) check.fail('series names must be unique', `${where}/name`);
    checkPoints(check, one.data, `${where}/data`, categories);
  });
}

function checkAxis(check: Check, value: unknown, at: string): unknown[] {
  const axis = check.object(value, at);
  if (axis === null) return [];
  check.onlyFields(axis, at, ['categories', 'x_label', 'y_label']);
  if (!check.required(axis, at, 'categories')) return [];
  const categories = check.list(axis.categories, `${at}/categories`, { min: 1, max: limits.chartCategories });
  categories.forEach((category, index) => {
    check.string(category, `${at}/categories/${index}`, { max: limits.chartLabel, visible: true });
    if (categories.indexOf(category) !== index) check.fail('categories must be unique', `${at}/categories/${index}`);
  });
  check.string(axis.x_label, `${at}/x_label`, { max: limits.chartAxisLabel, visible: true });
  check.string(axis.y_label, `${at}/y_label`, { max: limits.chartAxisLabel, visible: true });
  return listOf(axis.categories);
}

function checkPoints(check: Check, value: unknown, at: string, categories: unknown[]): void {
  const points = check.list(value, at, { min: 1, max: limits.chartCategories });
  if (points.length !== categories.length) check.fail('must have one data point for each category', at);
  points.forEach((entry, index) => {
    const point = check.object(entry, `${at}/${index}`);
    if (point === null) return;
    check.onlyFields(point, `${at}/${index}`, ['label', 'value']);
    if (!check.required(point, `${at}/${index}`, 'label', 'value')) return;
    check.string(point.label, `${at}/${index}/label`, { max: limits.chartLabel });
    if (!categories.includes(point.label)) check.fail('must match one of the categories', `${at}/${index}/label`);
    if (typeof point.value !== 'number' || !Number.isFinite(point.value)) {
      check.fail('must provide a number', `${at}/${index}/value`);
    }
  });
}
