import pino from 'pino';
import { type Lines, linesInto, linesThrough } from './lines.ts';

export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly level: string;
  /** Values that must never be written, whatever line they get into. */
  readonly secrets: readonly string[];
  /** Where lines go; absent: standard output, in colours on a terminal. */
  readonly destination?: Lines | undefined;
  /** Lines are lost from now on; called once each time that begins. */
  readonly onLost?: (error: Error) => void;
}

const redacted = '«redacted»';

/** Names that hold a secret in whatever object somebody logs, one and two levels down. */
const secretKeys: ReadonlySet<string> = new Set([
  'authorization',
  'token',
  'botToken',
  'signingSecret',
  'password',
  'secret',
  'routingKey',
  'cookie',
]);
/** Fields of a line in which errors are. */
const errorFields = ['error', 'err'];
/** So many levels of objects below the fields of a line are looked through. */
const LEVELS_BELOW = 2;

/** Shorter values are ordinary words ("on", "1"): to blot them out would make the log unreadable and hide nothing. */
const shortestSecret = 4;

/**
 * The log: one JSON object a line; the secrets of the configuration are blotted out of the finished line. To write to it never throws:
 * where lines cannot go anywhere they are lost, and everything else goes on.
 */
export function createLogger(options: LoggerOptions): Logger {
  const blot = redactor(options.secrets);
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // The log's own way of leaving things out takes its paths apart anew for every line: longer than all else about it.
    formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields, LEVELS_BELOW) },
    serializers: Object.fromEntries(errorFields.map((name) => [name, errorWithoutSecrets])),
    hooks: { streamWrite: blot },
  };
  const onLost = options.onLost ?? (() => undefined);
  return pino(settings, options.destination ? linesThrough(options.destination, onLost) : standardOutput(onLost));
}

/** An error is looked through in the shape it is written in. */
function errorWithoutSecrets(error: unknown): unknown {
  return isObject(error) ? withoutSecrets(pino.stdSerializers.errWithCause(error as Error), LEVELS_BELOW - 1) : error;
}

/** The same object where none of its fields, down to so many levels below, has a name that holds a secret. */
function withoutSecrets<T extends object>(fields: T, levels: number): T {
  let changed: Record<string, unknown> | null = null;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || (levels === LEVELS_BELOW && errorFields.includes(name))) continue;
    const shown = secretKeys.has(name)
      ? redacted
      : levels > 0 && isObject(value)
        ? withoutSecrets(value, levels - 1)
        : value;
    if (shown === value) continue;
    changed ??= (Array.isArray(fields) ? [...fields] : { ...fields }) as Record<string, unknown>;
    changed[name] = shown;
  }
  return (changed ?? fields) as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Replaces every secret in a text, as it is and as JSON and URLs write it. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) forms.add(form);
  }
  // Longest first: a secret that begins like another must not leave its end behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((line, form) => line.replaceAll(form, redacted), text);
}

/** pino-pretty is a development dependency: where it is missing, and wherever nobody watches, lines stay JSON. */
function standardOutput(onLost: (error: Error) => void): pino.DestinationStream {
  if (!process.stdout.isTTY || !isInstalled('pino-pretty')) return linesInto(1, onLost);
  return pino.transport({ target: 'pino-pretty', options: { singleLine: true } });
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
