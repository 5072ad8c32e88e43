import { confirmDialog } from './dialogs.js';
import { h, safeUrl } from './dom.js';
import { plainText, textObject } from './mrkdwn.js';

/**
 * Draws one interactive element. `context.use(block, element, chosen)` is what happens when it is used;
 * `context.value(block, element)` what it holds now. In a modal's input block nothing is sent: the form is read.
 */
export function renderElement(element, block, context) {
  const draw = drawers[element.type];
  if (draw === undefined) return h('em', {}, `(${element.type})`);
  return draw(element, block, context);
}

/** Asks first where the element says so, then uses it; the control is busy until the app has acknowledged. */
async function use(control, element, block, context, chosen) {
  // Pressed twice while it is under way: once is meant.
  if (control.getAttribute('aria-busy') === 'true') return;
  if (element.confirm !== undefined && !(await confirmDialog(element.confirm, context.directory))) {
    context.refresh?.();
    return;
  }
  control.setAttribute('aria-busy', 'true');
  if (control.matches('button')) control.setAttribute('aria-disabled', 'true');
  control.classList.add('busy');
  try {
    await context.use(block, element, chosen);
  } finally {
    control.removeAttribute('aria-busy');
    control.removeAttribute('aria-disabled');
    control.classList.remove('busy');
  }
}

function button(element, block, context) {
  const url = element.url === undefined ? null : safeUrl(element.url);
  const style = element.style ?? 'default';
  const control = h(
    'button',
    {
      type: 'button',
      class: `button button-${style}`,
      'data-testid': 'button',
      'data-action-id': element.action_id,
      'data-value': element.value,
      'aria-label': element.accessibility_label,
      onclick: () => {
        if (url !== null) window.open(url, '_blank', 'noopener,noreferrer');
        use(control, element, block, context);
      },
    },
    ...textObject(element.text, context.directory),
    url === null ? null : h('span', { class: 'external', 'aria-hidden': 'true' }, '↗\u{FE0E}'),
  );
  return control;
}

function select(element, block, context, groups, current, label) {
  const inForm = block.type === 'input';
  const control = h(
    'select',
    {
      class: 'select',
      'data-testid': 'select',
      'data-action-id': element.action_id,
      'aria-label': inForm ? null : (element.placeholder?.text ?? label),
      onchange: () => {
        if (!inForm || block.dispatch_action === true) use(control, element, block, context, control.value);
      },
    },
    h('option', { value: '' }, element.placeholder?.text ?? 'Choose…'),
    groups.map(({ name, options }) => {
      const shown = options.map((option) =>
        h('option', { value: option.value, selected: option.value === current }, ...plainText(option.text)),
      );
      return name === null ? shown : h('optgroup', { label: name }, shown);
    }),
  );
  return control;
}

function staticSelect(element, block, context) {
  const plain = (options) => options.map((option) => ({ value: option.value, text: option.text.text }));
  const groups =
    element.option_groups === undefined
      ? [{ name: null, options: plain(element.options) }]
      : element.option_groups.map((group) => ({ name: group.label.text, options: plain(group.options) }));
  return select(
    element,
    block,
    context,
    groups,
    context.value(block, element)?.selected_option?.value,
    'Choose an option',
  );
}

function usersSelect(element, block, context) {
  const options = context.directory.users.map((user) => ({ value: user.id, text: user.realName }));
  const current = context.value(block, element)?.selected_user;
  return select(element, block, context, [{ name: null, options }], current, 'Choose a person');
}

function overflow(element, block, context) {
  const items = element.options.map((option) =>
    h(
      'button',
      {
        type: 'button',
        class: 'menu-item',
        role: 'menuitem',
        'data-testid': 'overflow-option',
        'data-value': option.value,
        onclick: () => {
          menu.open = false;
          const url = option.url === undefined ? null : safeUrl(option.url);
          if (url !== null) window.open(url, '_blank', 'noopener,noreferrer');
          use(menu, element, block, context, option.value);
        },
      },
      ...textObject(option.text, context.directory),
      option.description ? h('small', {}, ...textObject(option.description, context.directory)) : null,
    ),
  );
  const menu = h(
    'details',
    {
      class: 'overflow',
      'data-testid': 'overflow',
      'data-action-id': element.action_id,
      onfocusout: (event) => {
        if (!menu.contains(event.relatedTarget)) menu.open = false;
      },
      onkeydown: (event) => {
        if (event.key === 'Escape') menu.open = false;
      },
      // To whichever side there is room.
      ontoggle: () => {
        menu.classList.toggle('to-left', menu.getBoundingClientRect().left > window.innerWidth / 2);
      },
    },
    h('summary', { class: 'button button-default', 'aria-label': 'More actions' }, '⋯'),
    h('div', { class: 'menu', role: 'menu' }, items),
  );
  return menu;
}

function choices(element, block, context) {
  const several = element.type === 'checkboxes';
  const held = context.value(block, element);
  const chosen = several ? (held?.selected_options ?? []).map((one) => one.value) : [held?.selected_option?.value];
  const name = `${context.prefix ?? ''}${context.target}-${block.block_id}-${element.action_id}`;
  const inForm = block.type === 'input';
  const box = h(
    'div',
    {
      class: 'choices',
      role: several ? 'group' : 'radiogroup',
      'data-testid': element.type,
      'data-action-id': element.action_id,
    },
    element.options.map((option) =>
      h(
        'label',
        { class: 'choice' },
        h('input', {
          type: several ? 'checkbox' : 'radio',
          name,
          value: option.value,
          checked: chosen.includes(option.value),
          onchange: () => {
            if (inForm && block.dispatch_action !== true) return;
            const all = [...box.querySelectorAll('input:checked')].map((one) => one.value);
            use(box, element, block, context, several ? all : all[0]);
          },
        }),
        h(
          'span',
          {},
          ...textObject(option.text, context.directory),
          option.description ? h('small', {}, ...textObject(option.description, context.directory)) : null,
        ),
      ),
    ),
  );
  return box;
}

function input(element, block, context) {
  const held = context.value(block, element)?.value ?? '';
  const shared = {
    class: 'text-input',
    'data-testid': 'input',
    'data-action-id': element.action_id,
    placeholder: element.placeholder?.text,
    maxlength: element.max_length,
    autofocus: element.focus_on_load === true,
  };
  if (element.multiline === true) return h('textarea', { ...shared, rows: 4 }, held);
  return h('input', {
    ...shared,
    type: 'text',
    inputmode: element.type === 'number_input' ? 'decimal' : null,
    value: held,
  });
}

function datetime(element, block, context) {
  const held = context.value(block, element)?.selected_date_time;
  const local = (seconds) => {
    const date = new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000);
    return date.toISOString().slice(0, 16);
  };
  const control = h('input', {
    type: 'datetime-local',
    class: 'text-input datetime',
    'data-testid': 'datetimepicker',
    'data-action-id': element.action_id,
    'aria-label': block.type === 'input' ? null : 'Date and time',
    value: held ? local(held) : null,
    onchange: () => {
      if (block.type === 'input' && block.dispatch_action !== true) return;
      use(control, element, block, context, readValue(control));
    },
  });
  return control;
}

function feedback(element, block, context) {
  const one = (part, sign) => {
    const control = h(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'data-testid': 'button',
        'data-action-id': element.action_id,
        'aria-label': part.accessibility_label ?? part.text.text,
        title: part.text.text,
        onclick: () => use(control, element, block, context, part.value),
      },
      sign,
    );
    return control;
  };
  return h('span', { class: 'feedback' }, one(element.positive_button, '👍'), one(element.negative_button, '👎'));
}

function icon(element, block, context) {
  const control = h(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      'data-testid': 'button',
      'data-action-id': element.action_id,
      'aria-label': element.accessibility_label ?? element.text.text,
      title: element.text.text,
      onclick: () => use(control, element, block, context),
    },
    element.icon === 'trash' ? '🗑️' : '◦',
  );
  return control;
}

const drawers = {
  button,
  static_select: staticSelect,
  users_select: usersSelect,
  overflow,
  radio_buttons: choices,
  checkboxes: choices,
  plain_text_input: input,
  number_input: input,
  datetimepicker: datetime,
  feedback_buttons: feedback,
  icon_button: icon,
};

/** What a drawn input holds, as the workspace wants it: text, an option's value, several, or seconds. */
export function readValue(control) {
  if (control.type === 'datetime-local') {
    return control.value === '' ? '' : String(Math.floor(new Date(control.value).getTime() / 1000));
  }
  if (control.classList.contains('choices')) {
    const all = [...control.querySelectorAll('input:checked')].map((one) => one.value);
    return control.getAttribute('role') === 'group' ? all : (all[0] ?? '');
  }
  return control.value;
}
