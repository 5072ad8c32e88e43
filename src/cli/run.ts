import { ConfigError, variables } from '../config.ts';
import { nearest, oneOf } from '../policies/problem.ts';
import { type CliCommand, type ExitCode, type Io, UsageError } from './command.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { serve } from './serve.ts';
import { testAlert } from './test-alert.ts';
import { audit } from './upkeep/audit.ts';
import { backup, restore } from './upkeep/backup.ts';
import { copyStore } from './upkeep/copy-store.ts';
import { journal } from './upkeep/journal.ts';
import { validate } from './validate.ts';
import { version } from './version.ts';

const help: CliCommand = {
  name: 'help',
  usage: '',
  summary: 'this page',
  run: async (_args, io) => {
    helpLines().forEach(io.out);
    return 0;
  },
};

const commands: readonly CliCommand[] = [
  serve,
  demo,
  validate,
  testAlert,
  doctor,
  backup,
  restore,
  copyStore,
  audit,
  journal,
  version,
  help,
];
const aliases: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
};

/** Runs one command line; the answer is the process's exit code. Without a command: help. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [typed = 'help', ...args] = argv;
  const name = aliases[typed] ?? typed;
  const command = commands.find((c) => c.name === name);
  if (!command) {
    const names = commands.map((c) => c.name);
    const meant = nearest(name, names);
    io.err(`There is no command ${name}. ${meant ? `Did you mean ${meant}?` : `It is ${oneOf(names)}.`}`);
    io.err('lastgood help says what each does.');
    return 2;
  }
  if (!command.helpsItself && (args.includes('--help') || args.includes('-h'))) {
    io.out(`lastgood ${command.name} ${command.usage}`.trimEnd());
    io.out(`  ${command.summary}`);
    return 0;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const problem of error.problems) io.err(problem);
      return 1;
    }
    if (!(error instanceof UsageError)) throw error;
    io.err(error.message);
    io.err(`Usage: lastgood ${command.name} ${command.usage}`.trimEnd());
    return 2;
  }
}

function helpLines(): string[] {
  const calls = commands.map((c) => [`${c.name} ${c.usage}`.trimEnd(), c.summary] as const);
  const callWidth = Math.max(...calls.map(([call]) => call.length));
  const nameWidth = Math.max(...variables.map((v) => v.name.length));
  return [
    'Lastgood takes a model, or any service, back to its last known good version, from Slack.',
    '',
    'Usage: lastgood COMMAND',
    ...calls.map(([call, summary]) => `  ${call.padEnd(callWidth)}  ${summary}`),
    '',
    'Environment of serve (secrets also as NAME_FILE, with the path of a file that holds them):',
    ...variables.map((v) => `  ${v.name.padEnd(nameWidth)}  ${v.meaning} (${v.need})`),
    `  ${'LASTGOOD_SECRET_*'.padEnd(nameWidth)}  what policies may refer to as \${LASTGOOD_SECRET_…}`,
    '',
    'Exit codes: 0 done, 1 could not or found problems, 2 not understood.',
  ];
}
