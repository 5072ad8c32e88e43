import { loadPolicySecrets } from '../config.ts';
import type { Endpoint } from '../domain/policy.ts';
import { validateDirectory } from '../policies/index.ts';
import { targetSchemas } from '../targets/index.ts';
import { type CliCommand, type Io, parse, UsageError } from './command.ts';
import { createMeasure } from './measure.ts';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const yellow = (text: string) => `\u001b[33m${text}\u001b[39m`;
const green = (text: string) => `\u001b[32m${text}\u001b[39m`;

export const validate: CliCommand = {
  name: 'validate',
  usage: 'DIR [--strict] [--measure]',
  summary:
    'check every policy of a directory: all problems; secrets that are not set, and what could not be noticed in time (--strict fails on these)',
  run: async (args, io) => {
    const options = { strict: { type: 'boolean' }, measure: { type: 'boolean' } } as const;
    const { positionals, values } = parse(args, options, ['DIR']);
    const secrets = loadPolicySecrets(io.env);
    const { measure, close } = createMeasure(prometheusUrl(io, values.measure === true));
    const { lines, warnings, ok } = await validateDirectory(positionals[0] ?? '.', {
      targets: targetSchemas,
      secrets,
      ...(values.measure ? { measure } : {}),
    }).finally(close);
    const passed = ok && !(values.strict && warnings.length > 0);
    const colourOf = { problem: (text: string) => text, warning: yellow, summary: passed ? green : red };
    for (const { level, text } of lines) io.out(io.colours ? colourOf[level](text) : text);
    return passed ? 0 : 1;
  },
};

/** The instance's Prometheus, for policies without their own. */
function prometheusUrl(io: Io, isWanted: boolean): Endpoint | null {
  const url = io.env.PROMETHEUS_URL?.trim();
  if (!isWanted || !url) return null;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new UsageError('PROMETHEUS_URL must be an address that begins with http:// or https://.');
  }
  return { url, headers: {}, tls: { ca: null, cert: null, key: null, insecure: false } };
}
