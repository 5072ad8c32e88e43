/** What has to be so before a version is released. Each answers what is not, with what to do; null: it is so. */

export function versionProblem(version: string): string | null {
  if (/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) return null;
  return `The version ${JSON.stringify(version)} in package.json is none: write MAJOR.MINOR.PATCH.`;
}

export function lockProblem(version: string, lock: string): string | null {
  const { version: locked } = JSON.parse(lock) as { version?: string };
  if (locked === version) return null;
  return `package-lock.json says ${locked}, package.json ${version}: run \`npm install --package-lock-only\`.`;
}

/** The newest heading has to be this version's, with the day it is released on. */
export function changelogProblem(version: string, changelog: string): string | null {
  const heading = /^## (.*)$/m.exec(changelog)?.[1] ?? 'nothing';
  const escaped = version.replaceAll('.', '\\.');
  if (new RegExp(`^${escaped} \\(\\d{4}-\\d{2}-\\d{2}\\)$`).test(heading)) return null;
  return `CHANGELOG.md begins with "${heading}": it has to be "${version} (YYYY-MM-DD)".`;
}

/** @param status what `git status --porcelain` says. */
export function treeProblem(status: string): string | null {
  const changed = status.split('\n').filter((line) => line !== '');
  if (changed.length === 0) return null;
  return `${changed.length} files are not as they were committed (${changed[0]?.slice(3)} …): commit them or take them back.`;
}

/** @param tags those of this version's name. */
export function tagProblem(version: string, tags: string): string | null {
  return tags.trim() === '' ? null : `v${version} was released before: give package.json the next version.`;
}
