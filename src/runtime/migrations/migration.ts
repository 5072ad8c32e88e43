import type { Kysely } from 'kysely';
import type { Engine } from '../engine.ts';

/** One step of the schema. A released one is never edited: the next number changes what it did. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /**
   * The oldest schema a program may know and still work on the result: those run beside this one while an upgrade rolls out. Absent:
   * it is no hindrance to any that knows `needs` at all. Say one only where what was there before is taken away or means something else.
   */
  readonly needs?: number;
  up(db: Kysely<unknown>, engine: Engine['kind']): Promise<void>;
}

/** The column type of a number that the database counts up by itself and never gives out twice. */
export function counted(engine: Engine['kind']): 'integer' | 'bigserial' {
  return engine === 'sqlite' ? 'integer' : 'bigserial';
}
