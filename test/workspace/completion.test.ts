import { describe, expect, test } from 'vitest';
import { handClock, startWorkspace } from './support.ts';

interface Found {
  options: { word: string; insert: string; note: string }[];
  usage: { name: string; present: string | null; summary: string } | null;
  certain: boolean;
}

/** A file of the page, without types: plain JavaScript for the browser that touches no document. */
const page = (await import(new URL('../../src/workspace/page/completion.js', import.meta.url).href)) as {
  complete(text: string, commands: readonly object[], known: object | null): Found;
};

const commands = [
  { command: '/rollout', description: 'Rollouts', usageHint: '[start|status] <service>' },
  { command: '/remind', description: 'Reminders', usageHint: '' },
];
const known = {
  subcommands: [
    { name: 'start', usage: 'SERVICE VERSION [--reason TEXT] [--commit SHA] [--force]', summary: 'Begin a rollout' },
    { name: 'status', usage: '[SERVICE]', summary: 'What is under way' },
    { name: 'rollback', usage: 'SERVICE [--now] [--to VERSION] [--reason TEXT]', summary: 'Go back' },
    { name: 'automation', usage: 'on|off SERVICE|all [--reason TEXT]', summary: 'The emergency brake' },
    { name: 'help', usage: '[SUBCOMMAND]', summary: 'This' },
  ],
  words: {
    SERVICE: [{ value: 'fraud-scorer', note: 'Scores payments' }, { value: 'ranker' }],
    VERSION: [{ value: 'v41' }, { value: 'v42' }],
  },
};
const words = (text: string) => page.complete(text, commands, known).options.map((one) => one.word);

describe('what can be typed next', () => {
  test.each([
    ['/', ['/rollout', '/remind']],
    ['/ro', ['/rollout']],
    ['/rollout', []],
    ['/rollout ', ['start', 'status', 'rollback', 'automation', 'help']],
    ['/rollout STA', ['start', 'status']],
    ['/rollout start ', ['fraud-scorer', 'ranker', '--reason', '--commit', '--force']],
    ['/rollout start r', ['ranker']],
    ['/rollout start ranker ', ['v41', 'v42', '--reason', '--commit', '--force']],
    ['/rollout start ranker v42 ', ['--reason', '--commit', '--force']],
    ['/rollout start ranker v42 --force --', ['--reason', '--commit']],
    ['/rollout start ranker v42 --reason because it is ', []],
    ['/rollout start ranker v42 --reason because --c', ['--commit']],
    ['/rollout rollback ranker --to ', ['v41', 'v42']],
    ['/rollout rollback ranker --to v41 ', ['--now', '--reason']],
    ['/rollout automation ', ['on', 'off', '--reason']],
    ['/rollout automation off ', ['fraud-scorer', 'ranker', 'all', '--reason']],
    ['/rollout help st', ['start', 'status']],
    ['/rollout nonsense ', []],
    ['/unknown x', []],
    ['plain words', []],
  ])('%j offers %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test('what is taken makes the whole line; what the part is for is said', () => {
    const found = page.complete('/rollout start ran', commands, known);
    expect(found.options[0]?.insert).toBe('/rollout start ranker ');
    expect(found.usage).toMatchObject({ name: '/rollout start', present: 'SERVICE', summary: 'Begin a rollout' });
  });

  test('Enter takes half a word, and sends a whole one or none', () => {
    expect(page.complete('/rollout sta', commands, known).certain).toBe(true);
    expect(page.complete('/rollout status', commands, known).certain).toBe(false);
    expect(page.complete('/rollout status ', commands, known).certain).toBe(false);
    expect(page.complete('/rollout status nobody', commands, known).certain).toBe(false);
  });

  test('without what the app says, the words of the hint are offered', () => {
    expect(page.complete('/rollout ', commands, null).options.map((one) => one.word)).toEqual(['start', 'status']);
  });
});

describe('what the app says of its command', () => {
  test('is asked for anew each time, and is nothing for a command that says nothing', async () => {
    let asked = 0;
    const workspace = await startWorkspace({
      commands: [
        {
          command: '/rollout',
          description: 'Rollouts',
          usageHint: 'status',
          completion: () => {
            asked += 1;
            return { subcommands: [], words: { SERVICE: [{ value: `service-${asked}` }] } };
          },
        },
        { command: '/remind', description: 'Reminders', usageHint: '' },
      ],
    });
    const ask = async (command: string): Promise<unknown> => {
      const query = new URLSearchParams({ user: 'U024BE7LH', command });
      return (await fetch(`${workspace.url}/client/completion?${query}`)).json();
    };
    expect(await ask('/rollout')).toMatchObject({ words: { SERVICE: [{ value: 'service-1' }] } });
    expect(await ask('/rollout')).toMatchObject({ words: { SERVICE: [{ value: 'service-2' }] } });
    expect(await ask('/remind')).toBeNull();
    await workspace.stop();
  });
});

describe('the time of day', () => {
  test('is told to pages where the workspace has a clock of its own, and not otherwise', async () => {
    const clock = handClock();
    const workspace = await startWorkspace({ now: clock.now });
    const boot = (await (await fetch(`${workspace.url}/client/boot`)).json()) as { now: number | null };
    expect(boot.now).toBe(clock.ms);
    const stream = await fetch(`${workspace.url}/client/events?user=U024BE7LH`);
    clock.advance(60_000);
    let text = '';
    for await (const chunk of stream.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('clock')) break;
    }
    expect(text).toContain(JSON.stringify({ kind: 'clock', now: clock.ms }));
    await workspace.stop();
    const plain = await startWorkspace();
    expect(await (await fetch(`${plain.url}/client/boot`)).json()).toMatchObject({ now: null });
    await plain.stop();
  });
});
