import { missing, SlackError } from '../errors.ts';
import { type Fields, objectsOf } from '../fields.ts';
import { checkedThread, postAsApp } from '../posting.ts';
import type { State, StoredFile } from '../state.ts';
import type { Call, Methods } from './method.ts';

const defaultReadyAfterMs = 1500;

/** Content types a browser may show; everything else is offered as a download. */
export const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
};

export function extensionOf(name: string): string {
  return name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '';
}

function fileFields(state: State, file: StoredFile, url: string): Fields {
  const ready = state.fileReady(file.id);
  const extension = extensionOf(file.name);
  const address = `${url}/files/${file.id}/${encodeURIComponent(file.name)}`;
  return {
    id: file.id,
    created: Math.floor(state.now() / 1000),
    timestamp: Math.floor(state.now() / 1000),
    name: file.name,
    title: file.title,
    // Not known until the upload was looked at.
    mimetype: ready ? (imageTypes[extension] ?? 'application/octet-stream') : '',
    filetype: ready ? extension : '',
    pretty_type: ready ? extension.toUpperCase() : '',
    user: state.botUserId,
    user_team: state.teamId,
    editable: false,
    size: file.bytes?.length ?? 0,
    mode: 'hosted',
    is_external: false,
    external_type: '',
    is_public: false,
    public_url_shared: false,
    display_as_bot: false,
    username: '',
    url_private: address,
    url_private_download: address,
    permalink: address,
    permalink_public: address,
    channels: [],
    groups: [],
    ims: [],
    shares: {},
    comments_count: 0,
    is_starred: false,
    has_rich_preview: false,
    file_access: 'visible',
  };
}

function complete(call: Call): Fields {
  const { state, args } = call;
  const wanted = objectsOf(args.json('files'));
  if (wanted.length === 0) throw missing('files');
  const files = wanted.map((one) => {
    const file = state.files.get(String(one.id));
    if (file === undefined || file.bytes === null) throw new SlackError('file_not_found');
    if (file.completed) throw new SlackError('file_already_completed');
    return { file, title: typeof one.title === 'string' ? one.title : file.name };
  });
  const readyAfterMs = state.options.fileReadyAfterMs ?? defaultReadyAfterMs;
  for (const { file, title } of files) {
    file.completed = true;
    file.title = title;
    file.readyAt = state.now() + readyAfterMs;
  }
  const channelId = args.text('channel_id');
  if (channelId !== undefined) {
    const channel = state.channels.get(channelId);
    if (channel === undefined) throw new SlackError('channel_not_found');
    const thread = checkedThread(state, channel, args.text('thread_ts'));
    const text = args.text('initial_comment') ?? '';
    // Sharing happens later, as in Slack: the answer does not wait for it.
    setTimeout(() => {
      const shown = files.map(({ file }) => fileFields(state, file, call.url));
      const content = { text, blocks: undefined, attachments: undefined };
      postAsApp(state, channel, content, { files: shown, ...(thread === undefined ? {} : { thread }) });
    }, readyAfterMs).unref();
  }
  return { files: files.map(({ file }) => fileFields(state, file, call.url)) };
}

export const fileMethods: Methods = {
  'files.getUploadURLExternal': (call) => {
    const name = call.args.required('filename');
    const length = Number(call.args.required('length'));
    if (!Number.isInteger(length) || length < 1) {
      throw new SlackError('invalid_arguments', {
        errors: ['length must be the size in bytes [json-pointer:/length]'],
      });
    }
    const file: StoredFile = {
      id: call.state.nextId('F'),
      name,
      title: name,
      bytes: null,
      expectedLength: length,
      uploadToken: call.state.secret(),
      completed: false,
      readyAt: null,
    };
    call.state.files.set(file.id, file);
    return { upload_url: `${call.url}/upload/${file.uploadToken}`, file_id: file.id };
  },
  'files.completeUploadExternal': complete,
  'files.info': (call) => {
    const file = call.state.files.get(call.args.required('file'));
    if (file === undefined || !file.completed) throw new SlackError('file_not_found');
    return { file: fileFields(call.state, file, call.url), comments: [], response_metadata: { next_cursor: '' } };
  },
};

/** Takes the bytes of an upload; they must be as many as were announced. */
export function takeUpload(state: State, token: string, bytes: Buffer): { status: number; body: string } {
  const file = [...state.files.values()].find((one) => one.uploadToken === token);
  if (file === undefined || file.completed) return { status: 404, body: 'This upload address is not known.' };
  if (bytes.length !== file.expectedLength) {
    return { status: 400, body: `Expected ${file.expectedLength} bytes, as announced, and got ${bytes.length}.` };
  }
  file.bytes = bytes;
  return { status: 200, body: `OK - ${bytes.length}` };
}
