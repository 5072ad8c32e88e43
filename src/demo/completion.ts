import type { CommandCompletion } from '../workspace/index.ts';
import { SERVICE, VERSIONS } from './scenario.ts';

/** What the page offers while `/rollout` is typed: what the command itself understands, and the names of this demo. */
export async function rolloutCompletion(): Promise<CommandCompletion> {
  // Loaded when first typed: the page is open before Lastgood itself is.
  const { SUBCOMMANDS } = await import('../slack/commands/index.ts');
  return {
    subcommands: SUBCOMMANDS.map(({ name, usage, summary }) => ({ name, usage, summary })),
    words: {
      SERVICE: [{ value: SERVICE, note: 'Scores card payments' }],
      VERSION: VERSIONS.map((value, index) => ({ value, note: index === 0 ? 'served all traffic at first' : '' })),
    },
  };
}
