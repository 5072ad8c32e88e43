import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'src');

interface Import {
  readonly file: string;
  /** A room of src/ (`domain`, `slack`, …), a file of src/ itself (`app.ts`), or a package (`pino`, `node:fs`). */
  readonly of: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** What a room may import of the others, besides itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  analysis: [],
  domain: ['analysis'],
  ports: ['domain', 'analysis'],
  application: ['domain', 'ports', 'analysis'],
  runtime: ['domain', 'ports', 'application', 'analysis'],
  targets: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  sources: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  alerts: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  paging: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  slack: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  server: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  policies: ['domain', 'ports', 'application', 'analysis', 'outbound'],
  outbound: ['domain', 'ports', 'analysis'],
  workspace: [],
  'config.ts': ['config'],
  config: [],
};
/** Compose the others: they see everything. */
const composers = new Set(['app.ts', 'app', 'main.ts', 'cli', 'demo']);
/** Of these rooms, others may take types only. */
const typesOnly: readonly { readonly from: string; readonly of: string }[] = [{ from: 'domain', of: 'analysis' }];

/** Packages that only one room may know. */
const vendors: readonly { readonly name: RegExp; readonly rooms: readonly string[] }[] = [
  { name: /^@slack\//, rooms: ['slack'] },
  { name: /^(node:sqlite|kysely|pg)(\/|$)/, rooms: ['runtime'] },
  { name: /^@pagerduty\/pdjs$/, rooms: ['paging'] },
  { name: /^(axios|cockatiel)$/, rooms: ['outbound'] },
  { name: /^(pino|prom-client)$/, rooms: ['server'] },
  { name: /^re2js$/, rooms: ['domain'] },
  { name: /^yaml$/, rooms: ['policies', 'demo'] },
];
/** The pure rooms import no package but pure ones named here; what makes decisions impure is not in the language either, see below. */
const pure = ['domain', 'analysis'];
const purePackages: Readonly<Record<string, readonly string[]>> = { domain: ['re2js'] };
const impure =
  /\b(Date\.now|new Date\(\s*\)|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|fetch\(|performance\.)/;
const mayReadEnvironment = (file: string) => ['config.ts', 'main.ts'].includes(file) || file.startsWith('cli/');

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

/** Code without its comments: a word in an explanation is no use of it. */
function codeOf(file: string): string {
  return withoutComments(readFileSync(join(source, file), 'utf8'));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

function importsOf(file: string, code: string): Import[] {
  const found: Import[] = [];
  const statement = /\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]/g;
  const call = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  const add = (specifier: string, typeOnly: boolean) => {
    const of = specifier.startsWith('.')
      ? roomOf(relative(source, resolve(source, dirname(file), specifier)).replaceAll('\\', '/'))
      : specifier;
    found.push({ file, of, specifier, typeOnly });
  };
  for (const match of code.matchAll(statement)) add(match[2] ?? '', match[1] !== undefined);
  for (const match of code.matchAll(call)) add(match[1] ?? '', false);
  return found;
}

function violations(imports: readonly Import[]): string[] {
  const problems: string[] = [];
  for (const { file, of, specifier, typeOnly } of imports) {
    const room = roomOf(file);
    if (specifier.startsWith('.')) {
      if (of === room || composers.has(room)) continue;
      const allowed = rooms[room];
      if (!allowed) problems.push(`${file}: ${room} has no rule here, give it one`);
      else if (!allowed.includes(of)) problems.push(`${file}: ${room} may not import ${of} (${specifier})`);
      else if (!typeOnly && typesOnly.some((rule) => rule.from === room && rule.of === of))
        // Values of the analysis in a decision would be a second comparison.
        problems.push(`${file}: ${room} may import only types of ${of} (${specifier})`);
      continue;
    }
    if (pure.includes(room) && !purePackages[room]?.includes(specifier))
      problems.push(`${file}: ${room} is pure and imports no package (${specifier})`);
    const vendor = vendors.find((v) => v.name.test(specifier));
    if (vendor && !vendor.rooms.includes(room)) {
      problems.push(`${file}: ${specifier} belongs to ${vendor.rooms.join(', ')} only`);
    }
  }
  return problems;
}

const all = files.flatMap((file) => importsOf(file, codeOf(file)));

describe('who may import whom', () => {
  it('holds for every import in src/', () => {
    expect(violations(all)).toEqual([]);
  });

  it('finds files and imports at all, each of which exists', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(all.length).toBeGreaterThan(files.length);
    const missing = all
      .filter((i) => i.specifier.startsWith('.'))
      .filter((i) => !existsSync(resolve(source, dirname(i.file), i.specifier)))
      .map((i) => `${i.file} imports ${i.specifier}, which is not there`);
    expect(missing).toEqual([]);
  });

  it('has no import in a form it does not read', () => {
    const unread = files.filter((file) => {
      const code = codeOf(file);
      const specifiers = code.match(/\bfrom\s+['"](\.|node:|@|[a-z])[^'"\s]*['"]\s*;/g) ?? [];
      return importsOf(file, code).length < specifiers.length;
    });
    expect(unread).toEqual([]);
  });

  it.each([
    ['domain/a.ts', "import { x } from '../runtime/store.ts';", 'domain may not import runtime'],
    ['domain/a.ts', "import { z } from 'zod';", 'is pure and imports no package'],
    ['analysis/a.ts', "import { RE2JS } from 're2js';", 'is pure and imports no package'],
    ['alerts/a.ts', "import { RE2JS } from 're2js';", 're2js belongs to domain only'],
    ['domain/a.ts', "import { compare } from '../analysis/compare.ts';", 'only types of analysis'],
    ['slack/cards/a.ts', "import type { S } from '../../server/server.ts';", 'slack may not import server'],
    ['targets/a.ts', "export * from '../sources/prometheus.ts';", 'targets may not import sources'],
    ['targets/a.ts', "const axios = await import('axios');", 'axios belongs to outbound only'],
    ['server/a.ts', "import {\n  App,\n  type B,\n} from '@slack/bolt';", '@slack/bolt belongs to slack only'],
    ['workspace/a.ts', "import '../ports/chat.ts';", 'workspace may not import ports'],
    ['novelty/a.ts', "import '../ports/chat.ts';", 'novelty has no rule here'],
  ])('would find a breach in %s: %s', (file, code, problem) => {
    expect(violations(importsOf(file, code)).join()).toContain(problem);
  });
});

describe('the world stays outside', () => {
  it('decisions and comparison know no clock, chance, timer, process or network', () => {
    const breaches = files.filter((file) => pure.includes(roomOf(file)) && impure.test(codeOf(file)));
    expect(breaches).toEqual([]);
    expect(impure.test('const now = Date.now();')).toBe(true);
  });

  it('only the configuration and the command line read the environment', () => {
    const breaches = files.filter(
      (file) => !mayReadEnvironment(file) && /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(codeOf(file)),
    );
    expect(breaches).toEqual([]);
  });
});
