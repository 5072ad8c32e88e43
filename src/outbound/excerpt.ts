const excerptLength = 200;
const shortestSecret = 4;
const shortestPart = 8;

/** A short piece of an answer that may stand in an error message: one line, without control characters, without `secrets`. */
export function excerpt(text: string, secrets: readonly string[]): string {
  const line = withoutControls(redact(text, secrets));
  // Twice: control characters within a secret must not save it.
  const safe = redact(line, secrets);
  return safe.length > excerptLength ? `${safe.slice(0, excerptLength)}…` : safe;
}

/** Replaces every occurrence of the secrets, also where they are escaped as in JSON or in a URL. */
export function redact(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) {
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])) {
      safe = safe.replaceAll(form, '[redacted]');
    }
  }
  return safe;
}

/** Secrets that can be blotted out without making a text unreadable; longest first, so that a part never spoils the whole. */
export function longEnough(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret.length >= shortestSecret).sort((a, b) => b.length - a.length);
}

/**
 * What of a request must not come back in a message: header values, their parts (`Bearer` and token, `Basic` and what it
 * encodes), and the values of the URL's query. Longest first, so that a part never spoils the whole.
 */
export function secretsOf(url: URL, headers: Readonly<Record<string, string>>): string[] {
  const found = new Set<string>();
  const add = (text: string, shortest: number) => {
    if (text.trim().length >= shortest) found.add(text.trim());
  };
  for (const value of Object.values(headers)) {
    add(value, shortestSecret);
    const [scheme, credentials] = value.split(' ', 2);
    if (scheme?.toLowerCase() === 'basic' && credentials) {
      const plain = Buffer.from(credentials, 'base64').toString('utf8');
      add(plain, shortestSecret);
      add(plain.slice(plain.indexOf(':') + 1), shortestSecret);
    }
    for (const part of value.split(/[\s,;=]+/)) add(part, shortestPart);
  }
  for (const value of url.searchParams.values()) add(value, shortestPart);
  return [...found].sort((a, b) => b.length - a.length);
}

function withoutControls(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}
