import { act } from './api.js';
import { readForm, renderBlocks } from './blocks.js';
import { toast } from './dialogs.js';
import { h } from './dom.js';
import { textObject } from './mrkdwn.js';

/** Shows the topmost of a person's open modals, and keeps what is typed while the app updates it. */
export class ModalHost {
  constructor(store) {
    this.store = store;
    this.dialog = null;
    this.view = null;
    this.typed = new Map();
    this.errors = {};
  }

  /** Draws what is open now; nothing is done when that is already drawn. */
  show(views) {
    const top = views.at(-1) ?? null;
    if (top !== null && this.view?.id === top.id && this.view.hash === top.hash && this.dialog !== null) return;
    this.keep();
    if (this.view?.id !== top?.id) this.errors = {};
    const before = this.dialog;
    this.dialog = null;
    this.view = top;
    if (top !== null) this.draw();
    before?.remove();
  }

  /** Remembers what is typed, by view. */
  keep() {
    if (this.dialog === null || this.view === null) return;
    const values = {};
    for (const control of this.dialog.querySelectorAll('[data-input]')) {
      values[`${control.dataset.input}/${control.dataset.actionId}`] = control;
    }
    this.typed.set(this.view.id, values);
  }

  redraw() {
    this.keep();
    const before = this.dialog;
    this.draw();
    before?.remove();
  }

  draw() {
    const { view, store } = this;
    const context = {
      target: view.id,
      directory: store.directory,
      errors: this.errors,
      use: (block, element, chosen) => store.use(view.id, block, element, chosen),
      value: (block, element) => view.state.values[block.block_id]?.[element.action_id],
    };
    const title = h(
      'h2',
      { id: `${view.id}-title`, 'data-testid': 'modal-title' },
      ...textObject(view.title, store.directory),
    );
    this.dialog = h(
      'dialog',
      { class: 'dialog', 'data-testid': 'modal', 'data-view-id': view.id, 'aria-labelledby': `${view.id}-title` },
      h(
        'form',
        {
          method: 'dialog',
          novalidate: true,
          onsubmit: (event) => {
            event.preventDefault();
            this.submit();
          },
        },
        h(
          'header',
          { class: 'dialog-head' },
          title,
          h(
            'button',
            {
              type: 'button',
              class: 'icon-button',
              'aria-label': 'Close',
              'data-testid': 'modal-x',
              onclick: () => this.close(),
            },
            '✕',
          ),
        ),
        h('div', { class: 'dialog-body' }, renderBlocks(view.blocks, context)),
        this.foot(),
      ),
    );
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      this.close();
    });
    document.body.append(this.dialog);
    this.restore();
    this.dialog.showModal();
    const first = ['[aria-invalid=true]', '[autofocus]', '[data-input]'];
    const focus = first.map((one) => this.dialog.querySelector(one)).find((one) => one !== null);
    focus?.focus();
  }

  foot() {
    const { view, store } = this;
    const close = view.close ? textObject(view.close, store.directory) : [view.submit ? 'Cancel' : 'Close'];
    return h(
      'footer',
      { class: 'dialog-foot' },
      h('p', { class: 'error grow', id: `${view.id}-failure`, role: 'alert' }),
      h(
        'button',
        { type: 'button', class: 'button button-default', 'data-testid': 'modal-close', onclick: () => this.close() },
        ...close,
      ),
      view.submit
        ? h(
            'button',
            { type: 'submit', class: 'button button-solid-primary', 'data-testid': 'modal-submit' },
            ...textObject(view.submit, store.directory),
          )
        : null,
    );
  }

  /** Puts back what was typed before an update, where block and action are the same. */
  restore() {
    const typed = this.typed.get(this.view.id) ?? {};
    for (const control of this.dialog.querySelectorAll('[data-input]')) {
      const before = typed[`${control.dataset.input}/${control.dataset.actionId}`];
      if (before === undefined || before.tagName !== control.tagName) continue;
      if (control.classList.contains('choices')) {
        const held = new Set([...before.querySelectorAll('input:checked')].map((one) => one.value));
        for (const one of control.querySelectorAll('input')) one.checked = held.has(one.value);
      } else {
        control.value = before.value;
      }
    }
  }

  async submit() {
    const { view, dialog, store } = this;
    const button = dialog.querySelector('[type=submit]');
    if (button === null || button.disabled) return;
    button.disabled = true;
    button.classList.add('busy');
    const result = await act(store.user, 'submit', { view: view.id, values: readForm(dialog) });
    if (this.dialog === dialog) {
      button.disabled = false;
      button.classList.remove('busy');
      this.errors = result.errors ?? {};
      if (result.action === 'errors') this.redraw();
      else if (!result.ok) {
        const why = result.message ?? `We had some trouble connecting (${result.error}). Try again?`;
        document.getElementById(`${view.id}-failure`).textContent = why;
      }
    }
    store.loadViews();
  }

  async close() {
    const { view, store } = this;
    const result = await act(store.user, 'close', { view: view.id });
    if (!result.ok && result.message) toast(result.message);
    store.loadViews();
  }
}
