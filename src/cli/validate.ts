import { loadPolicySecrets } from '../config.ts';
import { validateDirectory } from '../policies/index.ts';
import { targetSchemas } from '../targets/index.ts';
import { type CliCommand, parse } from './command.ts';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const green = (text: string) => `\u001b[32m${text}\u001b[39m`;

export const validate: CliCommand = {
  name: 'validate',
  usage: 'DIR',
  summary: 'check every policy of a directory: all problems with file, line and column',
  run: async (args, io) => {
    const { positionals } = parse(args, {}, ['DIR']);
    const secrets = loadPolicySecrets(io.env);
    const { text, ok } = await validateDirectory(positionals[0] ?? '.', { targets: targetSchemas, secrets });
    const lines = text.split('\n');
    for (const line of lines.slice(0, -1)) io.out(line);
    const summary = lines.at(-1) ?? '';
    io.out(io.colours ? (ok ? green : red)(summary) : summary);
    return ok ? 0 : 1;
  },
};
