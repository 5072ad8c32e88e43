import { type Ran, run } from './run.ts';

export interface Audit {
  /** `unknown`: nobody could be asked, which is not the same as nothing found. */
  readonly outcome: 'clean' | 'findings' | 'unknown';
  readonly text: string;
}

/** Known weaknesses of everything that is installed to run it and to make it, however slight. */
export async function audited(root: string): Promise<Audit> {
  return judged(await run(root, 'npm', ['audit', '--json']));
}

export function judged({ out, err }: Ran): Audit {
  const report = parsed(out);
  const total = report?.metadata?.vulnerabilities?.total;
  if (typeof total !== 'number') {
    const why = report?.message ?? /npm (?:error|warn) (?!Unknown)(.*)/.exec(err)?.[1] ?? 'no answer that can be read';
    return {
      outcome: 'unknown',
      text: `npm audit: the endpoint could not be asked (${why}). Nothing is known of weaknesses.`,
    };
  }
  if (total === 0) return { outcome: 'clean', text: 'npm audit: no known weakness' };
  const found = Object.values(report?.vulnerabilities ?? {}).map(
    ({ name, severity, range }) => `  ${name} ${range}: ${severity}`,
  );
  return { outcome: 'findings', text: [`npm audit: ${total} known weaknesses`, ...found].join('\n') };
}

interface Report {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: { readonly total?: number } };
  readonly vulnerabilities?: Readonly<Record<string, { name: string; severity: string; range: string }>>;
}

function parsed(out: string): Report | null {
  try {
    return JSON.parse(out) as Report;
  } catch {
    // npm answers an endpoint that is not there in words.
    return null;
  }
}
