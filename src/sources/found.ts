import type { GridSeries } from './increase.ts';
import type { Answer } from './prometheus-api.ts';

/** What was found of one query, or why nothing was. */
export type Found = Answer<GridSeries[]>;

/** Something that should not happen: who waits is not to wait for ever. */
export function failed(error: unknown): Found {
  return { ok: false, problem: messageOf(error), wasAnswered: false };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
