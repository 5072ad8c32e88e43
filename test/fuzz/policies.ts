import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { formatProblems, parsePolicy } from '../../src/policies/index.ts';
import { targetSchemas } from '../../src/targets/index.ts';
import { area } from './area.ts';
import { text } from './words.ts';

const directory = new URL('../../policies/', import.meta.url);
const examples = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) =>
    readFileSync(new URL(name, directory), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line)),
  );
const secret = 'canary-of-the-router-7f3a';
const options = { targets: targetSchemas, secrets: { LASTGOOD_SECRET_ROUTER: secret } };

/** What somebody may do to a line of a policy. */
const edit = fc.tuple(
  fc.nat(10_000),
  fc.constantFrom('drop', 'value', 'key', 'double', 'indent', 'cut', 'insert'),
  text,
);

const edited = fc
  .tuple(fc.constantFrom(...examples), fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([lines, edits]) => {
    const all = [...lines];
    for (const [at, what, given] of edits) {
      const i = at % Math.max(all.length, 1);
      const line = all[i] ?? '';
      if (what === 'drop') all.splice(i, 1);
      else if (what === 'value') all[i] = line.replace(/:\s.*$/, () => `: ${given}`);
      else if (what === 'key') all[i] = line.replace(/[\w-]+:/, () => `${given.slice(0, 30)}:`);
      else if (what === 'double') all.splice(i, 0, line);
      else if (what === 'indent') all[i] = ` ${line}`;
      else if (what === 'cut') all.length = i;
      else all.splice(i, 0, given);
    }
    return all.join('\n');
  });

/** A policy file, edited by somebody in a hurry: every problem is said, none of them says a secret. */
export const policies = area(
  'policies',
  1,
  fc.oneof({ weight: 9, arbitrary: edited }, { weight: 1, arbitrary: text }),
  async (yaml) => {
    const result = await parsePolicy(yaml, fileURLToPath(new URL('fuzzed.yaml', directory)), options);
    if (result.policy === null && result.problems.length === 0) throw new Error('Refused without a reason.');
    if (formatProblems(result.problems).includes(secret)) throw new Error('A problem says a secret.');
  },
);
