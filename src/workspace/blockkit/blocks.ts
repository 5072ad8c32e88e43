import type { Fields } from '../fields.ts';
import { type Check, plain, type Surface } from './check.ts';
import { checkChart, checkTable } from './data.ts';
import { checkElement, checkImage, checkUniqueActions } from './elements.ts';
import { limits } from './limits.ts';
import { checkRichText, checkRichTextField } from './rich-text.ts';

interface BlockRule {
  surfaces: readonly Surface[];
  check(check: Check, block: Fields, at: string): void;
}

const everywhere: readonly Surface[] = ['message', 'modal', 'home'];
const messages: readonly Surface[] = ['message'];

/** The blocks that may stand in a container. */
const childTypes = ['actions', 'context', 'divider', 'header', 'image', 'input', 'rich_text', 'section', 'table'];

/** Checks one block; types that are unknown, or unknown on this surface, are refused. */
export function checkBlock(check: Check, value: unknown, at: string): void {
  const block = check.object(value, at);
  if (block === null) return;
  if (!check.required(block, at, 'type')) return;
  const rule = rules[String(block.type)];
  if (rule === undefined || !rule.surfaces.includes(check.surface)) {
    check.fail(`unsupported type: ${String(block.type)}`, `${at}/type`);
    return;
  }
  check.blockId(block.block_id, `${at}/block_id`);
  rule.check(check, block, at);
}

function checkSection(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'text', 'fields', 'accessory', 'expand']);
  if (block.text === undefined && block.fields === undefined) check.fail('missing required field: text or fields', at);
  check.text(block.text, `${at}/text`, { max: limits.text });
  if (block.fields !== undefined) {
    check.list(block.fields, `${at}/fields`, { min: 1, max: limits.sectionFields }).forEach((field, index) => {
      check.text(field, `${at}/fields/${index}`, { max: limits.sectionField });
    });
  }
  if (block.accessory !== undefined) checkElement(check, block.accessory, `${at}/accessory`, 'accessory');
  check.boolean(block.expand, `${at}/expand`);
}

function checkContext(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'elements']);
  if (!check.required(block, at, 'elements')) return;
  const elements = check.list(block.elements, `${at}/elements`, { min: 1, max: limits.contextElements });
  elements.forEach((value, index) => {
    const where = `${at}/elements/${index}`;
    const element = check.object(value, where);
    if (element === null) return;
    if (element.type === 'image') checkImage(check, element, where, false);
    else check.text(element, where, { max: limits.text });
  });
}

function elementsRule(place: 'actions' | 'contextActions', max: number) {
  return (check: Check, block: Fields, at: string): void => {
    check.onlyFields(block, at, ['type', 'block_id', 'elements']);
    if (!check.required(block, at, 'elements')) return;
    const elements = check.list(block.elements, `${at}/elements`, { min: 1, max });
    elements.forEach((element, index) => {
      checkElement(check, element, `${at}/elements/${index}`, place);
    });
    checkUniqueActions(check, elements, `${at}/elements`);
  };
}

function checkInput(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'label', 'element', 'hint', 'optional', 'dispatch_action']);
  check.required(block, at, 'label', 'element');
  check.text(block.label, `${at}/label`, { max: limits.inputLabel, types: plain });
  check.text(block.hint, `${at}/hint`, { max: limits.inputHint, types: plain });
  check.boolean(block.optional, `${at}/optional`);
  check.boolean(block.dispatch_action, `${at}/dispatch_action`);
  if (block.element !== undefined) checkElement(check, block.element, `${at}/element`, 'input');
}

function checkMarkdown(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'text']);
  check.required(block, at, 'text');
  check.string(block.text, `${at}/text`, { max: limits.markdown, visible: true });
  if (typeof block.text !== 'string') return;
  const before = check.markdownCharacters;
  check.markdownCharacters += block.text.length;
  if (before > 0 && check.markdownCharacters > limits.markdown) {
    check.fail(`all markdown blocks together must be less than ${limits.markdown + 1} characters`, `${at}/text`);
  }
}

function checkContainer(check: Check, block: Fields, at: string): void {
  const flags = ['is_collapsible', 'default_collapsed', 'has_header_divider'];
  check.onlyFields(block, at, [
    'type',
    'block_id',
    'title',
    'rich_text_title',
    'subtitle',
    'child_blocks',
    'width',
    'icon',
    ...flags,
  ]);
  if (block.title === undefined && block.rich_text_title === undefined) {
    check.fail('missing required field: title or rich_text_title', at);
  }
  check.text(block.title, `${at}/title`, { max: limits.containerTitle, types: plain });
  checkRichTextField(check, block.rich_text_title, `${at}/rich_text_title`);
  check.text(block.subtitle, `${at}/subtitle`, { max: limits.containerTitle });
  check.oneOf(block.width, `${at}/width`, ['narrow', 'standard', 'wide', 'full']);
  for (const flag of flags) check.boolean(block[flag], `${at}/${flag}`);
  checkIcon(check, block.icon, `${at}/icon`);
  if (!check.required(block, at, 'child_blocks')) return;
  const children = check.list(block.child_blocks, `${at}/child_blocks`, { min: 1, max: limits.containerBlocks });
  children.forEach((value, index) => {
    const where = `${at}/child_blocks/${index}`;
    const child = check.object(value, where);
    if (child === null) return;
    if (!childTypes.includes(String(child.type)))
      check.fail(`unsupported type: ${String(child.type)}`, `${where}/type`);
    else checkBlock(check, child, where);
  });
}

function checkIcon(check: Check, value: unknown, at: string): void {
  if (value === undefined) return;
  const icon = check.object(value, at);
  if (icon === null) return;
  if (icon.type !== 'image') check.fail(`unsupported type: ${String(icon.type)}`, `${at}/type`);
  else checkImage(check, icon, at, false);
}

function checkTaskCard(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'task_id', 'title', 'details', 'output', 'sources', 'status']);
  check.required(block, at, 'task_id', 'title', 'status');
  check.string(block.task_id, `${at}/task_id`, { max: limits.id });
  check.string(block.title, `${at}/title`, { max: limits.text, visible: true });
  check.oneOf(block.status, `${at}/status`, ['pending', 'in_progress', 'complete', 'error']);
  checkRichTextField(check, block.details, `${at}/details`);
  checkRichTextField(check, block.output, `${at}/output`);
  if (block.sources === undefined) return;
  const sources = check.list(block.sources, `${at}/sources`, { min: 0, max: Number.POSITIVE_INFINITY });
  sources.forEach((value, index) => {
    const where = `${at}/sources/${index}`;
    const source = check.object(value, where);
    if (source === null) return;
    check.onlyFields(source, where, ['type', 'url', 'text']);
    check.oneOf(source.type, `${where}/type`, ['url']);
    check.required(source, where, 'type', 'url', 'text');
    check.url(source.url, `${where}/url`);
  });
}

function checkPlan(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'title', 'tasks']);
  check.required(block, at, 'title');
  check.string(block.title, `${at}/title`, { max: limits.text, visible: true });
  if (block.tasks === undefined) return;
  const tasks = check.list(block.tasks, `${at}/tasks`, { min: 0, max: limits.blocksPerMessage });
  tasks.forEach((value, index) => {
    const where = `${at}/tasks/${index}`;
    const task = check.object(value, where);
    if (task === null) return;
    if (task.type !== 'task_card') check.fail(`unsupported type: ${String(task.type)}`, `${where}/type`);
    else checkBlock(check, task, where);
  });
}

function checkCard(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'hero_image', 'icon', 'title', 'subtitle', 'body', 'actions']);
  if (['hero_image', 'title', 'actions', 'body'].every((name) => block[name] === undefined)) {
    check.fail('missing required field: one of hero_image, title, actions, body', at);
  }
  checkIcon(check, block.hero_image, `${at}/hero_image`);
  checkIcon(check, block.icon, `${at}/icon`);
  check.text(block.title, `${at}/title`, { max: limits.cardTitle, types: ['mrkdwn'] });
  check.text(block.subtitle, `${at}/subtitle`, { max: limits.cardTitle, types: ['mrkdwn'] });
  check.text(block.body, `${at}/body`, { max: limits.cardBody, types: ['mrkdwn'] });
  if (block.actions === undefined) return;
  const actions = check.list(block.actions, `${at}/actions`, { min: 1, max: limits.actionsElements });
  actions.forEach((action, index) => {
    checkElement(check, action, `${at}/actions/${index}`, 'card');
  });
  checkUniqueActions(check, actions, `${at}/actions`);
}

function checkCarousel(check: Check, block: Fields, at: string): void {
  check.onlyFields(block, at, ['type', 'block_id', 'elements']);
  if (!check.required(block, at, 'elements')) return;
  const cards = check.list(block.elements, `${at}/elements`, { min: 1, max: limits.carouselCards });
  cards.forEach((value, index) => {
    const where = `${at}/elements/${index}`;
    const card = check.object(value, where);
    if (card === null) return;
    if (card.type !== 'card') check.fail(`unsupported type: ${String(card.type)}`, `${where}/type`);
    else checkBlock(check, card, where);
  });
}

const rules: Readonly<Record<string, BlockRule>> = {
  section: { surfaces: everywhere, check: checkSection },
  header: {
    surfaces: everywhere,
    check: (check, block, at) => {
      check.onlyFields(block, at, ['type', 'block_id', 'text']);
      check.required(block, at, 'text');
      check.text(block.text, `${at}/text`, { max: limits.header, types: plain });
    },
  },
  divider: { surfaces: everywhere, check: (check, block, at) => check.onlyFields(block, at, ['type', 'block_id']) },
  context: { surfaces: everywhere, check: checkContext },
  context_actions: { surfaces: messages, check: elementsRule('contextActions', limits.contextActionsElements) },
  actions: { surfaces: everywhere, check: elementsRule('actions', limits.actionsElements) },
  image: { surfaces: everywhere, check: (check, block, at) => checkImage(check, block, at, true) },
  input: { surfaces: everywhere, check: checkInput },
  rich_text: { surfaces: everywhere, check: checkRichText },
  markdown: { surfaces: messages, check: checkMarkdown },
  table: { surfaces: messages, check: checkTable },
  data_visualization: { surfaces: messages, check: checkChart },
  container: { surfaces: messages, check: checkContainer },
  plan: { surfaces: messages, check: checkPlan },
  task_card: { surfaces: messages, check: checkTaskCard },
  alert: {
    surfaces: ['modal'],
    check: (check, block, at) => {
      check.onlyFields(block, at, ['type', 'block_id', 'text', 'level']);
      check.required(block, at, 'text');
      check.text(block.text, `${at}/text`, { max: limits.alertText });
      check.oneOf(block.level, `${at}/level`, ['default', 'info', 'warning', 'error', 'success']);
    },
  },
  card: { surfaces: ['message', 'home'], check: checkCard },
  carousel: { surfaces: ['message', 'home'], check: checkCarousel },
};
