import type { Telemetry } from '../ports/telemetry.ts';

/** What a watcher calls without waiting for an answer. */
type Told<T> = { [Name in keyof T]: T[Name] extends (...told: never[]) => void ? T[Name] : never };

/**
 * The same telemetry, keeping the port's word that it never throws: much of it is called after a decision, where nobody could catch
 * anything and the process would end. Each call that fails is told once as a problem, not at every decision.
 */
export function unfailing<T extends Pick<Telemetry, 'problem'>>(telemetry: Told<T>): T {
  const failed = new Set<string>();
  const tellOf = (name: string, cause: unknown) => {
    if (failed.has(name)) return;
    failed.add(name);
    const why = cause instanceof Error ? cause.message : String(cause);
    telemetry.problem('telemetry', new Error(`${name} could not be counted or written: ${why}`, { cause }));
  };
  const guarded = ([name, call]: [string, unknown]) => {
    const told = (...args: unknown[]): void => {
      try {
        (call as (...args: unknown[]) => void)(...args);
      } catch (error) {
        try {
          tellOf(name, error);
        } catch {
          // It was `problem` itself: there is nobody left to tell.
        }
      }
    };
    return [name, told] as const;
  };
  return Object.fromEntries(Object.entries(telemetry).map(guarded)) as T;
}
