import type { CardRef, JournalEntry } from '../domain/effect.ts';
import type { Policy } from '../domain/policy.ts';
import type { Degradation, Rollout, ServiceState } from '../domain/state.ts';

/** Where people are told and asked. Throws PortError; an ambiguous post is looked for with `find` before it is sent again. */
export interface Chat {
  post(message: ChatMessage, signal: AbortSignal): Promise<MessageAddress>;
  /** How long a post of it would have to wait for the chat's limits, in ms, as far as that is known; 0: not at all. Absent: never. */
  waitMs?(message: ChatMessage): number;
  /** Brings an existing message to new content; may be repeated. */
  update(address: MessageAddress, message: ChatMessage, signal: AbortSignal): Promise<void>;
  /** Takes back a message of ours that was posted once too often; absent: it cannot. */
  remove?(address: MessageAddress, message: ChatMessage, signal: AbortSignal): Promise<void>;
  /** Looks for a message by our own id (metadata); null: it is not there. */
  find(message: ChatMessage, signal: AbortSignal): Promise<MessageAddress | null>;
}

export interface MessageAddress {
  readonly channel: string;
  readonly ts: string;
}

/** What is to be said, as data; the adapter draws it. */
export interface ChatMessage {
  /** Our id, unique for ever: `card/fraud-scorer-d5`, `say/fraud-scorer/1234`, `report/fraud-scorer-d5`. Goes into the metadata. */
  readonly id: string;
  readonly channel: string;
  /** Parent for what belongs in a thread; null: a message of its own. */
  readonly thread: MessageAddress | null;
  readonly content: ChatContent;
}

export type ChatContent =
  | { readonly kind: 'card'; readonly view: CardView }
  | { readonly kind: 'entry'; readonly entry: JournalEntry }
  /** Plain text of several lines that no card stands for. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'report'; readonly view: CardView; readonly journal: readonly JournalEntry[] };

/** Everything a card is a function of. */
export interface CardView {
  readonly card: CardRef;
  readonly policy: Policy;
  readonly state: ServiceState;
  /** The rollout the card is about, or that its degradation belongs to. */
  readonly rollout: Rollout | null;
  readonly degradation: Degradation | null;
  /** False: a later card has taken over, no buttons. */
  readonly current: boolean;
}
