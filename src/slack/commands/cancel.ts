import { serviceCommand } from './define.ts';

export const cancel = serviceCommand({
  name: 'cancel',
  usage: 'SERVICE [--reason TEXT]',
  summary: 'End a rollout at 0 %, or a question without a rollout',
  command: (_words, _others, reason) => ({ name: 'cancel', reason }),
});
