import { serviceCommand } from './define.ts';

export const resume = serviceCommand({
  name: 'resume',
  usage: 'SERVICE [--reason TEXT]',
  summary: 'End a hold or a pause, try again what is stuck',
  command: (_words, _others, reason) => ({ name: 'resume', reason }),
});
