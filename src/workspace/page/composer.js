import { act } from './api.js';
import { toast } from './dialogs.js';
import { h } from './dom.js';

/** What can be typed next: commands first, then what their usage hints and completions offer. */
export function completions(text, commands) {
  if (!text.startsWith('/')) return [];
  const [typed, ...rest] = text.split(/\s+/);
  const exact = commands.find((command) => command.command === typed);
  if (exact === undefined || (rest.length === 0 && !text.endsWith(' '))) {
    return commands
      .filter((command) => command.command.startsWith(typed))
      .map((command) => ({
        insert: `${command.command} `,
        title: command.command,
        hint: command.usageHint,
        note: command.description,
      }));
  }
  const after = text.slice(typed.length).trimStart();
  const words = subcommands(exact.usageHint).filter(
    (word) => after.split(/\s+/).length <= 1 && word.startsWith(after) && word !== after,
  );
  const longer = (exact.completions ?? []).filter((one) => one.startsWith(after) && one !== after.trimEnd());
  return [
    ...longer.map((one) => ({
      insert: `${exact.command} ${one}`,
      title: `${exact.command} ${one}`,
      hint: '',
      note: '',
    })),
    ...words
      .filter((word) => !longer.includes(word))
      .map((word) => ({ insert: `${exact.command} ${word} `, title: `${exact.command} ${word}`, hint: '', note: '' })),
  ].slice(0, 8);
}

/** The words of a hint such as `[start|status|help] <service>`. */
function subcommands(hint) {
  const group = hint.split(/\s+/).find((word) => word.includes('|')) ?? '';
  return group
    .split('|')
    .map((word) => word.replace(/[^a-z0-9-]/gi, ''))
    .filter((word) => word !== '');
}

/** A composer: Enter sends, Shift+Enter breaks the line, commands complete themselves. */
export class Composer {
  constructor(slot, store, { thread = null } = {}) {
    this.slot = slot;
    this.store = store;
    this.thread = thread;
    this.options = [];
    this.chosen = 0;
    this.past = [];
    const name = thread === null ? 'composer' : 'thread-composer';
    this.list = h('div', {
      class: 'completions',
      role: 'listbox',
      id: `${name}-list`,
      hidden: true,
      'data-testid': 'completions',
    });
    this.area = h('textarea', {
      rows: 1,
      class: 'composer-text',
      'data-testid': name,
      'aria-controls': `${name}-list`,
      'aria-autocomplete': 'list',
      oninput: () => this.changed(),
      onkeydown: (event) => this.key(event),
      onblur: () => setTimeout(() => this.offer([]), 150),
    });
    this.button = h(
      'button',
      {
        type: 'button',
        class: 'send',
        'aria-label': 'Send',
        'data-testid': `${name}-send`,
        disabled: true,
        onclick: () => this.send(),
      },
      '➤',
    );
    slot.replaceChildren(
      h('div', { class: 'composer' }, this.list, h('div', { class: 'composer-row' }, this.area, this.button)),
    );
  }

  place(text, disabled) {
    this.area.placeholder = text;
    this.area.setAttribute('aria-label', text);
    this.area.disabled = disabled;
  }

  changed() {
    this.button.disabled = this.area.value.trim() === '';
    this.area.style.height = 'auto';
    this.area.style.height = `${Math.min(this.area.scrollHeight, 200)}px`;
    this.offer(completions(this.area.value, this.store.commands));
  }

  offer(options) {
    this.options = options;
    this.chosen = 0;
    this.list.hidden = options.length === 0;
    this.list.replaceChildren(
      ...options.map((option, index) =>
        h(
          'div',
          {
            class: 'completion',
            role: 'option',
            id: `${this.list.id}-${index}`,
            'data-testid': 'completion',
            'aria-selected': index === 0 ? 'true' : 'false',
            onmousedown: (event) => {
              event.preventDefault();
              this.take(option);
            },
          },
          h('strong', {}, option.title),
          option.hint ? h('span', { class: 'completion-hint' }, ` ${option.hint}`) : null,
          option.note ? h('span', { class: 'completion-note' }, option.note) : null,
        ),
      ),
    );
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((node, index) => {
      node.setAttribute('aria-selected', index === this.chosen ? 'true' : 'false');
    });
    if (this.options.length > 0) this.area.setAttribute('aria-activedescendant', `${this.list.id}-${this.chosen}`);
    else this.area.removeAttribute('aria-activedescendant');
  }

  take(option) {
    this.area.value = option.insert;
    this.area.focus();
    this.changed();
  }

  key(event) {
    const open = this.options.length > 0;
    if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      this.chosen = (this.chosen + step + this.options.length) % this.options.length;
      this.mark();
    } else if (open && event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      this.take(this.options[this.chosen]);
    } else if (open && event.key === 'Escape') {
      this.offer([]);
    } else if (event.key === 'ArrowUp' && this.area.value === '' && this.past.length > 0) {
      event.preventDefault();
      this.area.value = this.past.at(-1);
      this.changed();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      const option = this.options[this.chosen];
      // Half a command is completed; a whole one is sent.
      if (open && !this.area.value.includes(' ') && option.insert.trim() !== this.area.value.trim()) this.take(option);
      else this.send();
    }
  }

  async send() {
    const text = this.area.value.trim();
    if (text === '' || this.area.disabled) return;
    this.past.push(text);
    this.area.value = '';
    this.changed();
    const { store } = this;
    const details = { channel: store.channelId, text, ...(this.thread === null ? {} : { thread: this.thread() }) };
    const result = await act(store.user, 'type', details);
    if (!result.ok && result.error === 'refused') toast('This channel is archived.');
    if (result.message) toast(result.message);
    store.sent?.();
  }
}
