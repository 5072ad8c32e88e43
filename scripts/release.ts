import { parseArgs } from 'node:util';
import { Problem } from './record/problem.ts';
import { release } from './release/release.ts';

/** `npm run release -- [--dry-run] [--out DIRECTORY]`: makes what is published of a version, and publishes nothing: see release/release.ts. */
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const options = { 'dry-run': { type: 'boolean' }, out: { type: 'string' } } as const;

try {
  const { values } = parseArgs({ options });
  await release({ rehearsal: values['dry-run'] ?? false, out: values.out ?? 'dist/release' }, print);
} catch (error) {
  process.stderr.write(`${error instanceof Problem ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
