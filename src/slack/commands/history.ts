import { LIMIT, section } from '../cards/blocks.ts';
import { EMOJI } from '../cards/entry.ts';
import { code, moment, outside } from '../cards/text.ts';
import { servedLine } from '../cards/way-back.ts';
import { defineCommand, takeService } from './define.ts';

const ENTRIES = 20;
const LINE = 300;
const VERSIONS = 8;

export const history = defineCommand({
  name: 'history',
  usage: 'SERVICE',
  summary: 'What served, and the last entries of the journal, newest first',
  parse: (words, context) => takeService(words, context, { atLeast: 0, atMost: 0 }),
  run: async ({ service }, { application }) => {
    const stored = await application.history(service, ENTRIES);
    const status = await application.status(service);
    const served = status ? servedLine(status, VERSIONS) : '';
    if (stored.length === 0)
      return { text: [`Nothing has happened to ${code(service)} yet.`, served].filter((s) => s !== '').join('\n') };
    const lines = [`*${outside(service, 80)}*, newest first`, ...(served === '' ? [] : [served])];
    let size = lines.join('\n').length;
    for (const { entry } of stored) {
      const line = `${moment(entry.atMs, 'day')} ${EMOJI[entry.what] ?? '•'} ${outside(entry.text, LINE)}`;
      size += line.length + 1;
      if (size > LIMIT.text) break;
      lines.push(line);
    }
    const text = lines.join('\n');
    return { text, blocks: [section(text)] };
  },
});
