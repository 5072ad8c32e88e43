import { SlackError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import type { Channel, State } from '../state.ts';
import type { Triggers } from '../triggers.ts';
import type { Views } from '../views.ts';
import type { Arguments } from './arguments.ts';

/** What a method has at hand. */
export interface Call {
  args: Arguments;
  state: State;
  triggers: Triggers;
  views: Views;
  /** The workspace's own address, for links. */
  url: string;
}

/** One Web API method: the answer without `ok`, or a thrown SlackError. */
export type Method = (call: Call) => Fields;
export type Methods = Readonly<Record<string, Method>>;

/** The channel of a call, where the app may read and write. `names`: whether `#name` may be used here. */
export function channelOf(
  call: Call,
  options: { names?: boolean; member?: boolean; archived?: 'refuse' | 'allow' } = {},
): Channel {
  const wanted = call.args.required('channel');
  const channel = options.names === true ? call.state.findChannel(wanted) : call.state.channels.get(wanted);
  if (channel === undefined) throw new SlackError('channel_not_found');
  if (options.member !== false && !channel.botIsMember) throw new SlackError('not_in_channel');
  if (options.archived !== 'allow' && channel.archived) throw new SlackError('is_archived');
  return channel;
}

/** One page of a list: `limit` and `cursor` in, the page and `response_metadata` out. */
export function page<T>(all: readonly T[], args: Arguments, fallback: number, max: number) {
  const limit = args.number('limit', fallback, max);
  const cursor = args.text('cursor');
  let from = 0;
  if (cursor !== undefined && cursor !== '') {
    const match = /^from:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
    if (match === null) throw new SlackError('invalid_cursor');
    from = Number(match[1]);
  }
  const more = from + limit < all.length;
  return {
    items: all.slice(from, from + limit),
    more,
    response_metadata: { next_cursor: more ? Buffer.from(`from:${from + limit}`).toString('base64') : '' },
  };
}
