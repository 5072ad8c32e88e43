import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUnmatchedTelling, type Telling } from '../../src/app/unmatched-telling.ts';
import { unmatchedNote } from '../../src/application/unmatched-note.ts';
import type { Alert } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store, UnmatchedAlert } from '../../src/ports/store.ts';
import { bring } from '../../src/runtime/performers/message.ts';
import { openStore } from '../../src/runtime/store.ts';
import { draw } from '../../src/slack/cards/index.ts';
import { fakeWorld } from '../runtime/fakes.ts';
import { policy, service, t0 } from '../runtime/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';

const MINUTE = 60_000;
const CHANNEL = '#alerts';

function alert(name: string, over: Partial<Alert> = {}): Alert {
  const texts = { summary: `${name} is bad`, description: '', generatorUrl: '', runbookUrl: '' };
  const labels = { alertname: name, service: 'ranker', severity: 'warning' };
  const times = { startsAtMs: t0, endsAtMs: null };
  return { fingerprint: `f-${name}`, name, severity: 'warning', status: 'firing', labels, ...times, ...texts, ...over };
}

const remembered = (one: Alert): UnmatchedAlert => {
  const { fingerprint, name, summary, labels, status, startsAtMs } = one;
  return { fingerprint, name, summary, labels, status, startsAtMs, firstSeenMs: t0, lastSeenMs: t0, count: 1 };
};

describe('what the default channel reads', () => {
  it('names the alert, how near a policy came, and what to write to be asked about it', () => {
    const near = policy({
      alerts: [
        {
          matchers: [
            { label: 'service', operator: '=', value: service },
            { label: 'severity', operator: '=~', value: 'warning|critical' },
          ],
          severity: null,
        },
      ],
    });
    const { text, blocks } = draw({ kind: 'note', text: unmatchedNote([remembered(alert('DiskFull'))], [near]) });
    expect(text).toContain('An alert fires that no policy matches:');
    expect(blocks).toHaveLength(1);
    expect((blocks[0] as { text?: { text: string } }).text?.text).toBe(
      [
        'An alert fires that no policy matches:',
        '• DiskFull: DiskFull is bad (service="ranker", severity="warning")',
        '   nearest: fraud-scorer: wants service="fraud-scorer", has service="ranker"',
        'To be asked about it on a card, put a match for it under `alerts` in the policy of its service:',
        `  - match: ['alertname="DiskFull"', 'service="ranker"']`,
        'If it is nobody’s here, let its route in Alertmanager end before Lastgood.',
      ].join('\n'),
    );
  });

  it('is one short message for a flood, and notifies nobody whatever the alert says', () => {
    const flood = Array.from({ length: 1000 }, (_, n) =>
      remembered(alert(`A${n}`, { summary: '<!channel> '.repeat(40) })),
    );
    const { text, blocks } = draw({ kind: 'note', text: unmatchedNote(flood, []) });
    expect(text).toContain('1000 alerts fire that no policy matches:');
    expect(JSON.stringify(blocks)).not.toContain('<!channel>');
    expect(JSON.stringify(blocks).length).toBeLessThan(4_000);
  });
});

describe('telling the default channel', () => {
  let store: Store;
  let clock: VirtualClock;
  let made: ReturnType<typeof fakeWorld>;
  let telling: Telling;
  const problems: string[] = [];
  const posts = () => made.chat.calls.filter((call) => call.startsWith('post'));
  const pass = (ms: number) => clock.advance(ms, () => telling.settled());
  const note = async (...alerts: Alert[]) => {
    await store.unmatched.note(alerts, clock.now());
    telling.wake();
    await telling.settled();
  };
  function begin(): void {
    telling = createUnmatchedTelling({
      channel: CHANNEL,
      book: store.unmatched,
      policies: () => [policy()],
      bring: (message, signal) => bring(made.world, message, signal),
      clock,
      onProblem: (error) => problems.push(String(error)),
    });
    telling.start();
  }
  beforeEach(async () => {
    store = await openStore(':memory:');
    clock = virtualClock(t0);
    made = fakeWorld(store, clock);
    problems.length = 0;
    begin();
    await telling.settled();
  });
  afterEach(async () => {
    await telling.stop();
    await store.close();
  });

  it('says each start once, what came together in one message', async () => {
    await note(alert('A'), alert('B'));
    await note(alert('A'), alert('A', { status: 'resolved' }));
    expect(posts()).toEqual([`post unmatched/f-A/${t0}`]);
    expect(made.chat.messages.get(`unmatched/f-A/${t0}`)).toMatchObject({ channel: CHANNEL, thread: null });
    await note(alert('A', { startsAtMs: t0 + MINUTE }));
    expect(posts()).toHaveLength(2);
  });

  it('posts nothing twice: not where an answer is lost, not after a kill in the middle', async () => {
    made.chat.trouble = (call) => (call.startsWith('post') ? 'lost-reply' : null);
    await note(alert('A'));
    // A process that was killed here begins anew on the same store.
    await telling.stop();
    made.chat.trouble = () => null;
    begin();
    await pass(MINUTE);
    expect(posts()).toHaveLength(1);
    expect(await store.unmatched.toTell(0)).toBeNull();
  });

  it('waits for a channel that cannot be posted to, telling the trouble once', async () => {
    made.chat.trouble = () => new PortError('permanent', 'There is no such channel.');
    await note(alert('A'));
    await note(alert('B'));
    await pass(30 * MINUTE);
    expect(problems).toEqual(['PortError: There is no such channel.']);
    expect(posts().length).toBeGreaterThan(3);
    expect(posts().length).toBeLessThan(20);
    made.chat.trouble = () => null;
    await pass(10 * MINUTE);
    expect([...made.chat.messages.keys()]).toEqual([`unmatched/f-A/${t0}`, `unmatched/f-B/${t0}`]);
  });
});
