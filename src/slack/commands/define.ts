import type { Answer, Application } from '../../application/api.ts';
import type { Command } from '../../domain/event.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Actor } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import type { Block } from '../cards/blocks.ts';
import { mentionsKept } from '../cards/people.ts';
import { code, outside } from '../cards/text.ts';
import { nearest } from './suggest.ts';
import type { FlagKind, Words } from './words.ts';

/** What a subcommand answers, to whoever typed it alone. `text` is markdown, escaped. */
export interface Reply {
  readonly text: string;
  readonly blocks?: readonly Block[];
}

export interface ParseContext {
  readonly policies: readonly Policy[];
  /** Unix ms: what "2 h ago" is counted from. */
  readonly nowMs: number;
}

export interface RunContext extends ParseContext {
  readonly application: Application;
  readonly actor: Actor;
  /** Makes what is asked for happen once. */
  readonly key: string;
  /** As typed, with the slash. */
  readonly slash: string;
  /** All subcommands, for help. */
  readonly subcommands: readonly Subcommand[];
}

/** What could not be understood, and what to type instead. Markdown, escaped. */
export class Misunderstood extends Error {
  override readonly name = 'Misunderstood';
}

export interface Definition<T> {
  readonly name: string;
  /** Without the slash and the name: `SERVICE [30m]`. */
  readonly usage: string;
  /** One line for help. */
  readonly summary: string;
  readonly examples?: readonly string[];
  readonly flags?: Readonly<Record<string, FlagKind>>;
  /** Throws Misunderstood. */
  parse(words: Words, context: ParseContext): T;
  run(input: T, context: RunContext): Promise<Reply>;
}

export interface Subcommand extends Omit<Definition<never>, 'parse' | 'run' | 'flags'> {
  readonly flags: Readonly<Record<string, FlagKind>>;
  answer(words: Words, context: RunContext): Promise<Reply>;
}

/** A subcommand of `/rollout`; help, typos and unknown flags are looked after. */
export function defineCommand<T>(definition: Definition<T>): Subcommand {
  const flags = definition.flags ?? {};
  return {
    name: definition.name,
    usage: definition.usage,
    summary: definition.summary,
    examples: definition.examples,
    flags,
    answer: (words, context) => {
      refuseUnknownFlags(words, flags);
      return definition.run(definition.parse(words, context), context);
    },
  };
}

function refuseUnknownFlags(words: Words, flags: Readonly<Record<string, FlagKind>>): void {
  for (const [name, value] of words.flags) {
    const kind = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (kind === undefined) {
      const meant = nearest(name, Object.keys(flags));
      throw new Misunderstood(`There is no ${code(`--${name}`)} here.${meant ? ` Did you mean \`--${meant}\`?` : ''}`);
    }
    if (kind === 'switch' && value !== null) throw new Misunderstood(`\`--${name}\` takes no value.`);
    if (kind !== 'switch' && value === null) throw new Misunderstood(`\`--${name}\` needs something after it.`);
  }
}

/** The service, and the other words. It may be left out where only one policy exists. */
export function takeService(
  words: Words,
  { policies }: ParseContext,
  rest: { atLeast: number; atMost: number },
): { service: string; others: readonly string[] } {
  const names = policies.map((policy) => policy.service);
  const [first, ...others] = words.positional;
  const [only] = names;
  if (only === undefined)
    throw new Misunderstood('No policy is loaded, so there is no service yet. Add one to the policies folder.');
  if (first !== undefined && names.includes(first.toLowerCase())) {
    return { service: first.toLowerCase(), others: counted(others, rest) };
  }
  if (names.length === 1 && words.positional.length <= rest.atMost && words.positional.length >= rest.atLeast) {
    return { service: only, others: words.positional };
  }
  const known = `Services: ${list(names.slice(0, 30).map((name) => code(name)))}.`;
  if (first === undefined) throw new Misunderstood(`Which service? ${known}`);
  const meant = nearest(first, names);
  throw new Misunderstood(
    `There is no service ${code(first)}.${meant ? ` Did you mean ${code(meant)}?` : ''} ${known}`,
  );
}

/** Refuses what is left over: a word that was not understood must not be overlooked. */
export function counted(
  others: readonly string[],
  { atLeast, atMost }: { atLeast: number; atMost: number },
): readonly string[] {
  if (others.length < atLeast) throw new Misunderstood('Something is missing.');
  const extra = others[atMost];
  if (extra !== undefined) {
    throw new Misunderstood(
      `I do not understand ${code(extra)}. A reason goes after \`--reason\`, other options begin with \`--\`.`,
    );
  }
  return others;
}

export function reasonOf(words: Words): string {
  return words.flags.get('reason') ?? '';
}

/** What the application answered, for the person who typed. */
export function told(answer: Answer): Reply {
  if (!answer.ok) return { text: `✋ ${mentionsKept(answer.refusal.text, 2900)}` };
  const again = answer.duplicate ? ' (it was asked for before; nothing was done twice)' : '';
  return { text: `✅ ${outside(answer.text, 2900)}${again}` };
}

/** A subcommand that only gives a command to one service. */
export function serviceCommand(definition: {
  name: string;
  usage: string;
  summary: string;
  examples?: readonly string[];
  flags?: Readonly<Record<string, FlagKind>>;
  rest?: { atLeast: number; atMost: number };
  command(words: Words, others: readonly string[], reason: string): Command;
}): Subcommand {
  return defineCommand({
    ...definition,
    flags: { reason: 'text', ...definition.flags },
    parse: (words, context) => {
      const { service, others } = takeService(words, context, definition.rest ?? { atLeast: 0, atMost: 0 });
      return { service, command: definition.command(words, others, reasonOf(words)) };
    },
    run: async ({ service, command }, { application, actor, key }) =>
      told(await application.command({ service, command, actor, key, once: key })),
  });
}
