import { renderChart } from './chart.js';
import { h, link, safeUrl } from './dom.js';
import { readValue, renderElement } from './elements.js';
import { markdown, richText, textObject } from './mrkdwn.js';

/** Draws blocks. `context`: `{ target, directory, use, value, errors? }`. */
export function renderBlocks(blocks, context) {
  return blocks.map((block) => {
    const draw = drawers[block.type];
    const node = draw === undefined ? h('em', {}, `(${block.type})`) : draw(block, context);
    node.classList.add('block', `block-${block.type}`);
    node.dataset.blockId = block.block_id;
    return node;
  });
}

function image(source, context, className) {
  const url =
    source.image_url !== undefined
      ? safeUrl(source.image_url, ['https:', 'http:', 'data:'])
      : source.slack_file?.id !== undefined
        ? `/files/${encodeURIComponent(source.slack_file.id)}/image`
        : safeUrl(source.slack_file?.url ?? '', ['http:', 'https:']);
  if (url === null) return h('span', { class: 'missing-image' }, source.alt_text);
  return h('img', { class: className, src: url, alt: source.alt_text, loading: 'lazy', 'data-target': context.target });
}

function accessory(block, context) {
  const { accessory: element } = block;
  if (element === undefined) return null;
  if (element.type === 'image') return image(element, context, 'thumb');
  return h('div', { class: 'accessory' }, renderElement(element, block, context));
}

function section(block, context) {
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'section-text' },
      block.text ? h('div', { class: 'text' }, ...textObject(block.text, context.directory)) : null,
      block.fields
        ? h(
            'div',
            { class: 'fields' },
            block.fields.map((field) => h('div', { class: 'text' }, ...textObject(field, context.directory))),
          )
        : null,
    ),
    accessory(block, context),
  );
}

function contextBlock(block, context) {
  return h(
    'div',
    {},
    block.elements.map((element) =>
      element.type === 'image'
        ? image(element, context, 'tiny')
        : h('span', {}, ...textObject(element, context.directory)),
    ),
  );
}

function row(block, context) {
  return h(
    'div',
    {},
    block.elements.map((element) => renderElement(element, block, context)),
  );
}

function inputBlock(block, context) {
  const id = `${context.prefix ?? ''}${context.target}-${block.block_id}-input`;
  const control = renderElement(block.element, block, context);
  const error = context.errors?.[block.block_id];
  control.id = id;
  control.dataset.input = block.block_id;
  const group = control.classList.contains('choices');
  control.setAttribute('aria-describedby', `${id}-note`);
  if (group) control.setAttribute('aria-labelledby', `${id}-label`);
  if (error) control.setAttribute('aria-invalid', 'true');
  return h(
    'div',
    { 'data-testid': 'input-block' },
    h(
      group ? 'div' : 'label',
      group ? { class: 'label', id: `${id}-label` } : { class: 'label', for: id },
      ...textObject(block.label, context.directory),
      block.optional === true ? h('span', { class: 'optional' }, ' (optional)') : null,
    ),
    control,
    h(
      'div',
      { id: `${id}-note` },
      error ? h('p', { class: 'error', 'data-testid': 'input-error', role: 'alert' }, error) : null,
      block.hint ? h('p', { class: 'hint' }, ...textObject(block.hint, context.directory)) : null,
    ),
  );
}

function cell(content, index, head, block, context) {
  const setting = block.column_settings?.[index] ?? {};
  const classes = [`align-${setting.align ?? 'left'}`, setting.is_wrapped === true ? 'wrapped' : ''].join(' ').trim();
  const nodes = content.type === 'rich_text' ? richText(content, context.directory) : [content.text];
  return h(head ? 'th' : 'td', { class: classes, scope: head ? 'col' : null }, ...nodes);
}

function table(block, context) {
  const [first = [], ...rest] = block.rows;
  const cells = (list, head) =>
    h(
      'tr',
      {},
      list.map((content, index) => cell(content, index, head, block, context)),
    );
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Table' },
    h(
      'table',
      { 'data-testid': 'table' },
      h('thead', {}, cells(first, true)),
      h(
        'tbody',
        {},
        rest.map((list) => cells(list, false)),
      ),
    ),
  );
}

const statusSigns = { pending: '○', in_progress: '◐', complete: '✓', error: '✕' };

function taskCard(block, context) {
  const more = block.details !== undefined || block.output !== undefined || (block.sources?.length ?? 0) > 0;
  const head = [
    h(
      'span',
      { class: `task-sign task-${block.status}`, 'aria-label': block.status.replace('_', ' '), role: 'img' },
      statusSigns[block.status],
    ),
    h('span', { class: 'task-title' }, block.title),
  ];
  if (!more) return h('div', { class: 'task' }, h('div', { class: 'task-head' }, ...head));
  return h(
    'div',
    { class: 'task' },
    h(
      'details',
      { open: block.status !== 'complete' },
      h('summary', { class: 'task-head' }, ...head),
      h(
        'div',
        { class: 'task-body text' },
        block.details ? h('div', {}, ...richText(block.details, context.directory)) : null,
        block.output ? h('div', {}, ...richText(block.output, context.directory)) : null,
        (block.sources ?? []).map((source) => link(source.url, source.text)),
      ),
    ),
  );
}

function plan(block, context) {
  const tasks = block.tasks ?? [];
  const done = tasks.filter((task) => task.status === 'complete').length;
  return h(
    'div',
    { class: 'plan' },
    h('div', { class: 'plan-title' }, block.title, h('span', { class: 'plan-count' }, `${done} of ${tasks.length}`)),
    renderBlocks(tasks, context),
  );
}

function container(block, context) {
  const title = h(
    'div',
    { class: 'container-title' },
    block.icon ? image(block.icon, context, 'tiny') : null,
    h(
      'div',
      {},
      h(
        'strong',
        {},
        ...(block.rich_text_title
          ? richText(block.rich_text_title, context.directory)
          : textObject(block.title, context.directory)),
      ),
      block.subtitle ? h('div', { class: 'subtle' }, ...textObject(block.subtitle, context.directory)) : null,
    ),
  );
  const children = h('div', { class: 'container-body' }, renderBlocks(block.child_blocks, context));
  if (block.is_collapsible !== true) return h('div', { class: 'container' }, title, children);
  return h(
    'details',
    { class: 'container', open: block.default_collapsed !== true },
    h('summary', {}, title),
    children,
  );
}

function card(block, context) {
  const text = (name, className) =>
    block[name] ? h('div', { class: className }, ...textObject(block[name], context.directory)) : null;
  return h(
    'div',
    { class: 'card' },
    block.hero_image ? image(block.hero_image, context, 'hero') : null,
    h(
      'div',
      { class: 'card-body' },
      h(
        'div',
        { class: 'card-head' },
        block.icon ? image(block.icon, context, 'tiny') : null,
        h('div', {}, text('title', 'card-title'), text('subtitle', 'subtle')),
      ),
      text('body', 'text'),
      block.actions
        ? h(
            'div',
            { class: 'card-actions' },
            block.actions.map((element) => renderElement(element, block, context)),
          )
        : null,
    ),
  );
}

const alertSigns = { default: 'ℹ️', info: 'ℹ️', warning: '⚠️', error: '⛔', success: '✅' };

const drawers = {
  section,
  header: (block, context) => h('h3', {}, ...textObject(block.text, context.directory)),
  divider: () => h('hr'),
  context: contextBlock,
  context_actions: row,
  actions: row,
  image: (block, context) =>
    h(
      'figure',
      {},
      block.title ? h('figcaption', {}, ...textObject(block.title, context.directory)) : null,
      image(block, context, 'picture'),
    ),
  input: inputBlock,
  rich_text: (block, context) => h('div', { class: 'text' }, ...richText(block, context.directory)),
  markdown: (block, context) => h('div', { class: 'text md' }, ...markdown(block.text, context.directory)),
  table,
  data_visualization: renderChart,
  container,
  plan,
  task_card: taskCard,
  alert: (block, context) =>
    h(
      'div',
      { class: `alert alert-${block.level ?? 'default'}`, role: 'note', 'data-testid': 'alert' },
      h('span', { 'aria-hidden': 'true' }, alertSigns[block.level ?? 'default']),
      h('div', {}, ...textObject(block.text, context.directory)),
    ),
  card,
  carousel: (block, context) => h('div', { class: 'carousel', tabindex: '0' }, renderBlocks(block.elements, context)),
};

/** Reads all inputs of a drawn form: action id → value, where the block id makes it certain which one. */
export function readForm(form) {
  const values = {};
  for (const control of form.querySelectorAll('[data-input]')) values[control.dataset.input] = readValue(control);
  return values;
}
