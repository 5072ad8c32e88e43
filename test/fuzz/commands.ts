import fc from 'fast-check';
import type { Answer } from '../../src/application/api.ts';
import { answerTyped, SUBCOMMANDS } from '../../src/slack/commands/index.ts';
import { FakeApplication } from '../slack/stage.ts';
import { ada, entry, NOON, policy, state } from '../slack/states.ts';
import { area } from './area.ts';
import { checkPersonal } from './drawn.ts';
import { text } from './words.ts';

const words = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SUBCOMMANDS.map(({ name }) => name)) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'fraud-scorer',
      'v41',
      'v42',
      '--to',
      '--now',
      '--all',
      '10m',
      '1h',
      'off',
      'on',
      '"why"',
      '—',
      '“so”',
    ),
  },
  { weight: 2, arbitrary: text },
);
const lines = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom(...SUBCOMMANDS.map(({ name }) => name)), fc.array(words, { maxLength: 7 }))
      .map(([name, rest]) => [name, ...rest].join(' ')),
  },
  { weight: 1, arbitrary: text },
);

/** Echoes what it was asked, as refusals and journals do. */
class Echo extends FakeApplication {
  override onCommand = (request: unknown): Answer => ({
    ok: false,
    refusal: { code: 'invalid', text: JSON.stringify(request) },
  });
  override onStart = (): Answer => ({ ok: true, text: JSON.stringify(this.starts.at(-1)), duplicate: false });
}

/** A typed line, from the text to the answer. */
export const commands = area('commands', 37, fc.tuple(lines, text), async ([line, reason]) => {
  const application = new Echo();
  const mark = { by: ada, atMs: NOON, reason };
  application.all = [{ policy: policy(), state: state({ freeze: mark, automationOff: mark }) }];
  application.journal = [entry({ text: reason, reason })];
  checkPersonal(await answerTyped(line, { application, actor: ada, key: 'k', slash: '/rollout', nowMs: NOON }));
});
