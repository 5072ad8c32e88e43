import { type Fields, fieldsOf, listOf, objectsOf, stringOf } from './fields.ts';
import type { State } from './state.ts';
import type { View } from './types.ts';

export interface Found {
  block: Fields;
  element: Fields;
}

/** Every element of the blocks, however deep: in sections, actions, inputs, containers, cards and carousels. */
export function elementsOf(blocks: unknown): Found[] {
  return objectsOf(blocks).flatMap((block) => {
    const own = [
      block.accessory,
      block.element,
      ...(block.type === 'carousel' ? [] : listOf(block.elements)),
      ...listOf(block.actions),
    ]
      .map(fieldsOf)
      .filter((element) => typeof element.action_id === 'string')
      .map((element) => ({ block, element }));
    const nested = block.type === 'carousel' ? block.elements : [...listOf(block.child_blocks), ...listOf(block.tasks)];
    return [...own, ...elementsOf(nested)];
  });
}

/** Elements that only act and hold no value. */
const stateless = ['button', 'overflow', 'icon_button', 'feedback_buttons'];

/** The values a view or message begins with: block id → action id → value. */
export function initialValues(blocks: unknown): View['values'] {
  const values: View['values'] = {};
  for (const { block, element } of elementsOf(blocks)) {
    if (stateless.includes(String(element.type))) continue;
    const id = String(block.block_id);
    values[id] = { ...values[id], [String(element.action_id)]: initialValue(element) };
  }
  return values;
}

function initialValue(element: Fields): Fields {
  const type = String(element.type);
  switch (type) {
    case 'static_select':
    case 'radio_buttons':
      return { type, selected_option: element.initial_option ?? null };
    case 'users_select':
      return { type, selected_user: element.initial_user ?? null };
    case 'checkboxes':
      return { type, selected_options: element.initial_options ?? [] };
    case 'datetimepicker':
      return { type, selected_date_time: element.initial_date_time ?? null };
    default:
      return { type, value: element.initial_value ?? null };
  }
}

function optionsOf(element: Fields): Fields[] {
  const groups = objectsOf(element.option_groups).flatMap((group) => objectsOf(group.options));
  return [...objectsOf(element.options), ...groups];
}

/** The option with this value or this text. */
function optionNamed(element: Fields, wanted: string): Fields {
  const options = optionsOf(element);
  const found =
    options.find((option) => option.value === wanted) ??
    options.find((option) => fieldsOf(option.text).text === wanted);
  if (found === undefined) {
    const names = options.map((option) => String(option.value)).join(', ');
    throw new Error(`There is no option "${wanted}" in ${String(element.action_id)}; there are: ${names}`);
  }
  return found;
}

/** The value an element has after a person chose or typed something. Empty text is no value, as in Slack. */
export function valueFor(state: State, element: Fields, chosen: string | readonly string[]): Fields {
  const type = String(element.type);
  const one = typeof chosen === 'string' ? chosen : (chosen[0] ?? '');
  switch (type) {
    case 'static_select':
    case 'radio_buttons':
    case 'overflow':
      return { type, selected_option: one === '' ? null : optionNamed(element, one) };
    case 'users_select':
      return { type, selected_user: one === '' ? null : userNamed(state, one) };
    case 'checkboxes': {
      const all = typeof chosen === 'string' ? (chosen === '' ? [] : [chosen]) : chosen;
      return { type, selected_options: all.map((name) => optionNamed(element, name)) };
    }
    case 'datetimepicker':
      return { type, selected_date_time: one === '' ? null : Number(one) };
    case 'plain_text_input':
    case 'number_input':
      return { type, value: one === '' ? null : one };
    default:
      throw new Error(`A ${type} cannot be given a value`);
  }
}

function userNamed(state: State, wanted: string): string {
  if (state.users.has(wanted)) return wanted;
  for (const user of state.users.values()) if (user.name === wanted) return user.id;
  throw new Error(`There is no user "${wanted}" in this workspace`);
}

/** What Slack's client itself refuses before it sends a modal: block id → sentence. */
export function inputErrors(view: View): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { block, element } of elementsOf(view.blocks)) {
    if (block.type !== 'input') continue;
    const value = view.values[String(block.block_id)]?.[String(element.action_id)] ?? {};
    const error = inputError(element, value, block.optional === true);
    if (error !== null) errors[String(block.block_id)] = error;
  }
  return errors;
}

function inputError(element: Fields, value: Fields, optional: boolean): string | null {
  const held = value.value ?? value.selected_option ?? value.selected_user ?? value.selected_date_time;
  const empty = Array.isArray(value.selected_options)
    ? value.selected_options.length === 0
    : held === null || held === undefined;
  if (empty) return optional ? null : 'Please complete this required field.';
  const text = stringOf(value.value);
  if (element.type === 'plain_text_input' && text !== undefined) return lengthError(element, text);
  if (element.type === 'number_input' && text !== undefined) return numberError(element, text);
  return null;
}

function lengthError(element: Fields, text: string): string | null {
  const min = Number(element.min_length ?? 0);
  const max = Number(element.max_length ?? 3000);
  if (text.length < min) return `Please enter at least ${min} characters.`;
  if (text.length > max) return `Please enter at most ${max} characters.`;
  return null;
}

function numberError(element: Fields, text: string): string | null {
  const number = Number(text);
  if (!Number.isFinite(number)) return 'Please enter a number.';
  if (element.is_decimal_allowed !== true && !Number.isInteger(number)) return 'Please enter a whole number.';
  if (element.min_value !== undefined && number < Number(element.min_value)) {
    return `Please enter ${String(element.min_value)} or more.`;
  }
  if (element.max_value !== undefined && number > Number(element.max_value)) {
    return `Please enter ${String(element.max_value)} or less.`;
  }
  return null;
}

/** Whether a name means this element: its action_id, its text, its accessibility label, or its block's id or label. */
export function isNamed(found: Found, name: string): boolean {
  const { block, element } = found;
  const feedback = [fieldsOf(element.positive_button), fieldsOf(element.negative_button)];
  const names = [
    element.action_id,
    fieldsOf(element.text).text,
    element.accessibility_label,
    ...feedback.map((button) => fieldsOf(button.text).text),
    ...(block.type === 'input' ? [block.block_id, fieldsOf(block.label).text] : []),
  ];
  return names.includes(name);
}
