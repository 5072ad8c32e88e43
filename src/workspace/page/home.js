import { renderBlocks } from './blocks.js';
import { h } from './dom.js';
import { keepingFocus } from './tools.js';

/** Draws the app's Home tab of this person. */
export function drawHome(store, view) {
  if (store.place !== 'home') return;
  const box = document.getElementById('messages');
  if (view === null) {
    const text = `${store.bot.name} has not published a Home tab for you yet.`;
    box.replaceChildren(h('div', { class: 'empty', 'data-testid': 'home' }, text));
    return;
  }
  const context = {
    target: view.id,
    directory: store.directory,
    use: (block, element, chosen) => store.use(view.id, block, element, chosen),
    value: (block, element) => view.state.values[block.block_id]?.[element.action_id],
    refresh: () => store.loadHome(),
  };
  const home = h('div', { class: 'home', 'data-testid': 'home' }, renderBlocks(view.blocks, context));
  keepingFocus(box, () => box.replaceChildren(home));
}
