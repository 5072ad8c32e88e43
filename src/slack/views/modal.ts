import type { View } from '@slack/web-api';
import { type Block, LIMIT, plain, section } from '../cards/blocks.ts';
import { mentionsKept } from '../cards/people.ts';

export const DECIDE = 'lastgood_decide';

/** A modal's content; `submit` null: it only tells something. */
export interface Modal {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly submit: string | null;
  readonly metadata: string;
}

export function modal({ title, blocks, submit, metadata }: Modal): View {
  const view = {
    type: 'modal',
    callback_id: DECIDE,
    title: plain(title.slice(0, LIMIT.modalTitle)),
    close: plain(submit === null ? 'Close' : 'Cancel'),
    ...(submit === null ? {} : { submit: plain(submit.slice(0, LIMIT.modalTitle)) }),
    private_metadata: metadata,
    blocks,
  };
  return view as unknown as View;
}

/** What is opened at once: the trigger lives 3 s, finding out what will happen may take longer. */
export function loading(title: string): View {
  return modal({ title, blocks: [section('⏳ One moment…')], submit: null, metadata: '' });
}

/** Says something and can only be closed. `text` is from the application: mentions of people are kept. */
export function notice(title: string, emoji: string, text: string): View {
  const blocks = [section(`${emoji} ${mentionsKept(text, LIMIT.text - 10)}`)];
  return modal({ title, blocks, submit: null, metadata: '' });
}
