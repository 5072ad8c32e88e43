import { serviceCommand } from './define.ts';

export const ack = serviceCommand({
  name: 'ack',
  usage: 'SERVICE [--reason TEXT]',
  summary: 'Say that you are on it; moves the deadline once',
  command: (_words, _others, reason) => ({ name: 'acknowledge', reason }),
});
