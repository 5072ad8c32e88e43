import { hash } from 'node:crypto';
import type { CardRef } from '../../domain/effect.ts';
import type { ServiceState } from '../../domain/state.ts';
import type { CardView, ChatMessage, MessageAddress } from '../../ports/chat.ts';
import { PortError } from '../../ports/failure.ts';
import { cardMessageId, type Haste, type MessageEntry } from '../../ports/store.ts';
import { alwaysOurs, LeaseLost, type StillOurs, type World } from './performer.ts';
import { presentPolicy } from './policy.ts';

/** The card as it has to look now, and where it is to be; null: what it was about is long past and forgotten. */
export async function cardOf(world: World, card: CardRef, state: ServiceState): Promise<ChatMessage | null> {
  const view = viewOf(card, state, await presentPolicy(world, state));
  if (!view) return null;
  const { channel } = view.policy;
  return { id: cardMessageId(card), channel, thread: null, content: { kind: 'card', view } };
}

export function viewOf(card: CardRef, state: ServiceState, policy: CardView['policy']): CardView | null {
  const rollouts = [...state.past.rollouts, ...(state.rollout ? [state.rollout] : [])];
  const degradations = [...state.past.degradations, ...(state.degradation ? [state.degradation] : [])];
  if (card.kind === 'rollout') {
    const rollout = rollouts.findLast(({ id }) => id === card.id);
    if (!rollout) return null;
    const degradation = degradations.findLast(({ rolloutId }) => rolloutId === rollout.id) ?? null;
    return { card, policy, state, rollout, degradation, current: state.rollout?.id === rollout.id };
  }
  const degradation = degradations.findLast(({ id }) => id === card.id);
  if (!degradation) return null;
  const rollout = rollouts.findLast(({ id }) => id === degradation.rolloutId) ?? null;
  return { card, policy, state, rollout, degradation, current: state.degradation?.id === degradation.id };
}

/** Slack takes a post within some hundred milliseconds, and with it what this machine's network still holds back. */
const ON_ITS_WAY_MS = 5_000;

/** What saying something takes. */
export type Speaking = Pick<World, 'store' | 'chat' | 'clock' | 'telemetry'>;

/**
 * Brings a message to what it has to say and answers where it stands. The intent is written down before the post: a post of
 * which only that is known is looked for before it is sent again. What says the same already is left alone. `unhurried` is for jobs
 * only: the intent need not be on the disk, for what a job left behind may have posted is begun when the next process starts.
 */
export async function bring(
  world: Speaking,
  message: ChatMessage,
  signal: AbortSignal,
  stillOurs: StillOurs = alwaysOurs,
  haste: Haste = 'flushed',
): Promise<MessageAddress> {
  const book = world.store.messages;
  const { entry, address, refused } = await standing(world, message, { signal, haste });
  const posting: Posting = { signal, stillOurs, haste, isNew: entry === null };
  if (!address) return post(world, message, posting, refused);
  const digest = digestOf(message);
  if (entry?.digest === digest) return address;
  await stillOurs();
  try {
    await world.chat.update(address, message, signal);
  } catch (error) {
    tellPermanent(world, `update ${message.id}`, error);
    // Deleted, or too old to be edited: people still need one to act on. Were nothing taken from us at all, it stands as it stood.
    return post(world, message, posting, () => book.posted(message.id, address, '', haste));
  }
  // Where another has gone on meanwhile, what it showed last may be covered by this: the next one draws it anew.
  const isLate = await lostMeanwhile(stillOurs);
  await book.posted(message.id, address, isLate ? '' : digest, haste);
  if (isLate) throw new LeaseLost();
  return address;
}

interface Standing {
  /** Null: nothing is known of it. */
  readonly entry: MessageEntry | null;
  /** Null: nowhere. */
  readonly address: MessageAddress | null;
  /** What is known again where the chat refuses a post. */
  refused(): Promise<void>;
}

async function standing(
  world: Speaking,
  message: ChatMessage,
  { signal, haste }: Pick<Posting, 'signal' | 'haste'>,
): Promise<Standing> {
  const book = world.store.messages;
  const entry = await book.get(message.id);
  const refused = () => book.forget(message.id, haste);
  if (!entry) return { entry, address: null, refused };
  if (entry.state === 'posted') return { entry, address: entry.address, refused };
  try {
    const found = await world.chat.find(message, signal);
    // What it says there is not known: it is brought to the present.
    if (found) await book.posted(message.id, found, '', haste);
    else await waitForArrival(world, message, entry.atMs);
    return { entry, address: found, refused };
  } catch (error) {
    tellPermanent(world, `find ${message.id}`, error);
    // It can never be looked for (no right to read there): twice is better than not at all.
    return { entry, address: null, refused: async () => undefined };
  }
}

/** That it is not there yet says nothing while a post, of a process that died meanwhile too, may still be on its way. */
async function waitForArrival({ clock, store }: Speaking, { id }: ChatMessage, begunAtMs: number): Promise<void> {
  const sinceMs = clock.now() - begunAtMs;
  if (sinceMs >= ON_ITS_WAY_MS) return;
  // Begun in the future: the clock was set back, and nothing is known of how long ago it was. It counts from now.
  if (sinceMs < 0) await store.messages.begin(id, clock.now());
  const problem = `${id} is not there, but its post may still arrive. Looking once more before it is sent again.`;
  throw new PortError('ambiguous', problem, { retryAfterMs: ON_ITS_WAY_MS - Math.max(0, sinceMs) });
}

interface Posting {
  readonly signal: AbortSignal;
  readonly stillOurs: StillOurs;
  readonly haste: Haste;
  /** Nothing was known of it. */
  readonly isNew: boolean;
}

async function post(
  world: Speaking,
  message: ChatMessage,
  { signal, stillOurs, haste, isNew }: Posting,
  refused: () => Promise<void>,
): Promise<MessageAddress> {
  const book = world.store.messages;
  await stillOurs();
  await book.begin(message.id, world.clock.now(), isNew ? haste : 'flushed');
  await stillOurs();
  let address: MessageAddress;
  try {
    address = await world.chat.post(message, signal);
  } catch (error) {
    if (error instanceof PortError && error.failure !== 'ambiguous') await refused();
    throw error;
  }
  if (await lostMeanwhile(stillOurs)) {
    await takeBack(world, message, address, signal);
    throw new LeaseLost();
  }
  await book.posted(message.id, address, digestOf(message), haste);
  return address;
}

/** We stood still while it was on its way. */
async function lostMeanwhile(stillOurs: StillOurs): Promise<boolean> {
  try {
    await stillOurs();
    return false;
  } catch (error) {
    if (error instanceof LeaseLost) return true;
    throw error;
  }
}

/** Another replica did not find ours, because it was not there yet, and posted its own: people are to see one. */
async function takeBack(
  world: Speaking,
  message: ChatMessage,
  ours: MessageAddress,
  signal: AbortSignal,
): Promise<void> {
  const known = await world.store.messages.get(message.id);
  const isTwice = known?.state === 'posted' && known.address !== null && known.address.ts !== ours.ts;
  if (isTwice) await world.chat.remove?.(ours, message, signal);
}

/** What passes is for the next try; only what will not is for us to go round. */
function tellPermanent(world: Speaking, where: string, error: unknown): void {
  if (!(error instanceof PortError) || error.failure !== 'permanent') throw error;
  world.telemetry.problem(where, error);
}

/** Of what is shown, so that what only keeps count (clock, sequence, timers) is no reason for an update. */
function digestOf(message: ChatMessage): string {
  const { content } = message;
  const shown = 'view' in content ? { ...content, view: shownOf(content.view) } : content;
  return hash('sha256', JSON.stringify(shown), 'base64url');
}

function shownOf({ card, policy, state, rollout, degradation, current }: CardView) {
  const { freeze, automationOff, alerts, served, shift } = state;
  const standing = { freeze, automationOff, alerts, served, shift: shift?.split ?? null };
  return { card, policy: policy.revision, mode: policy.mode, standing, rollout, degradation, current };
}
