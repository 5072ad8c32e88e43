import { serviceCommand } from './define.ts';

export const promote = serviceCommand({
  name: 'promote',
  usage: 'SERVICE [--all] [--reason TEXT]',
  summary: 'Go on: the next step, or all steps (takes the quorum)',
  flags: { all: 'switch' },
  command: (words, _others, reason) => ({ name: 'promote', scope: words.flags.has('all') ? 'all' : 'step', reason }),
});
