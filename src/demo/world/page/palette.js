import { h } from './dom.js';

const names = {
  stable: '--stable',
  candidate: '--candidate',
  stableBand: '--stable-band',
  candidateBand: '--candidate-band',
  stream: '--sunken',
  failed: '--failed',
  slow: '--slow',
  wrong: '--wrong',
  line: '--line',
  grid: '--grid',
  text: '--text',
  soft: '--soft',
  alarm: '--alarm',
  moving: '--moving',
};

let known = null;
const listeners = new Set();

/** The style sheet's colours as a canvas understands them, in the theme in force. */
export function palette() {
  known ??= read();
  return known;
}

/** Calls back whenever the theme changes, by the visitor's system or by the page's `data-theme`. */
export function onTheme(listener) {
  listeners.add(listener);
}

function read() {
  const probe = h('i', { hidden: true });
  document.body.append(probe);
  const entries = Object.entries(names).map(([name, variable]) => {
    probe.style.color = `var(${variable})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries);
}

function changed() {
  known = null;
  for (const listener of listeners) listener();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ['data-theme'] });
