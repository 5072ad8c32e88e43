import { expect, it } from 'vitest';
import { tryArea } from './area.ts';
import { areas } from './areas.ts';
import { calls } from './words.ts';

const SEED = 20_261_121;

/** A small part of `npm run fuzz`, always the same. */
it.each(areas.map((area) => [area.name, area] as const))(
  '%s: whatever comes, nothing crashes and nobody is called',
  async (_name, area) => {
    const inputs = Math.max(60, Math.round(area.share * 20));
    const outcome = await tryArea(area, { inputs, seed: SEED });
    expect(outcome.failure).toBeNull();
    expect(outcome.inputs).toBe(inputs);
  },
);

it('has a share for every way in', () => {
  expect(areas.reduce((sum, { share }) => sum + share, 0)).toBe(100);
});

it.each(['<!channel>', 'x <@U0EVE0000>', '<#C1|x>', '<!here|x>', '<!subteam^S1>', '<mailto:a@b>'])(
  'would see %s',
  (text) => {
    expect(calls({ type: 'mrkdwn', text })).not.toBeNull();
  },
);
it.each(['&lt;!channel&gt;', '<https://x.example|x>', '<!date^1^{time}|now>', '<@U024BE7LH>'])('lets %s be', (text) => {
  expect(calls({ type: 'mrkdwn', text })).toBeNull();
});
