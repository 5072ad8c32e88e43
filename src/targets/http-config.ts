import { z } from 'zod';
import { headers, pointer, timeout, tls } from './fields.ts';
import { type Json, placeholderProblems, placeholdersIn, textsIn } from './template.ts';

const inShift = [
  'stable.version',
  'candidate.version',
  'stable.percent',
  'candidate.percent',
  'stable.share',
  'candidate.share',
  'revision',
] as const;

/** The `http` target of a policy: any router that has an address to read the split from and one to set it. */
export const httpConfig = z
  .strictObject({
    kind: z.literal('http').optional(),
    timeout: timeout.default('5s').describe('For each call, everything together'),
    tls: tls.optional(),
    observe: z.strictObject({
      url: z.string(),
      headers: headers.default({}),
      stable: pointer.describe('Leads to the version that serves; null: none'),
      candidate: pointer.describe('Leads to the version that is rolled out; null: none'),
      exposure: pointer.describe("Leads to the candidate's share of traffic"),
      exposureScale: z.enum(['percent', 'share']).default('percent').describe('percent: 0 to 100, share: 0 to 1'),
      ready: pointer.describe('Leads to true where {{version}} can take traffic'),
      readyDetail: pointer.optional().describe('Leads to why, in words'),
      revision: pointer.optional().describe('Leads to what changes with every change, for compare-and-set'),
    }),
    shift: z.strictObject({
      method: z.enum(['PUT', 'POST', 'PATCH']).default('PUT'),
      url: z.string(),
      headers: headers.default({}),
      body: z.json().optional(),
    }),
  })
  .superRefine((config, context) => {
    const report = (path: (string | number)[], problems: readonly string[]) => {
      for (const message of problems) context.addIssue({ code: 'custom', path, message });
    };
    const { observe, shift } = config;
    report(['observe', 'url'], urlProblems(observe.url, []));
    for (const key of ['stable', 'candidate', 'exposure', 'revision'] as const) {
      report(['observe', key], placeholderProblems(observe[key] ?? '', []));
    }
    for (const key of ['ready', 'readyDetail'] as const) {
      report(['observe', key], placeholderProblems(observe[key] ?? '', ['version']));
    }
    report(['shift', 'url'], urlProblems(shift.url, inShift));
    for (const { path, text } of [...textsIn(observe.headers, ['observe', 'headers'])]) {
      report(path, placeholderProblems(text, []));
    }
    const sent = [...textsIn(shift.headers, ['shift', 'headers']), ...textsIn(shift.body ?? null, ['shift', 'body'])];
    for (const { path, text } of sent) report(path, placeholderProblems(text, inShift));
    if (observe.revision === undefined && usesRevision(shift)) {
      report(['observe', 'revision'], ['is required, because shift uses {{revision}}: say where the answer has it']);
    }
  });

export type HttpConfig = z.output<typeof httpConfig>;

/** True: the shift is a compare-and-set. */
export function usesRevision(shift: { url: string; headers: Record<string, string>; body?: Json }): boolean {
  const texts = [
    shift.url,
    ...textsIn(shift.headers).map((t) => t.text),
    ...textsIn(shift.body ?? null).map((t) => t.text),
  ];
  return texts.some((text) => placeholdersIn(text).includes('revision'));
}

/** The host must stand fixed: where the secrets in the headers go is not decided by a version's name. */
function urlProblems(text: string, allowed: readonly string[]): string[] {
  const problems = placeholderProblems(text, allowed);
  if (problems.length > 0) return problems;
  const [one, other] = ['x', 'y'].map((value) => URL.parse(text.replace(/\{\{[^{}]*\}\}/g, value)));
  if (!one || !/^https?:$/.test(one.protocol)) return ['must be an http or https URL'];
  if (one.origin !== other?.origin || one.username !== other.username || one.password !== other.password) {
    return ['must not have a placeholder in its host'];
  }
  return [];
}
