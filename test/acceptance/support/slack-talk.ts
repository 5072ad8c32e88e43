import type { ApiCall, Message, Workspace } from '../../../src/workspace/index.ts';

/** The id the app gave a message in its metadata; null: it is not one of its own. */
export function idOf(message: Pick<Message, 'metadata'>): string | null {
  const id = message.metadata?.event_payload.id;
  return typeof id === 'string' ? id : null;
}

/** The id in the metadata of a call that posts or updates. */
export function idIn(call: Pick<ApiCall, 'arguments'>): string | null {
  const { metadata } = call.arguments;
  if (metadata === undefined) return null;
  const read = typeof metadata === 'string' ? JSON.parse(metadata) : metadata;
  return idOf({ metadata: read });
}

/** The id in the body of a request to Slack's API as it crosses: JSON where it is a message's, else a form. */
export function idInBody(body: string): string | null {
  if (body.startsWith('{')) return idIn({ arguments: JSON.parse(body) });
  const metadata = new URLSearchParams(body).get('metadata');
  return metadata === null ? null : idIn({ arguments: { metadata } });
}

/** Everything in a channel, threads included. */
export function everything(workspace: Workspace, channel: string): Message[] {
  return workspace
    .messages(channel)
    .flatMap((parent) => [parent, ...workspace.thread(channel, parent.ts).filter(({ ts }) => ts !== parent.ts)]);
}

/** The card with this id (`card/fraud-scorer-d1`); undefined: it is not there yet. */
export function cardOf(workspace: Workspace, channel: string, id: string): Message | undefined {
  return workspace.messages(channel).find((message) => idOf(message) === id);
}

/** The labels of all buttons of a message, in order. */
export function buttonsOf(message: Message): string[] {
  const elements = (message.blocks ?? []).flatMap((block) => (Array.isArray(block.elements) ? block.elements : []));
  return elements
    .filter((element: { type?: unknown }) => element.type === 'button')
    .map((element: { text: { text: string } }) => element.text.text);
}

export function hasTable(blocks: unknown): boolean {
  const list = typeof blocks === 'string' ? JSON.parse(blocks) : blocks;
  return (
    Array.isArray(list) &&
    list.some((block: { type?: unknown; rows?: unknown[] }) => {
      return block.type === 'table' && (block.rows?.length ?? 0) > 1;
    })
  );
}
