import { createInterface } from 'node:readline';
import { type CliCommand, parse, UsageError } from '../command.ts';
import { reachStore } from './reach.ts';
import { said } from './said.ts';

const options = { service: { type: 'string' }, database: { type: 'string' } } as const;

export const journal: CliCommand = {
  name: 'journal',
  usage: 'export [--service SERVICE] [--database FILE]',
  summary: 'the journal as JSON lines, oldest first within a service, with the hash of each row',
  run: (args, io) =>
    said(io, async () => {
      const { values, positionals } = parse(args, options, ['export']);
      if (positionals[0] !== 'export') throw new UsageError(`There is nothing to do with ${positionals[0]}.`);
      const store = await reachStore(io, values.database);
      try {
        const lines = createInterface({ input: await store.journal(values.service ?? null), crlfDelay: Infinity });
        for await (const line of lines) io.out(line);
        return 0;
      } finally {
        await store.close();
      }
    }),
};
