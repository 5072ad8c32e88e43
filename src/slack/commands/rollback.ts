import { serviceCommand } from './define.ts';

export const rollback = serviceCommand({
  name: 'rollback',
  usage: 'SERVICE [--now] [--to VERSION] [--reason TEXT]',
  summary: 'Go back by phases, or with --now at once',
  examples: ['rollback fraud-scorer --now --reason errors doubled'],
  flags: { now: 'switch', to: 'value' },
  command: (words, _others, reason) => ({
    name: 'rollback',
    pace: words.flags.has('now') ? 'at-once' : 'phased',
    to: words.flags.get('to') ?? null,
    reason,
  }),
});
