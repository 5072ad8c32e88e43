import type { CliCommand } from './command.ts';

export const demo: CliCommand = {
  name: 'demo',
  usage: '',
  summary: 'a degradation and its rollback on this machine, without any account',
  // Loaded only when asked for: an instance in production never needs it.
  run: async (args) => {
    const { runDemo } = await import('../demo/main.ts');
    await runDemo([...args]);
    return 0;
  },
};
