import { type Fields, isFields, listOf } from '../fields.ts';
import { checkBlock } from './blocks.ts';
import { Check, plain } from './check.ts';
import { limits } from './limits.ts';

/** What a validation found: Slack's error code, and one line a problem with its JSON pointer. */
export interface Refused {
  code: string;
  errors: string[];
}

type FileReady = (id: string) => boolean;
const everyFile: FileReady = () => true;

/** Checks a message's blocks and its attachments' blocks together; null when Slack would take them. */
export function validateMessage(
  blocks: unknown,
  attachments: unknown = undefined,
  fileReady: FileReady = everyFile,
): Refused | null {
  const check = new Check('message', fileReady);
  if (blocks !== undefined) checkList(check, blocks, '/blocks', limits.blocksPerMessage);
  const own = check.errors.length;
  if (attachments !== undefined) checkAttachments(check, attachments);
  if (check.tables > limits.tablesPerMessage) {
    return { code: 'invalid_attachments', errors: ['only_one_table_allowed', ...check.errors] };
  }
  if (check.charts > limits.chartsPerMessage) {
    check.fail(`no more than ${limits.chartsPerMessage} data_visualization blocks allowed`, '/blocks');
    return { code: 'invalid_blocks', errors: check.errors };
  }
  if (own > 0) return { code: 'invalid_blocks', errors: check.errors };
  if (check.errors.length > 0) return { code: 'invalid_attachments', errors: check.errors };
  if (check.characters > limits.messageBlocksText) {
    const over = `blocks have ${check.characters} characters, more than ${limits.messageBlocksText}`;
    return { code: 'msg_blocks_too_long', errors: [over] };
  }
  return null;
}

function checkList(check: Check, blocks: unknown, at: string, max: number): void {
  check.list(blocks, at, { min: 0, max }).forEach((block, index) => {
    checkBlock(check, block, `${at}/${index}`);
  });
}

function checkAttachments(check: Check, attachments: unknown): void {
  const list = check.list(attachments, '/attachments', { min: 0, max: limits.attachments });
  list.forEach((attachment, index) => {
    const at = `/attachments/${index}`;
    const fields = check.object(attachment, at);
    if (fields?.blocks !== undefined) checkList(check, fields.blocks, `${at}/blocks`, limits.blocksPerMessage);
  });
}

/** Checks a modal or a Home tab; null when Slack would take it. Pointers begin at `/view`. */
export function validateView(view: unknown, type: 'modal' | 'home', fileReady: FileReady = everyFile): Refused | null {
  const check = new Check(type, fileReady);
  const fields = check.object(view, '/view');
  if (fields !== null) {
    if (fields.type !== type) check.fail(`must be a view of type ${type}`, '/view/type');
    if (type === 'modal') checkModal(check, fields);
    else check.onlyFields(fields, '/view', homeFields);
    check.required(fields, '/view', 'blocks');
    if (fields.blocks !== undefined) checkList(check, fields.blocks, '/view/blocks', limits.blocksPerView);
    check.string(fields.private_metadata, '/view/private_metadata', { min: 0, max: limits.privateMetadata });
    check.string(fields.callback_id, '/view/callback_id', { min: 0, max: limits.id });
    check.string(fields.external_id, '/view/external_id', { min: 0, max: limits.id });
    if (JSON.stringify(fields).length > limits.viewBytes) return { code: 'view_too_large', errors: [] };
  }
  return check.errors.length > 0 ? { code: 'invalid_arguments', errors: check.errors } : null;
}

const homeFields = ['type', 'blocks', 'private_metadata', 'callback_id', 'external_id'];
const modalFields = [...homeFields, 'title', 'submit', 'close', 'clear_on_close', 'notify_on_close', 'submit_disabled'];

function checkModal(check: Check, view: Fields): void {
  check.onlyFields(view, '/view', modalFields);
  check.required(view, '/view', 'title');
  for (const name of ['title', 'submit', 'close']) {
    check.text(view[name], `/view/${name}`, { max: limits.viewTitle, types: plain });
  }
  for (const name of ['clear_on_close', 'notify_on_close', 'submit_disabled']) {
    check.boolean(view[name], `/view/${name}`);
  }
  const asks = listOf(view.blocks).some((block) => isFields(block) && block.type === 'input');
  if (asks && view.submit === undefined) {
    check.fail('missing required field: submit (there are input blocks)', '/view');
  }
}
