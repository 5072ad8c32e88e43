import { type Fields, isFields, objectsOf } from '../fields.ts';
import { type Check, plain } from './check.ts';
import { limits } from './limits.ts';

type Validator = (check: Check, element: Fields, at: string) => void;

/** The element types that may stand in each place. */
export const allowedElements = {
  accessory: ['button', 'image', 'static_select', 'users_select', 'overflow', 'radio_buttons', 'checkboxes'],
  actions: ['button', 'static_select', 'users_select', 'overflow', 'radio_buttons', 'checkboxes', 'datetimepicker'],
  input: [
    'plain_text_input',
    'number_input',
    'static_select',
    'users_select',
    'radio_buttons',
    'checkboxes',
    'datetimepicker',
  ],
  contextActions: ['feedback_buttons', 'icon_button'],
  card: ['button'],
} as const;

/** Checks one element; unknown types and types that do not belong here are refused. */
export function checkElement(check: Check, value: unknown, at: string, place: keyof typeof allowedElements): void {
  const element = check.object(value, at);
  if (element === null) return;
  const type = String(element.type);
  const validator = validators[type];
  if (validator === undefined || !(allowedElements[place] as readonly string[]).includes(type)) {
    check.fail(`unsupported type: ${type}`, `${at}/type`);
    return;
  }
  check.string(element.action_id, `${at}/action_id`, { max: limits.id });
  validator(check, element, at);
}

/** action_ids must differ within one block. */
export function checkUniqueActions(check: Check, elements: unknown[], at: string): void {
  const seen = new Set<string>();
  elements.forEach((element, index) => {
    if (!isFields(element) || typeof element.action_id !== 'string') return;
    if (seen.has(element.action_id)) {
      check.fail(`action_id "${element.action_id}" already exists`, `${at}/${index}/action_id`);
    }
    seen.add(element.action_id);
  });
}

/** An image element or block: exactly one source, and an alternative text. */
export function checkImage(check: Check, image: Fields, at: string, block: boolean): void {
  check.onlyFields(image, at, [
    'type',
    'image_url',
    'slack_file',
    'alt_text',
    ...(block ? ['block_id', 'title'] : []),
    'image_width',
    'image_height',
    'image_bytes',
  ]);
  check.required(image, at, 'alt_text');
  check.string(image.alt_text, `${at}/alt_text`, { max: limits.imageAlt, visible: true });
  if (block) check.text(image.title, `${at}/title`, { max: limits.imageTitle, types: plain });
  if ((image.image_url === undefined) === (image.slack_file === undefined)) {
    check.fail('must provide either image_url or slack_file', at);
  }
  check.url(image.image_url, `${at}/image_url`);
  if (image.slack_file === undefined) return;
  const file = check.object(image.slack_file, `${at}/slack_file`);
  if (file === null) return;
  check.onlyFields(file, `${at}/slack_file`, ['id', 'url']);
  if ((typeof file.id === 'string') === (typeof file.url === 'string')) {
    check.fail('must provide either id or url', `${at}/slack_file`);
  } else if (typeof file.id === 'string' && !check.fileReady(file.id)) {
    check.fail('invalid slack file', `${at}/slack_file/id`);
  }
}

function checkConfirm(check: Check, value: unknown, at: string): void {
  if (value === undefined) return;
  const confirm = check.object(value, at);
  if (confirm === null) return;
  check.onlyFields(confirm, at, ['title', 'text', 'confirm', 'deny', 'style']);
  check.required(confirm, at, 'text');
  check.text(confirm.title, `${at}/title`, { max: limits.confirmTitle, types: plain });
  check.text(confirm.text, `${at}/text`, { max: limits.confirmText });
  check.text(confirm.confirm, `${at}/confirm`, { max: limits.confirmButton, types: plain });
  check.text(confirm.deny, `${at}/deny`, { max: limits.confirmButton, types: plain });
  check.oneOf(confirm.style, `${at}/style`, ['primary', 'danger']);
}

function checkOption(check: Check, value: unknown, at: string, kind: 'select' | 'choice' | 'overflow'): void {
  const option = check.object(value, at);
  if (option === null) return;
  check.onlyFields(option, at, ['text', 'value', 'description', ...(kind === 'overflow' ? ['url'] : [])]);
  check.required(option, at, 'text', 'value');
  check.text(option.text, `${at}/text`, { max: limits.optionText, types: kind === 'choice' ? undefined : plain });
  check.string(option.value, `${at}/value`, { max: limits.optionValue });
  check.text(option.description, `${at}/description`, {
    max: limits.optionText,
    types: kind === 'choice' ? undefined : plain,
  });
  check.url(option.url, `${at}/url`);
}

function checkOptions(check: Check, value: unknown, at: string, max: number, kind: 'select' | 'choice' | 'overflow') {
  check.list(value, at, { min: 1, max }).forEach((option, index) => {
    checkOption(check, option, `${at}/${index}`, kind);
  });
}

/** Slack refuses an initial option that is not exactly one of the options. */
function checkInitial(check: Check, initial: unknown, options: Fields[], at: string): void {
  if (initial === undefined) return;
  const text = JSON.stringify(initial);
  if (!options.some((option) => JSON.stringify(option) === text || sameOption(option, initial))) {
    check.fail('must match one of the options', at);
  }
}

function sameOption(option: Fields, other: unknown): boolean {
  if (!isFields(other)) return false;
  const a = isFields(option.text) ? option.text.text : undefined;
  const b = isFields(other.text) ? other.text.text : undefined;
  return option.value === other.value && a === b;
}

const shared = ['type', 'action_id', 'confirm', 'focus_on_load'];

function checkShared(check: Check, element: Fields, at: string): void {
  checkConfirm(check, element.confirm, `${at}/confirm`);
  check.boolean(element.focus_on_load, `${at}/focus_on_load`);
}

function checkStaticSelect(check: Check, element: Fields, at: string): void {
  check.onlyFields(element, at, [...shared, 'placeholder', 'options', 'option_groups', 'initial_option']);
  checkShared(check, element, at);
  check.text(element.placeholder, `${at}/placeholder`, { max: limits.placeholder, types: plain });
  if ((element.options === undefined) === (element.option_groups === undefined)) {
    check.fail('must provide either options or option_groups', at);
    return;
  }
  let options = objectsOf(element.options);
  if (element.options !== undefined) {
    checkOptions(check, element.options, `${at}/options`, limits.selectOptions, 'select');
  } else {
    const groups = check.list(element.option_groups, `${at}/option_groups`, { min: 1, max: limits.selectOptions });
    groups.forEach((group, index) => {
      const where = `${at}/option_groups/${index}`;
      const fields = check.object(group, where);
      if (fields === null) return;
      check.onlyFields(fields, where, ['label', 'options']);
      check.required(fields, where, 'label', 'options');
      check.text(fields.label, `${where}/label`, { max: limits.optionText, types: plain });
      checkOptions(check, fields.options, `${where}/options`, limits.selectOptions, 'select');
      options = [...options, ...objectsOf(fields.options)];
    });
  }
  checkInitial(check, element.initial_option, options, `${at}/initial_option`);
}

function checkChoice(check: Check, element: Fields, at: string): void {
  const several = element.type === 'checkboxes';
  check.onlyFields(element, at, [...shared, 'options', several ? 'initial_options' : 'initial_option']);
  checkShared(check, element, at);
  if (!check.required(element, at, 'options')) return;
  checkOptions(check, element.options, `${at}/options`, limits.choiceOptions, 'choice');
  const options = objectsOf(element.options);
  if (several) {
    objectsOf(element.initial_options).forEach((initial, index) => {
      checkInitial(check, initial, options, `${at}/initial_options/${index}`);
    });
  } else {
    checkInitial(check, element.initial_option, options, `${at}/initial_option`);
  }
}

function checkButton(check: Check, element: Fields, at: string): void {
  check.onlyFields(element, at, [
    'type',
    'action_id',
    'confirm',
    'text',
    'value',
    'url',
    'style',
    'accessibility_label',
  ]);
  checkConfirm(check, element.confirm, `${at}/confirm`);
  check.required(element, at, 'text');
  check.text(element.text, `${at}/text`, { max: limits.buttonText, types: plain });
  check.string(element.value, `${at}/value`, { min: 0, max: limits.buttonValue });
  check.url(element.url, `${at}/url`);
  check.oneOf(element.style, `${at}/style`, ['primary', 'danger']);
  check.string(element.accessibility_label, `${at}/accessibility_label`, { max: limits.accessibilityLabel });
}

function checkPlainTextInput(check: Check, element: Fields, at: string): void {
  check.onlyFields(element, at, [
    'type',
    'action_id',
    'focus_on_load',
    'placeholder',
    'initial_value',
    'multiline',
    'min_length',
    'max_length',
    'dispatch_action_config',
  ]);
  check.boolean(element.multiline, `${at}/multiline`);
  check.boolean(element.focus_on_load, `${at}/focus_on_load`);
  check.text(element.placeholder, `${at}/placeholder`, { max: limits.placeholder, types: plain });
  check.string(element.initial_value, `${at}/initial_value`, { min: 0, max: limits.inputValue });
  for (const name of ['min_length', 'max_length']) {
    const value = element[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > limits.inputValue) {
      check.fail(`must be an integer from 0 to ${limits.inputValue}`, `${at}/${name}`);
    }
  }
}

function checkNumberInput(check: Check, element: Fields, at: string): void {
  const numbers = ['initial_value', 'min_value', 'max_value'];
  check.onlyFields(element, at, [
    'type',
    'action_id',
    'focus_on_load',
    'placeholder',
    'is_decimal_allowed',
    'dispatch_action_config',
    ...numbers,
  ]);
  check.required(element, at, 'is_decimal_allowed');
  check.boolean(element.is_decimal_allowed, `${at}/is_decimal_allowed`);
  check.text(element.placeholder, `${at}/placeholder`, { max: limits.placeholder, types: plain });
  for (const name of numbers) {
    const value = element[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value.trim() === '' || !Number.isFinite(Number(value))) {
      check.fail('must be a number written as a string', `${at}/${name}`);
    }
  }
}

function checkFeedbackButtons(check: Check, element: Fields, at: string): void {
  check.onlyFields(element, at, ['type', 'action_id', 'positive_button', 'negative_button']);
  check.required(element, at, 'positive_button', 'negative_button');
  for (const name of ['positive_button', 'negative_button']) {
    if (element[name] === undefined) continue;
    const button = check.object(element[name], `${at}/${name}`);
    if (button === null) continue;
    check.onlyFields(button, `${at}/${name}`, ['text', 'value', 'accessibility_label']);
    check.required(button, `${at}/${name}`, 'text', 'value');
    check.text(button.text, `${at}/${name}/text`, { max: limits.buttonText, types: plain });
    check.string(button.value, `${at}/${name}/value`, { max: limits.buttonValue });
    check.string(button.accessibility_label, `${at}/${name}/accessibility_label`, { max: limits.accessibilityLabel });
  }
}

const validators: Readonly<Record<string, Validator>> = {
  button: checkButton,
  image: (check, element, at) => checkImage(check, element, at, false),
  static_select: checkStaticSelect,
  users_select: (check, element, at) => {
    check.onlyFields(element, at, [...shared, 'placeholder', 'initial_user']);
    checkShared(check, element, at);
    check.text(element.placeholder, `${at}/placeholder`, { max: limits.placeholder, types: plain });
    check.string(element.initial_user, `${at}/initial_user`, { max: limits.id });
  },
  overflow: (check, element, at) => {
    check.onlyFields(element, at, ['type', 'action_id', 'confirm', 'options']);
    checkConfirm(check, element.confirm, `${at}/confirm`);
    if (check.required(element, at, 'options')) {
      checkOptions(check, element.options, `${at}/options`, limits.overflowOptions, 'overflow');
    }
  },
  radio_buttons: checkChoice,
  checkboxes: checkChoice,
  plain_text_input: checkPlainTextInput,
  number_input: checkNumberInput,
  datetimepicker: (check, element, at) => {
    check.onlyFields(element, at, [...shared, 'initial_date_time']);
    checkShared(check, element, at);
    const initial = element.initial_date_time;
    if (initial !== undefined && !/^\d{10}$/.test(String(initial))) {
      check.fail('must be a UNIX timestamp of 10 digits', `${at}/initial_date_time`);
    }
  },
  feedback_buttons: checkFeedbackButtons,
  icon_button: (check, element, at) => {
    check.onlyFields(element, at, [
      'type',
      'action_id',
      'icon',
      'text',
      'value',
      'confirm',
      'accessibility_label',
      'visible_to_user_ids',
    ]);
    check.required(element, at, 'icon', 'text');
    check.text(element.text, `${at}/text`, { max: limits.buttonText, types: plain });
    check.string(element.value, `${at}/value`, { max: limits.buttonValue });
    check.string(element.accessibility_label, `${at}/accessibility_label`, { max: limits.accessibilityLabel });
    checkConfirm(check, element.confirm, `${at}/confirm`);
  },
};
