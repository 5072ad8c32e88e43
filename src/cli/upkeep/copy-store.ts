import { existsSync } from 'node:fs';
import { loadStorePlace } from '../../config.ts';
import { copyIntoPostgres } from '../../runtime/copy.ts';
import { postgresAddress } from '../../runtime/postgres/address.ts';
import { type CliCommand, type Io, parse, UsageError } from '../command.ts';
import { besides } from './besides.ts';
import { databaseFile } from './reach.ts';

export const copyStore: CliCommand = {
  name: 'copy-store',
  usage: '[--from FILE]',
  summary: 'copy everything from the database file of a stopped instance into the empty PostgreSQL of DATABASE_URL',
  run: async (args, io) => {
    const { values } = parse(args, { from: { type: 'string' } }, []);
    const file = values.from ?? databaseFile(io);
    const url = loadStorePlace(io.env).databaseUrl;
    if (url === null) throw new UsageError('DATABASE_URL is missing: it says where to copy to.');
    if (!existsSync(file)) {
      io.err(`There is no database ${file}: name it with --from, or set DATA_DIR as the instance has it.`);
      return 1;
    }
    return copy(io, file, url);
  },
};

async function copy(io: Io, file: string, url: string): Promise<0 | 1> {
  try {
    const copied = await copyIntoPostgres(file, url, { settings: besides(file) });
    const width = Math.max(...copied.map(({ table }) => table.length));
    for (const { table, rows } of copied) io.out(`  ${table.padEnd(width)}  ${rows}`);
    io.out(`Everything in ${file} is in ${postgresAddress(url).name}, counted. The file stays where it is.`);
    io.out('Start instances with DATABASE_URL now, and none with the file any more: it does not follow.');
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.err(error.message);
    return 1;
  }
}
