/** Added to the page by the test: what was ever shown, in order, however shortly; whoever looks may look a little late. */
globalThis.shown = { shares: [], buttons: [] };
const record = (list, value) => {
  if (list.at(-1) !== value) list.push(value);
};
new MutationObserver(() => {
  // In the panel: the candidate's share.
  const share = /^\d+/.exec(document.querySelector('[data-testid=share-candidate]')?.textContent ?? '')?.[0];
  if (share !== undefined) record(globalThis.shown.shares, Number(share));
  // In the channel: what can be pressed on the question's card.
  const messages = [...document.querySelectorAll('[data-testid=messages] [data-testid=message]')];
  const card = messages.findLast((message) => message.textContent.includes('fraud-scorer-d1'));
  const labels = [...(card?.querySelectorAll('[data-testid=button]') ?? [])].map((button) => button.textContent);
  if (card) record(globalThis.shown.buttons, labels.join(', '));
}).observe(document, { subtree: true, childList: true, characterData: true });
