import { serviceCommand } from './define.ts';

export const freeze = serviceCommand({
  name: 'freeze',
  usage: 'SERVICE [--reason TEXT]',
  summary: 'Nothing is moved automatically until unfreeze',
  command: (_words, _others, reason) => ({ name: 'freeze', reason }),
});
