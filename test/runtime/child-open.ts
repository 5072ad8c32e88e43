import { openStore } from '../../src/runtime/store.ts';

// A process of its own for the tests: `hold` keeps the file open, `try` says whether it could open it.
const [mode, file] = process.argv.slice(2);
if (!mode || !file) throw new Error('usage: child-open.ts hold|try FILE');
try {
  const store = await openStore(file);
  process.stdout.write('open\n');
  if (mode === 'hold') setInterval(() => undefined, 60_000);
  else await store.close();
} catch (error) {
  process.stdout.write(`refused: ${error instanceof Error ? error.message : String(error)}\n`);
}
