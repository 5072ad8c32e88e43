/**
 * A card that is drawn anew between pressing a button and letting go of it must not swallow the press: the browser clicks only what was
 * there at both moments. What stands there now is pressed instead, if it is the same button of the same message, drawn for the same
 * state: its value says that.
 */
export function keepPresses(root) {
  let pressed = null;
  root.addEventListener('pointerdown', (event) => {
    const button = event.button === 0 ? buttonAt(event.target) : null;
    pressed = button && { button, is: identity(button) };
  });
  root.addEventListener('pointerup', (event) => {
    const before = pressed;
    pressed = null;
    if (before === null || before.button.isConnected) return;
    const now = buttonAt(document.elementFromPoint(event.clientX, event.clientY));
    if (now !== null && identity(now) === before.is) now.click();
  });
}

function buttonAt(target) {
  return target instanceof Element ? target.closest('[data-ts] button[data-action-id]') : null;
}

function identity(button) {
  const { actionId, value } = button.dataset;
  return JSON.stringify([button.closest('[data-ts]').dataset.ts, actionId, value]);
}
