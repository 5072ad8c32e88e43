import { h } from './dom.js';
import { textObject } from './mrkdwn.js';

/** Opens a confirm dialog; true when confirmed. */
export function confirmDialog(confirm, directory) {
  return new Promise((resolve) => {
    const text = (part, fallback) => (part === undefined ? [fallback] : textObject(part, directory));
    const dialog = h(
      'dialog',
      { class: 'dialog dialog-small', 'data-testid': 'confirm', 'aria-label': confirm.title?.text ?? 'Are you sure?' },
      h('header', { class: 'dialog-head' }, h('h2', {}, ...text(confirm.title, 'Are you sure?'))),
      h('div', { class: 'dialog-body text' }, ...textObject(confirm.text, directory)),
      h(
        'footer',
        { class: 'dialog-foot' },
        h(
          'button',
          {
            type: 'button',
            class: 'button button-default',
            'data-testid': 'confirm-deny',
            onclick: () => dialog.close('no'),
          },
          ...text(confirm.deny, 'Cancel'),
        ),
        h(
          'button',
          {
            type: 'button',
            class: `button button-solid-${confirm.style ?? 'primary'}`,
            'data-testid': 'confirm-yes',
            onclick: () => dialog.close('yes'),
          },
          ...text(confirm.confirm, 'Yes'),
        ),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A short notice that goes away by itself. */
export function toast(text) {
  const node = h('div', { class: 'toast', 'data-testid': 'toast' }, text);
  document.getElementById('toasts').append(node);
  setTimeout(() => node.remove(), 6000);
}
