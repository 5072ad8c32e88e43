import type { Fields } from './fields.ts';

/** An answer of the form `{ok: false, error}`; with `errors`, Slack repeats them in `response_metadata`. */
export class SlackError extends Error {
  readonly code: string;
  readonly extra: Fields;

  constructor(code: string, details: { errors?: string[]; extra?: Fields } = {}) {
    super(code);
    this.code = code;
    const errors = details.errors ?? [];
    this.extra = {
      ...(errors.length > 0
        ? {
            // View errors come as messages only; block errors also as a list of their own.
            ...(code === 'invalid_arguments' ? {} : { errors }),
            response_metadata: { messages: errors.map((error) => `[ERROR] ${error}`) },
          }
        : {}),
      ...details.extra,
    };
  }
}

/** What is missing from the arguments of a call, in Slack's form. */
export function missing(name: string): SlackError {
  return new SlackError('invalid_arguments', { errors: [`missing required field: ${name}`] });
}
