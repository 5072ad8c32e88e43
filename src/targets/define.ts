import { z } from 'zod';
import type { Http } from '../outbound/http.ts';
import { PortError } from '../ports/failure.ts';
import type { Target } from '../ports/target.ts';

/** What a target may use of the app. */
export interface TargetDeps {
  readonly http: Http;
}

/** A kind of target as the registry knows it: everything else (validation, docs, contract suite) derives from it. */
export interface TargetKind {
  /** The word in a policy's `target.kind`. */
  readonly kind: string;
  /** `switch`: all or nothing. */
  readonly steps: Target['steps'];
  /** Checks the adapter's own keys of a policy's `target`. What it lets through it lets through again: it changes nothing but defaults. */
  readonly config: z.ZodType;
  /** @param config as it stands in the policy, secrets resolved. Throws PortError (permanent) where the schema refuses it. */
  connect(config: unknown, deps: TargetDeps): Target;
}

/** Makes a kind of target from its schema and its connection; the types of one follow from the other. */
export function defineTarget<Config extends z.ZodType>(definition: {
  readonly kind: string;
  readonly steps: Target['steps'];
  readonly config: Config;
  connect(config: z.output<Config>, deps: TargetDeps): Omit<Target, 'kind' | 'steps'>;
}): TargetKind {
  const { kind, steps } = definition;
  return {
    kind,
    steps,
    config: definition.config,
    connect(config, deps) {
      const checked = definition.config.safeParse(config);
      if (!checked.success) {
        throw new PortError(
          'permanent',
          `The ${kind} target's settings are not valid:\n${z.prettifyError(checked.error)}`,
        );
      }
      return { kind, steps, ...definition.connect(checked.data, deps) };
    },
  };
}
