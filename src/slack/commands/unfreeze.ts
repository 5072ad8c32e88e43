import { serviceCommand } from './define.ts';

export const unfreeze = serviceCommand({
  name: 'unfreeze',
  usage: 'SERVICE [--reason TEXT]',
  summary: 'Lift the freeze',
  command: (_words, _others, reason) => ({ name: 'unfreeze', reason }),
});
