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
    this.opener = null;
  }

  /** Draws what is open now; nothing is done when that is already drawn. The dialog itself stays while anything is open. */
  show(views) {
    const top = views.at(-1) ?? null;
    if (top !== null && this.view?.id === top.id && this.view.hash === top.hash && this.dialog !== null) return;
    this.keep();
    if (this.view?.id !== top?.id) this.errors = {};
    this.view = top;
    if (top === null) this.end();
    else this.draw();
  }

  /** Remembers what is typed, by view. */
  keep() {
    if (this.dialog === null || this.view === null) return;
    const values = {};
    for (const control of this.dialog.querySelectorAll('[data-input]')) values[keyOf(control)] = control;
    this.typed.set(this.view.id, values);
  }

  redraw() {
    this.keep();
    this.draw();
  }

  /** Closes the dialog; the focus goes back to what opened it, or to the message it was in. */
  end() {
    const { dialog, opener } = this;
    this.dialog = null;
    this.opener = null;
    if (dialog === null) return;
    dialog.close();
    dialog.remove();
    opener?.();
  }

  draw() {
    const { view, store } = this;
    const fresh = this.dialog === null;
    if (fresh) this.begin();
    const place = fresh ? null : placeOf(this.dialog);
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
    const form = h(
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
    );
    const another = this.dialog.dataset.viewId !== view.id;
    this.dialog.dataset.viewId = view.id;
    this.dialog.setAttribute('aria-labelledby', title.id);
    this.dialog.replaceChildren(form);
    this.restore();
    if (fresh) this.dialog.showModal();
    this.focus(another ? null : place);
  }

  begin() {
    this.opener = wayBack(document.activeElement);
    this.dialog = h('dialog', { class: 'dialog', 'data-testid': 'modal' });
    const { dialog } = this;
    dialog.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      this.close();
    });
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      if (this.dialog === dialog) this.close();
    });
    document.body.append(dialog);
  }

  /** What is wrong first; else where the caret was; else the first thing to fill in. */
  focus(place) {
    const wrong = this.dialog.querySelector('[aria-invalid=true]');
    const same = place && this.dialog.querySelector(`[data-input="${CSS.escape(place.input)}"]`);
    const first = ['[autofocus]', '[data-input]', '[type=submit]', '[data-testid=modal-close]'];
    const target = wrong ?? same ?? first.map((one) => this.dialog.querySelector(one)).find((one) => one !== null);
    const control = target?.matches('.choices')
      ? (target.querySelector('input:checked') ?? target.querySelector('input'))
      : target;
    control?.focus();
    if (control === same && place.from !== null) control.setSelectionRange(place.from, place.to);
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
      const before = typed[keyOf(control)];
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
    if (button === null || button.getAttribute('aria-disabled') === 'true') return;
    // Not `disabled`: the focus stays where it is.
    button.setAttribute('aria-disabled', 'true');
    button.classList.add('busy');
    const result = await act(store.user, 'submit', { view: view.id, values: readForm(dialog) });
    if (this.dialog === dialog && this.view.id === view.id) {
      button.removeAttribute('aria-disabled');
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

function keyOf(control) {
  return `${control.dataset.input}/${control.dataset.actionId}`;
}

/** In which field the caret is, and where in it; null outside of the fields. */
function placeOf(dialog) {
  const active = dialog.contains(document.activeElement) ? document.activeElement : null;
  const control = active?.closest('[data-input]');
  if (!control) return null;
  const text = active.matches('textarea, input[type=text]');
  return {
    input: control.dataset.input,
    from: text ? active.selectionStart : null,
    to: text ? active.selectionEnd : null,
  };
}

/** Gives the focus back to a control, which may have been drawn anew meanwhile, or to its message where it is gone. */
function wayBack(node) {
  const message = node?.closest('article.message');
  const { actionId } = node?.dataset ?? {};
  return () => {
    if (node?.isConnected) return node.focus({ preventScroll: true });
    const pane = message?.closest('.thread') ? '#thread' : '#messages';
    const same = message && document.querySelector(`${pane} article[data-ts="${CSS.escape(message.dataset.ts)}"]`);
    const control = actionId && same?.querySelector(`[data-action-id="${CSS.escape(actionId)}"]`);
    (control || same || document.querySelector('[data-testid=composer]'))?.focus({ preventScroll: true });
  };
}
