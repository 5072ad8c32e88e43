import { byId, h, percent, setText } from './dom.js';
import { isUnmeasured, newestOf } from './newest.js';

const parts = {};

/**
 * The split and what fails of each version, in sight wherever the page is scrolled to. Only for the eye: the live traffic below has
 * the same as text.
 */
export function drawGauge(state) {
  if (!parts.stable) build();
  for (const role of ['stable', 'candidate']) {
    const { version, percent: share } = state.split[role];
    const { box, name, worst } = parts[role];
    box.style.flexGrow = String(share);
    box.classList.toggle('gone', share === 0);
    setText(name, share === 0 ? '' : `${version ?? role} ${share}\u00a0%`);
    setText(worst, share === 0 ? '' : isUnmeasured(state, version) ? '–' : trouble(newestOf(state, version)));
  }
}

function build() {
  for (const role of ['stable', 'candidate']) {
    const name = h('b');
    const worst = h('span');
    parts[role] = { box: h('div', { class: role }, name, worst), name, worst };
  }
  byId('gauge').replaceChildren(parts.stable.box, parts.candidate.box);
}

/** The worst of its newest second, where there is anything to say. */
function trouble(point) {
  if (!point) return '';
  const shares = [
    ['failed', point.errorShare],
    ['slow', point.slowShare],
    ['wrong', point.wrongShare],
  ].filter(([, share]) => (share ?? 0) >= 0.05);
  const [worst] = shares.sort(([, a], [, b]) => b - a);
  return worst ? `${percent(worst[1])} ${worst[0]}` : '';
}
