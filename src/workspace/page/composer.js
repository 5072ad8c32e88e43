import { act, get } from './api.js';
import { complete } from './completion.js';
import { toast } from './dialogs.js';
import { h } from './dom.js';

/** A composer: Enter sends, Shift+Enter breaks the line, commands complete themselves, arrow up brings back what was sent. */
export class Composer {
  constructor(slot, store, { thread = null } = {}) {
    this.store = store;
    this.thread = thread;
    this.options = [];
    this.chosen = -1;
    this.certain = false;
    this.past = store.typed;
    this.back = 0;
    this.known = new Map();
    const name = thread === null ? 'composer' : 'thread-composer';
    this.list = h('div', { class: 'options', role: 'listbox', id: `${name}-list`, 'aria-label': 'What can be typed' });
    this.usage = h('div', { class: 'usage', id: `${name}-usage`, 'data-testid': 'usage' });
    this.box = h('div', { class: 'completions', 'data-testid': 'completions', hidden: true }, this.usage, this.list);
    this.area = h('textarea', {
      rows: 1,
      class: 'composer-text',
      'data-testid': name,
      ...(thread === null ? this.combobox() : {}),
      spellcheck: 'false',
      oninput: () => this.changed(),
      onkeydown: (event) => this.key(event),
      onblur: () => this.offer(null),
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
      h('div', { class: 'composer' }, this.box, h('div', { class: 'composer-row' }, this.area, this.button)),
    );
  }

  /** Commands are not for threads, in Slack neither: only the channel's line completes. */
  combobox() {
    return {
      role: 'combobox',
      'aria-haspopup': 'listbox',
      'aria-expanded': 'false',
      'aria-controls': this.list.id,
      'aria-describedby': this.usage.id,
      'aria-autocomplete': 'list',
    };
  }

  place(text, disabled) {
    this.area.placeholder = text;
    this.area.setAttribute('aria-label', text);
    this.area.disabled = disabled;
  }

  /** Puts the caret here, with a beginning where nothing is typed yet. */
  begin(text) {
    this.area.focus();
    if (this.area.value === '') this.set(text);
  }

  set(text) {
    this.area.value = text;
    this.area.setSelectionRange(text.length, text.length);
    this.changed();
  }

  changed() {
    const { value } = this.area;
    this.button.disabled = value.trim() === '';
    this.area.style.height = 'auto';
    this.area.style.height = `${Math.min(this.area.scrollHeight, 200)}px`;
    const whole = this.area.selectionEnd === value.length && !value.includes('\n');
    if (!value.startsWith('/') || !whole || this.thread !== null) return this.offer(null);
    const command = this.store.commands.find((one) => one.command === value.split(/\s+/)[0]);
    if (command !== undefined) this.ask(command.command);
    this.offer(complete(value, this.store.commands, this.known.get(command?.command) ?? null));
  }

  /** What the app offers after its command, asked for anew with every line. */
  async ask(command) {
    if (this.asked === command) return;
    this.asked = command;
    try {
      this.known.set(command, await get('/client/completion', { user: this.store.user, command }));
    } catch {
      // Without it the command's hint is offered; typing goes on.
      this.known.delete(command);
    }
    if (document.activeElement === this.area && this.area.value.startsWith(command)) this.changed();
  }

  offer(found) {
    this.options = found?.options ?? [];
    this.certain = found?.certain ?? false;
    this.chosen = this.certain ? 0 : -1;
    const usage = found?.usage ?? null;
    this.box.hidden = this.options.length === 0 && usage === null;
    this.usage.hidden = usage === null;
    this.usage.replaceChildren(...(usage === null ? [] : usageOf(usage)));
    this.list.replaceChildren(...this.options.map((option, index) => this.optionOf(option, index)));
    this.mark();
  }

  optionOf(option, index) {
    return h(
      'div',
      {
        class: 'completion',
        role: 'option',
        id: `${this.list.id}-${index}`,
        'data-testid': 'completion',
        'data-insert': option.insert,
        onmousedown: (event) => {
          event.preventDefault();
          this.take(option);
        },
      },
      h('span', { class: 'completion-word' }, h('strong', {}, option.word), option.hint ? ` ${option.hint}` : null),
      option.note ? h('span', { class: 'completion-note' }, option.note) : null,
    );
  }

  mark() {
    if (this.thread !== null) return;
    [...this.list.children].forEach((node, index) => {
      node.setAttribute('aria-selected', index === this.chosen ? 'true' : 'false');
      if (index === this.chosen) node.scrollIntoView({ block: 'nearest' });
    });
    this.area.setAttribute('aria-expanded', this.options.length > 0 ? 'true' : 'false');
    if (this.chosen >= 0) this.area.setAttribute('aria-activedescendant', `${this.list.id}-${this.chosen}`);
    else this.area.removeAttribute('aria-activedescendant');
  }

  take(option) {
    this.area.focus();
    this.set(option.insert);
  }

  key(event) {
    if (event.isComposing) return;
    const open = this.options.length > 0;
    const done = () => event.preventDefault();
    if (event.key === 'Enter' && !event.shiftKey) {
      done();
      if (this.chosen >= 0) this.take(this.options[this.chosen]);
      else this.send();
    } else if (open && event.key === 'Tab' && !event.shiftKey) {
      done();
      this.take(this.options[Math.max(0, this.chosen)]);
    } else if (event.key === 'Escape' && !this.box.hidden) {
      done();
      event.stopPropagation();
      this.offer(null);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      this.arrow(event, open);
    }
  }

  /** Through what is offered; without it, through what was sent before. */
  arrow(event, open) {
    const up = event.key === 'ArrowUp';
    const inHistory = this.back > 0 && this.area.value === this.past.at(-this.back);
    if (open && !inHistory) {
      const count = this.options.length;
      event.preventDefault();
      this.chosen = this.chosen < 0 ? (up ? count - 1 : 0) : (this.chosen + (up ? -1 : 1) + count) % count;
      this.mark();
      return;
    }
    if (!inHistory && (this.area.value !== '' || !up)) return;
    const next = up ? (inHistory ? this.back + 1 : 1) : this.back - 1;
    if (next > this.past.length) return event.preventDefault();
    event.preventDefault();
    this.back = next;
    this.set(next === 0 ? '' : this.past.at(-next));
    this.offer(null);
  }

  async send() {
    const text = this.area.value.trim();
    if (text === '' || this.area.disabled) return;
    if (this.past.at(-1) !== text) this.past.push(text);
    this.back = 0;
    this.asked = null;
    this.set('');
    const { store } = this;
    const details = { channel: store.channelId, text, ...(this.thread === null ? {} : { thread: this.thread() }) };
    const result = await act(store.user, 'type', details);
    if (!result.ok && result.error === 'refused') toast('This channel is archived.');
    if (result.message) {
      toast(result.message);
      // Nothing was sent: it is there to be sent again.
      if (this.area.value === '') this.set(text);
    }
    store.sent();
  }
}

/** The line above what is offered: what the command takes, the present part marked, and what it does. */
function usageOf({ name, slots, present, summary }) {
  return [
    h(
      'span',
      { class: 'usage-line' },
      h('strong', {}, name),
      slots.map((slot) => [' ', h('span', { class: slot.text === present ? 'usage-present' : '' }, slot.text)]),
    ),
    summary === '' ? null : h('span', { class: 'completion-note' }, summary),
  ].filter((node) => node !== null);
}
