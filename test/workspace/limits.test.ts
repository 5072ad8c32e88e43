import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/workspace/fields.ts';
import { validateMessage, validateView } from '../../src/workspace/index.ts';
import { degradationCard, rollbackModal } from './card.ts';
import { button, mrkdwn, plain, section } from './support.ts';

const chars = (count: number): string => 'x'.repeat(count);
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const option = (value = 'v', text = 't'): Fields => ({ text: plain(text), value });
const url = (length: number): string => `https://example.com/${chars(length - 'https://example.com/'.length)}`;
const actions = (...elements: Fields[]): Fields => ({ type: 'actions', elements });
const select = (more: Fields): Fields => ({ type: 'static_select', action_id: 's', options: [option()], ...more });
const image = (more: Fields): Fields => ({
  type: 'image',
  image_url: 'https://example.com/a.png',
  alt_text: 'a',
  ...more,
});
const confirm = (more: Fields): Fields =>
  actions(button({ confirm: { title: plain('t'), text: plain('t'), confirm: plain('y'), deny: plain('n'), ...more } }));
const table = (rows: number, columns: number): Fields => ({
  type: 'table',
  rows: times(rows, () => times(columns, () => ({ type: 'raw_text', text: 'x' }))),
});
const input = (element: Fields, more: Fields = {}): Fields => ({ type: 'input', label: plain('l'), element, ...more });
const chart = (more: {
  title?: string;
  series?: number;
  categories?: string[];
  axis?: Fields;
  name?: string;
}): Fields => {
  const categories = more.categories ?? ['a', 'b'];
  return {
    type: 'data_visualization',
    title: more.title ?? 't',
    chart: {
      type: 'line',
      series: times(more.series ?? 1, (index) => ({
        name: more.name ?? `s${index}`,
        data: categories.map((label) => ({ label, value: 1 })),
      })),
      axis_config: { categories, ...more.axis },
    },
  };
};
const cardOf = (more: Fields): Fields => ({ type: 'card', title: mrkdwn('t'), ...more });
const task = (more: Fields = {}): Fields => ({
  type: 'task_card',
  task_id: '1',
  title: 't',
  status: 'pending',
  ...more,
});

/** Each limit of a message: what makes blocks of a size, the largest size taken, and where the refusal points. */
const messageLimits: [name: string, make: (size: number) => Fields[], max: number, pointer: string][] = [
  ['blocks in a message', (n) => times(n, () => ({ type: 'divider' })), 50, '/blocks'],
  ['section text', (n) => [section(chars(n))], 3000, '/blocks/0/text/text'],
  ['section fields', (n) => [{ type: 'section', fields: times(n, () => mrkdwn('x')) }], 10, '/blocks/0/fields'],
  ['a section field', (n) => [{ type: 'section', fields: [mrkdwn(chars(n))] }], 2000, '/blocks/0/fields/0/text'],
  ['header', (n) => [{ type: 'header', text: plain(chars(n)) }], 150, '/blocks/0/text/text'],
  ['context elements', (n) => [{ type: 'context', elements: times(n, () => mrkdwn('x')) }], 10, '/blocks/0/elements'],
  ['actions elements', (n) => [actions(...times(n, (i) => button({ action_id: `a${i}` })))], 25, '/blocks/0/elements'],
  [
    'context_actions elements',
    (n) => [
      {
        type: 'context_actions',
        elements: times(n, (i) => ({ type: 'icon_button', action_id: `i${i}`, icon: 'trash', text: plain('x') })),
      },
    ],
    5,
    '/blocks/0/elements',
  ],
  ['block_id', (n) => [{ type: 'divider', block_id: chars(n) }], 255, '/blocks/0/block_id'],
  ['action_id', (n) => [actions(button({ action_id: chars(n) }))], 255, '/blocks/0/elements/0/action_id'],
  ['button text', (n) => [actions(button({ text: plain(chars(n)) }))], 75, '/blocks/0/elements/0/text/text'],
  ['button value', (n) => [actions(button({ value: chars(n) }))], 2000, '/blocks/0/elements/0/value'],
  ['button url', (n) => [actions(button({ url: url(n) }))], 3000, '/blocks/0/elements/0/url'],
  [
    'accessibility_label',
    (n) => [actions(button({ accessibility_label: chars(n) }))],
    75,
    '/blocks/0/elements/0/accessibility_label',
  ],
  ['confirm title', (n) => [confirm({ title: plain(chars(n)) })], 100, '/blocks/0/elements/0/confirm/title/text'],
  ['confirm text', (n) => [confirm({ text: mrkdwn(chars(n)) })], 300, '/blocks/0/elements/0/confirm/text/text'],
  ['confirm yes', (n) => [confirm({ confirm: plain(chars(n)) })], 30, '/blocks/0/elements/0/confirm/confirm/text'],
  ['confirm no', (n) => [confirm({ deny: plain(chars(n)) })], 30, '/blocks/0/elements/0/confirm/deny/text'],
  [
    'select options',
    (n) => [actions(select({ options: times(n, (i) => option(`v${i}`)) }))],
    100,
    '/blocks/0/elements/0/options',
  ],
  [
    'select groups',
    (n) => [
      actions(
        select({ options: undefined, option_groups: times(n, () => ({ label: plain('g'), options: [option()] })) }),
      ),
    ],
    100,
    '/blocks/0/elements/0/option_groups',
  ],
  [
    'option text',
    (n) => [actions(select({ options: [option('v', chars(n))] }))],
    75,
    '/blocks/0/elements/0/options/0/text/text',
  ],
  [
    'option value',
    (n) => [actions(select({ options: [option(chars(n))] }))],
    75,
    '/blocks/0/elements/0/options/0/value',
  ],
  [
    'placeholder',
    (n) => [actions(select({ placeholder: plain(chars(n)) }))],
    150,
    '/blocks/0/elements/0/placeholder/text',
  ],
  [
    'overflow options',
    (n) => [actions({ type: 'overflow', action_id: 'o', options: times(n, (i) => option(`v${i}`)) })],
    5,
    '/blocks/0/elements/0/options',
  ],
  [
    'radio options',
    (n) => [actions({ type: 'radio_buttons', action_id: 'o', options: times(n, (i) => option(`v${i}`)) })],
    10,
    '/blocks/0/elements/0/options',
  ],
  [
    'checkboxes',
    (n) => [actions({ type: 'checkboxes', action_id: 'o', options: times(n, (i) => option(`v${i}`)) })],
    10,
    '/blocks/0/elements/0/options',
  ],
  ['image alt text', (n) => [image({ alt_text: chars(n) })], 2000, '/blocks/0/alt_text'],
  ['image title', (n) => [image({ title: plain(chars(n)) })], 2000, '/blocks/0/title/text'],
  ['image url', (n) => [image({ image_url: url(n) })], 3000, '/blocks/0/image_url'],
  [
    'input label',
    (n) => [input({ type: 'plain_text_input', action_id: 'i' }, { label: plain(chars(n)) })],
    2000,
    '/blocks/0/label/text',
  ],
  [
    'input hint',
    (n) => [input({ type: 'plain_text_input', action_id: 'i' }, { hint: plain(chars(n)) })],
    2000,
    '/blocks/0/hint/text',
  ],
  [
    'input value',
    (n) => [input({ type: 'plain_text_input', action_id: 'i', initial_value: chars(n) })],
    3000,
    '/blocks/0/element/initial_value',
  ],
  [
    'max_length',
    (n) => [input({ type: 'plain_text_input', action_id: 'i', max_length: n })],
    3000,
    '/blocks/0/element/max_length',
  ],
  ['markdown', (n) => [{ type: 'markdown', text: chars(n) }], 12_000, '/blocks/0/text'],
  ['table rows', (n) => [table(n, 2)], 100, '/blocks/0/rows'],
  ['table columns', (n) => [table(2, n)], 20, '/blocks/0/rows/0'],
  ['chart title', (n) => [chart({ title: chars(n) })], 50, '/blocks/0/title'],
  ['chart series', (n) => [chart({ series: n })], 6, '/blocks/0/chart/series'],
  [
    'chart categories',
    (n) => [chart({ categories: times(n, (i) => `c${i}`) })],
    20,
    '/blocks/0/chart/axis_config/categories',
  ],
  ['chart category label', (n) => [chart({ categories: [chars(n)] })], 20, '/blocks/0/chart/axis_config/categories/0'],
  ['chart series name', (n) => [chart({ name: chars(n) })], 20, '/blocks/0/chart/series/0/name'],
  ['chart x label', (n) => [chart({ axis: { x_label: chars(n) } })], 50, '/blocks/0/chart/axis_config/x_label'],
  ['chart y label', (n) => [chart({ axis: { y_label: chars(n) } })], 50, '/blocks/0/chart/axis_config/y_label'],
  ['charts in a message', (n) => times(n, () => chart({})), 2, '/blocks'],
  [
    'container title',
    (n) => [{ type: 'container', title: plain(chars(n)), child_blocks: [section()] }],
    150,
    '/blocks/0/title/text',
  ],
  [
    'container children',
    (n) => [{ type: 'container', title: plain('t'), child_blocks: times(n, () => section()) }],
    10,
    '/blocks/0/child_blocks',
  ],
  ['card title', (n) => [cardOf({ title: mrkdwn(chars(n)) })], 150, '/blocks/0/title/text'],
  ['card subtitle', (n) => [cardOf({ subtitle: mrkdwn(chars(n)) })], 150, '/blocks/0/subtitle/text'],
  ['card body', (n) => [cardOf({ body: mrkdwn(chars(n)) })], 200, '/blocks/0/body/text'],
  ['carousel cards', (n) => [{ type: 'carousel', elements: times(n, () => cardOf({})) }], 10, '/blocks/0/elements'],
];

describe('limits of a message', () => {
  test.each(messageLimits)('%s: taken at the limit, refused above it', (_name, make, max, pointer) => {
    expect(validateMessage(make(max))).toBeNull();
    const refused = validateMessage(make(max + 1));
    expect(refused?.code).toBe('invalid_blocks');
    expect(refused?.errors.some((error) => error.endsWith(`[json-pointer:${pointer}]`))).toBe(true);
  });

  test('all blocks together: 13,200 characters', () => {
    const blocks = (last: number) => [...times(4, () => section(chars(3000))), section(chars(last))];
    expect(validateMessage(blocks(1200))).toBeNull();
    expect(validateMessage(blocks(1201))?.code).toBe('msg_blocks_too_long');
  });

  test('markdown blocks share their limit', () => {
    const half = { type: 'markdown', text: chars(6000) };
    expect(validateMessage([half, half])).toBeNull();
    expect(validateMessage([half, half, { type: 'markdown', text: 'x' }])?.code).toBe('invalid_blocks');
  });

  test('one table a message, also across attachments', () => {
    expect(validateMessage([table(1, 1)])).toBeNull();
    const refused = validateMessage([table(1, 1)], [{ blocks: [table(1, 1)] }]);
    expect(refused).toMatchObject({ code: 'invalid_attachments', errors: ['only_one_table_allowed'] });
  });
});

const modal = (more: Fields = {}): Fields => ({ type: 'modal', title: plain('t'), blocks: [section()], ...more });

const viewLimits: [name: string, make: (size: number) => Fields, max: number, pointer: string][] = [
  ['blocks', (n) => modal({ blocks: times(n, () => ({ type: 'divider' })) }), 100, '/view/blocks'],
  ['title', (n) => modal({ title: plain(chars(n)) }), 24, '/view/title/text'],
  ['submit', (n) => modal({ submit: plain(chars(n)) }), 24, '/view/submit/text'],
  ['close', (n) => modal({ close: plain(chars(n)) }), 24, '/view/close/text'],
  ['private_metadata', (n) => modal({ private_metadata: chars(n) }), 3000, '/view/private_metadata'],
  ['callback_id', (n) => modal({ callback_id: chars(n) }), 255, '/view/callback_id'],
  ['alert', (n) => modal({ blocks: [{ type: 'alert', text: plain(chars(n)) }] }), 200, '/view/blocks/0/text/text'],
];

describe('limits of a modal', () => {
  test.each(viewLimits)('%s: taken at the limit, refused above it', (_name, make, max, pointer) => {
    expect(validateView(make(max), 'modal')).toBeNull();
    const refused = validateView(make(max + 1), 'modal');
    expect(refused?.code).toBe('invalid_arguments');
    expect(refused?.errors.some((error) => error.endsWith(`[json-pointer:${pointer}]`))).toBe(true);
  });

  test('a Home tab takes 100 blocks', () => {
    const home = (count: number) => ({ type: 'home', blocks: times(count, () => ({ type: 'divider' })) });
    expect(validateView(home(100), 'home')).toBeNull();
    expect(validateView(home(101), 'home')?.errors).toEqual([
      'no more than 100 items allowed [json-pointer:/view/blocks]',
    ]);
  });
});

const refusedBlocks: [name: string, block: Fields, error: string][] = [
  ['an unknown type', { type: 'banner' }, 'unsupported type: banner [json-pointer:/blocks/0/type]'],
  ['no type', { text: plain('x') }, 'missing required field: type [json-pointer:/blocks/0]'],
  ['an unknown field', { ...section(), color: 'red' }, 'invalid additional property: color [json-pointer:/blocks/0]'],
  ['an empty text', section(''), 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
  [
    'a header in mrkdwn',
    { type: 'header', text: mrkdwn('x') },
    'unsupported type: mrkdwn, must be plain_text [json-pointer:/blocks/0/text/type]',
  ],
  ['a text that is a string', { type: 'section', text: 'x' }, 'must provide an object [json-pointer:/blocks/0/text]'],
  [
    'an alert outside a modal',
    { type: 'alert', text: plain('x') },
    'unsupported type: alert [json-pointer:/blocks/0/type]',
  ],
  ['an empty actions block', actions(), 'no less than 1 items required [json-pointer:/blocks/0/elements]'],
  [
    'a text input among actions',
    actions({ type: 'plain_text_input' }),
    'unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    'a button without text',
    actions({ type: 'button' }),
    'missing required field: text [json-pointer:/blocks/0/elements/0]',
  ],
  [
    'a button style',
    actions(button({ style: 'warning' })),
    'must be a valid enum value: primary, danger [json-pointer:/blocks/0/elements/0/style]',
  ],
  [
    'a url that is none',
    actions(button({ url: 'runbook' })),
    'must be a valid URL [json-pointer:/blocks/0/elements/0/url]',
  ],
  [
    'the same action twice',
    actions(button(), button()),
    'action_id "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
  ],
  [
    'an image without alt text',
    { type: 'image', image_url: 'https://example.com' },
    'missing required field: alt_text [json-pointer:/blocks/0]',
  ],
  [
    'an initial option that is none',
    actions(select({ initial_option: option('w') })),
    'must match one of the options [json-pointer:/blocks/0/elements/0/initial_option]',
  ],
  [
    'a table cell of another type',
    { type: 'table', rows: [[plain('x')]] },
    'unsupported type: plain_text [json-pointer:/blocks/0/rows/0/0/type]',
  ],
  [
    'a number that is none',
    { type: 'table', rows: [[{ type: 'raw_number', text: '1', value: '1' }]] },
    'must provide a number [json-pointer:/blocks/0/rows/0/0/value]',
  ],
  [
    'two series of a name',
    chart({ series: 2, name: 'same' }),
    'series names must be unique [json-pointer:/blocks/0/chart/series/1/name]',
  ],
  [
    'a task status',
    task({ status: 'done' }),
    'must be a valid enum value: pending, in_progress, complete, error [json-pointer:/blocks/0/status]',
  ],
  [
    'a card of nothing',
    { type: 'card' },
    'missing required field: one of hero_image, title, actions, body [json-pointer:/blocks/0]',
  ],
  [
    'a plan in a container',
    { type: 'container', title: plain('t'), child_blocks: [{ type: 'plan', title: 't' }] },
    'unsupported type: plan [json-pointer:/blocks/0/child_blocks/0/type]',
  ],
  [
    'a number input without its kind',
    input({ type: 'number_input' }),
    'missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]',
  ],
  [
    'a date of 13 digits',
    actions({ type: 'datetimepicker', action_id: 'd', initial_date_time: 1628633820000 }),
    'must be a UNIX timestamp of 10 digits [json-pointer:/blocks/0/elements/0/initial_date_time]',
  ],
  [
    'an unknown rich text',
    { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'bold', text: 'x' }] }] },
    'unsupported type: bold [json-pointer:/blocks/0/elements/0/elements/0/type]',
  ],
];

describe('what is refused', () => {
  test.each(refusedBlocks)('%s', (_name, block, error) => {
    expect(validateMessage([block])?.errors).toContain(error);
  });

  test('the same block_id twice', () => {
    const twice = [
      { type: 'divider', block_id: 'b' },
      { type: 'divider', block_id: 'b' },
    ];
    expect(validateMessage(twice)?.errors).toEqual(['block_id "b" already exists [json-pointer:/blocks/1/block_id]']);
  });

  test('chart points that do not fit the categories', () => {
    const block = chart({});
    (block.chart as { series: { data: Fields[] }[] }).series[0]?.data.pop();
    expect(validateMessage([block])?.errors).toEqual([
      'must have one data point for each category [json-pointer:/blocks/0/chart/series/0/data]',
    ]);
  });

  test('a table, a chart or a plan in a modal', () => {
    for (const block of [table(1, 1), chart({}), { type: 'plan', title: 't' }, { type: 'markdown', text: 't' }]) {
      expect(validateView(modal({ blocks: [block] }), 'modal')?.code).toBe('invalid_arguments');
    }
  });

  test('inputs without a submit button', () => {
    const view = modal({ blocks: [input({ type: 'plain_text_input', action_id: 'i' })] });
    expect(validateView(view, 'modal')?.errors[0]).toContain('missing required field: submit');
    expect(validateView({ ...view, submit: plain('Go') }, 'modal')).toBeNull();
  });

  test('blocks of an attachment, as an attachment', () => {
    const refused = validateMessage([section()], [{ color: 'danger', blocks: [{ type: 'banner' }] }]);
    expect(refused?.code).toBe('invalid_attachments');
    expect(refused?.errors).toEqual(['unsupported type: banner [json-pointer:/attachments/0/blocks/0/type]']);
  });

  test('a file that is not ready', () => {
    const block = { type: 'image', slack_file: { id: 'F1' }, alt_text: 'a' };
    expect(validateMessage([block], undefined, () => false)?.errors).toEqual([
      'invalid slack file [json-pointer:/blocks/0/slack_file/id]',
    ]);
    expect(validateMessage([block], undefined, () => true)).toBeNull();
  });
});

test('a realistic card and its modal are taken', () => {
  expect(validateMessage(degradationCard(0))).toBeNull();
  expect(validateView(rollbackModal, 'modal')).toBeNull();
});
