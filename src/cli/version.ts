import { readFileSync } from 'node:fs';
import type { CliCommand } from './command.ts';

export const version: CliCommand = {
  name: 'version',
  usage: '',
  summary: 'the version of Lastgood and of Node',
  run: async (_args, io) => {
    io.out(`lastgood ${ownVersion()} (Node ${process.versions.node})`);
    return 0;
  },
};

/** As the package says; src/cli/ and dist/cli/ lie equally deep. */
function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}
