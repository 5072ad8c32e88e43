import type { Kysely } from 'kysely';

/** One step of the schema. A released one is never edited: the next number changes what it did. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  up(db: Kysely<unknown>): Promise<void>;
}
