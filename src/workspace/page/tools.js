import { ago, dateOf, formatDate } from './time.js';

/** Runs a load at once, and once more afterwards if it was asked for meanwhile. */
export function single(load) {
  let running = false;
  let again = false;
  return async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await load();
      } while (again);
    } finally {
      running = false;
    }
  };
}

/** Draws a part of the page anew; what had the focus there has it again afterwards. */
export function keepingFocus(box, draw) {
  const { testid, actionId } = box.contains(document.activeElement) ? document.activeElement.dataset : {};
  draw();
  const same = [...box.querySelectorAll('[data-testid]')].find(
    (node) => testid !== undefined && node.dataset.testid === testid && node.dataset.actionId === actionId,
  );
  same?.focus();
}

/** Times that say "2 minutes ago" go on being true. */
export function keepTimesTrue() {
  for (const node of document.querySelectorAll('time[data-format*="ago"]'))
    node.textContent = formatDate(node.dataset.seconds, node.dataset.format);
  for (const node of document.querySelectorAll('time[data-ago]'))
    node.textContent = `Last reply ${ago(dateOf(node.dataset.ago))}`;
}
