import type { Path } from './problem.ts';

export const secretPrefix = 'LASTGOOD_SECRET_';

/** A policy's value with its secrets filled in, and what was wrong with them. */
export interface Resolved {
  readonly value: unknown;
  readonly problems: readonly { readonly path: Path; readonly message: string; readonly unset?: string }[];
  /** The secrets that were filled in, to keep them out of every message. */
  readonly used: readonly { readonly name: string; readonly secret: string }[];
}

/** Sections where a secret is of use, and where nothing shows it. */
const allowedIn: ReadonlySet<string | number | undefined> = new Set(['target', 'prometheus', 'alertmanager']);

/**
 * Fills in `${LASTGOOD_SECRET_…}` wherever a secret may stand. Other variables are refused: a policy comes from a repository
 * many can write to, and must not be able to read the rest of the environment. `$${` is a plain `${`.
 */
export function resolveSecrets(value: unknown, secrets: Readonly<Record<string, string>>): Resolved {
  const problems: { path: Path; message: string; unset?: string }[] = [];
  const used = new Map<string, string>();
  const fill = (text: string, path: Path): string =>
    text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, name: string | undefined, end: string | undefined) => {
      if (name === undefined) return '${';
      const problem = refusal(name, end === '}', path) ?? inAddress(text, whole, path);
      const isUnset = !Object.hasOwn(secrets, name) || secrets[name] === '';
      if (problem !== null || isUnset) {
        problems.push(problem === null ? { path, message: unset(name), unset: name } : { path, message: problem });
        return whole;
      }
      const secret = secrets[name] ?? '';
      used.set(name, secret);
      return secret;
    });
  const walk = (part: unknown, path: Path): unknown => {
    if (typeof part === 'string') return fill(part, path);
    if (Array.isArray(part)) return part.map((item, index) => walk(item, [...path, index]));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  const resolved = walk(value, []);
  return { value: resolved, problems, used: [...used].map(([name, secret]) => ({ name, secret })) };
}

function unset(name: string): string {
  return `\${${name}} is not set: give Lastgood the environment variable ${name}`;
}

function refusal(name: string, closed: boolean, path: Path): string | null {
  if (!closed) return `"\${" is not closed with "}" (write "$\${" for a plain "\${")`;
  if (!name.startsWith(secretPrefix) || !/^\w+$/.test(name)) {
    return `\${${name}} cannot be used here: only variables that begin with ${secretPrefix} can be referred to (write "$\${" for a plain "\${")`;
  }
  const key = path.join('.');
  if (!allowedIn.has(path[0]) && key !== 'escalate.routingKey') {
    return `the secret \${${name}} would be shown to people here: secrets belong into target, prometheus, alertmanager or escalate.routingKey`;
  }
  if ((path[0] === 'prometheus' || path[0] === 'alertmanager') && path[1] === 'url') {
    return `the secret \${${name}} would be logged as part of the address: give it under headers, bearer or basic`;
  }
  return null;
}

const marker = 'lastgood-secret';

/** The host and path of an address stand in every message about it; what is before the host and behind the `?` does not. */
function inAddress(text: string, reference: string, path: Path): string | null {
  const url = path.at(-1) === 'url' ? URL.parse(text.replaceAll(reference, marker)) : null;
  if (!url || !`${url.host}${url.pathname}`.includes(marker)) return null;
  return `the secret ${reference} would be shown as part of the address: give it under headers, or behind a "?"`;
}

/** So much of a secret, in one piece, is not shown either: a message may quote the beginning of a value. */
const pieceLength = 8;

/** The last guard: whatever a message was made of, a secret's value leaves it again. */
export function withoutSecrets(text: string, used: Resolved['used']): string {
  const byLength = used.filter(({ secret }) => secret.length >= 3).sort((a, b) => b.secret.length - a.secret.length);
  const named = byLength.reduce((result, { name, secret }) => result.replaceAll(secret, `\${${name}}`), text);
  const leaking = byLength.find(({ secret }) => pieces(secret).some((piece) => named.includes(piece)));
  return leaking ? `cannot be used with what \${${leaking.name}} holds` : named;
}

function pieces(secret: string): string[] {
  return Array.from({ length: Math.max(0, secret.length - pieceLength + 1) }, (_, at) =>
    secret.slice(at, at + pieceLength),
  );
}
