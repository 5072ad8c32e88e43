import type { Application, Unmatched } from '../application/api.ts';
import type { Circuit } from '../outbound/breaker.ts';
import type { DegradedMode, Health, HealthPart } from '../ports/health.ts';
import type { Store } from '../ports/store.ts';
import type { PolicyBook } from './policy-book.ts';

/** What an instance says of itself to who operates it. Without secrets; goes over HTTP as JSON. */
export interface DoctorReport {
  readonly atMs: number;
  readonly health: readonly HealthPart[];
  readonly degraded: readonly DegradedMode[];
  /** The embedded database's file, read whole for this report; null or absent: there is none, or it took too long. */
  readonly file?: { readonly ok: boolean; readonly detail: string } | null;
  /** Every host asked so far. */
  readonly circuits: readonly Circuit[];
  readonly policies: {
    readonly inForce: number;
    readonly loadedAtMs: number;
    /** Why the directory as it is now is not in force; null: it is. */
    readonly problem: string | null;
  };
  /** Jobs not done, timers included; null: the database did not say. */
  readonly jobsPending: number | null;
  /** Alerts no policy matched, heard of last first; null: the database did not say. */
  readonly unmatched: readonly Unmatched[] | null;
}

export interface DoctorParts {
  readonly health: Health & { lookAtFile(): Promise<{ readonly ok: boolean; readonly detail: string } | null> };
  readonly circuits: () => readonly Circuit[];
  readonly book: Pick<PolicyBook, 'all' | 'problem' | 'loadedAtMs'>;
  readonly store: Pick<Store, 'jobs'>;
  readonly application: Pick<Application, 'unmatched'>;
  readonly now: () => number;
  readonly onProblem: (error: unknown) => void;
}

const mostUnmatched = 10;

/** A database in trouble is a finding, not the end of the examination. */
export function createDoctor(parts: DoctorParts): () => Promise<DoctorReport> {
  const { health, book } = parts;
  const told = async <T>(asked: Promise<T>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      parts.onProblem(error);
      return null;
    }
  };
  return async () => ({
    atMs: parts.now(),
    health: health.parts(),
    degraded: health.degraded(),
    file: await told(health.lookAtFile()),
    circuits: parts.circuits(),
    policies: { inForce: book.all().length, loadedAtMs: book.loadedAtMs(), problem: book.problem() },
    jobsPending: await told(parts.store.jobs.pending()),
    unmatched: await told(parts.application.unmatched(mostUnmatched)),
  });
}
