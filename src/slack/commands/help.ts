import { LIMIT, section } from '../cards/blocks.ts';
import { code, fitted } from '../cards/text.ts';
import { defineCommand, Misunderstood, type Reply, type Subcommand } from './define.ts';
import { nearest } from './suggest.ts';

export const help = defineCommand({
  name: 'help',
  usage: '[SUBCOMMAND]',
  summary: 'This, or more about one of them',
  parse: (words) => ({ about: words.positional[0]?.toLowerCase() ?? null }),
  run: async ({ about }, { slash, subcommands }): Promise<Reply> => {
    if (about === null) return everything(slash, subcommands);
    const found = subcommands.find((one) => one.name === about);
    if (!found) throw new Misunderstood(unknownSubcommand(about, slash, subcommands));
    const examples = (found.examples ?? []).map((example) => `For example \`${slash} ${example}\``);
    return { text: [line(found, slash), ...examples].join('\n') };
  },
});

function everything(slash: string, subcommands: readonly Subcommand[]): Reply {
  const lines = subcommands.map((one) => line(one, slash));
  const text = fitted(
    [
      '*Lastgood* takes a service back to its last known good version.',
      ...lines,
      'Where there is only one service its name may be left out.',
    ].join('\n'),
    LIMIT.text,
  );
  return { text, blocks: [section(text)] };
}

function line(one: Subcommand, slash: string): string {
  return `\`${slash} ${one.name}${one.usage === '' ? '' : ` ${one.usage}`}\` ${one.summary}`;
}

/** What is said to a word that is no subcommand. */
export function unknownSubcommand(typed: string, slash: string, subcommands: readonly Subcommand[]): string {
  const names = subcommands.map((one) => one.name);
  const meant = nearest(typed, names);
  return `There is no ${code(`${slash} ${typed}`)}.${meant ? ` Did you mean \`${slash} ${meant}\`?` : ''} \`${slash} help\` lists everything.`;
}
