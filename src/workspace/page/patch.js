/** Parts that only hold others: they stay, and what is in them is looked at one by one. */
const holders = new Set(['message', 'message-body', 'content', 'attachment']);
const interactive = 'button, select, input, textarea, details';

/**
 * Makes a drawn message look like a freshly drawn one, and keeps every part that is the same: no flicker, no lost selection,
 * no table scrolled back. Parts with controls are always taken from the new one, as their ids differ with every update.
 */
export function patch(old, fresh) {
  if (isHolder(old) && isHolder(fresh)) {
    copyAttributes(old, fresh);
    patchChildren(old, fresh);
    return old;
  }
  if (isSame(old, fresh)) return old;
  takeOver(old, fresh);
  old.replaceWith(fresh);
  return fresh;
}

function patchChildren(old, fresh) {
  const wanted = [...fresh.childNodes];
  const there = [...old.childNodes];
  wanted.forEach((node, index) => {
    const before = there[index];
    if (before === undefined) old.append(node);
    else if (before instanceof Element && node instanceof Element) patch(before, node);
    else before.replaceWith(node);
  });
  for (const extra of there.slice(wanted.length)) extra.remove();
}

function isHolder(node) {
  return [...holders].some((name) => node.classList.contains(name));
}

function isSame(old, fresh) {
  if (old.matches(interactive) || old.querySelector(interactive) !== null) return false;
  const plain = (node) => node.outerHTML.replaceAll(/ data-block-id="[^"]*"/g, '');
  return plain(old) === plain(fresh);
}

/** What somebody opened or is scrolled to stays so. */
function takeOver(old, fresh) {
  const opened = [...old.querySelectorAll('details')];
  [...fresh.querySelectorAll('details')].forEach((node, index) => {
    if (opened[index] !== undefined) node.open = opened[index].open;
  });
  const scrolled = old.matches('.table-scroll') ? old.scrollLeft : 0;
  if (scrolled > 0) requestAnimationFrame(() => fresh.scrollTo({ left: scrolled }));
}

function copyAttributes(old, fresh) {
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && name !== 'tabindex') old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) old.setAttribute(name, fresh.getAttribute(name));
}
