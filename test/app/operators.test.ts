import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { degradedModes, recoveredText } from '../../src/app/degraded.ts';
import { createOperators, type Operators } from '../../src/app/operators.ts';
import { inFile } from '../../src/app/operators-memory.ts';
import type { Chat, ChatMessage } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { HealthKind, HealthPart } from '../../src/ports/health.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { type Problems, quietTelemetry } from '../slack/stage.ts';
import { virtualClock } from '../support/clock.ts';

const noon = Date.parse('2026-11-21T12:04:00Z');
const minute = 60_000;
const live = new AbortController().signal;

/** A channel of a chat, as people see it; every message stands there once or the test shows it. */
class Channel implements Chat {
  readonly messages: { id: string; text: string }[] = [];
  updates = 0;
  trouble: PortError | null = null;
  /** The post arrives and its answer is lost. */
  losesAnswers = false;

  async post(message: ChatMessage) {
    if (this.trouble) throw this.trouble;
    this.messages.push({ id: message.id, text: textOf(message) });
    if (this.losesAnswers) throw new PortError('ambiguous', 'the answer was lost');
    return { channel: 'C1', ts: String(this.messages.length) };
  }
  async update({ ts }: { ts: string }, message: ChatMessage) {
    if (this.trouble) throw this.trouble;
    this.updates += 1;
    this.messages[Number(ts) - 1] = { id: message.id, text: textOf(message) };
  }
  async find(message: ChatMessage) {
    if (this.trouble) throw this.trouble;
    const at = this.messages.findIndex(({ id }) => id === message.id);
    return at < 0 ? null : { channel: 'C1', ts: String(at + 1) };
  }
}

function textOf({ channel, content }: ChatMessage): string {
  expect(channel).toBe('#lastgood-ops');
  if (content.kind !== 'note') throw new Error(`operators are told by notes, not by a ${content.kind}`);
  return content.text;
}

let directory = '';
let store: Store;
let chat: Channel;
let telemetry: Problems;
let clock: ReturnType<typeof virtualClock>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-operators-'));
  store = await openStore(':memory:');
  chat = new Channel();
  telemetry = quietTelemetry();
  clock = virtualClock(noon);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const begin = () =>
  createOperators({
    store,
    chat,
    clock,
    telemetry,
    channel: '#lastgood-ops',
    memory: inFile(join(directory, 'operators.json')),
  });

function part(kind: HealthKind, ok: boolean, detail: string): HealthPart {
  return { part: kind, name: `the ${kind}`, ok, sinceMs: clock.now(), detail, failures: ok ? 0 : 2 };
}
function fails(operators: Operators, kind: HealthKind, detail = 'connection refused') {
  const now = part(kind, false, detail);
  operators.changed({ now, afterMs: null, text: degradedModes([now])[0]?.text ?? '' });
}
function recovers(operators: Operators, kind: HealthKind, afterMs: number) {
  const now = part(kind, true, 'answers');
  operators.changed({ now, afterMs, text: recoveredText(now, afterMs) });
}

describe('the operators channel', () => {
  it('gets one message an outage, brought to its end when it ends', async () => {
    const operators = await begin();
    fails(operators, 'prometheus');
    for (let i = 0; i < 5; i += 1) await operators.deliver(live);
    expect(chat.messages).toHaveLength(1);
    expect(chat.messages[0]?.text).toMatch(/^⚠️ Prometheus the prometheus does not answer .* 12:04:00 UTC/);
    clock.jump(12 * minute);
    recovers(operators, 'prometheus', 12 * minute);
    for (let i = 0; i < 5; i += 1) await operators.deliver(live);
    expect(chat.messages.map(({ text }) => text)).toEqual([
      '✅ Prometheus the prometheus: recovered after 12 min (answers).',
    ]);
    expect(chat.updates).toBe(1);
  });

  it('is not flooded by what comes and goes: the same message says how often', async () => {
    const operators = await begin();
    for (let i = 0; i < 4; i += 1) {
      fails(operators, 'target');
      await operators.deliver(live);
      clock.jump(minute);
      recovers(operators, 'target', minute);
      await operators.deliver(live);
      clock.jump(minute);
    }
    expect(chat.messages).toHaveLength(1);
    expect(chat.messages[0]?.text).toMatch(/recovered after 1 min.*\nIt has come back 3 times since 12:04:00 UTC\./s);
    clock.jump(15 * minute);
    await operators.deliver(live);
    fails(operators, 'target');
    await operators.deliver(live);
    expect(chat.messages).toHaveLength(2);
  });

  it('is told of Slack only when it is back, and of nothing that came and went meanwhile', async () => {
    const operators = await begin();
    chat.trouble = new PortError('retryable', 'Slack could not be reached');
    fails(operators, 'slack');
    fails(operators, 'prometheus');
    fails(operators, 'alertmanager');
    await operators.deliver(live);
    clock.jump(10 * minute);
    recovers(operators, 'prometheus', 10 * minute);
    await operators.deliver(live);
    expect(telemetry.problems).toEqual([]);
    chat.trouble = null;
    recovers(operators, 'slack', 10 * minute);
    await operators.deliver(live);
    expect(chat.messages.map(({ text }) => text)).toEqual([
      '✅ Slack: recovered after 10 min (answers).',
      expect.stringContaining('⚠️ Alertmanager the alertmanager'),
    ]);
  });

  it('is told over a restart as well: the old message is brought to its end, and no second one is sent', async () => {
    const first = await begin();
    fails(first, 'policies', 'fraud.yaml:2:7  mode');
    await first.deliver(live);
    const second = await begin();
    expect(second.known).toMatchObject([{ part: 'policies', ok: false, sinceMs: noon }]);
    await second.deliver(live);
    clock.jump(minute);
    recovers(second, 'policies', minute);
    await second.deliver(live);
    expect(chat.messages.map(({ text }) => text)).toEqual([
      '✅ The policy directory the policies: mended after 1 min (answers).',
    ]);
    expect((await begin()).known).toEqual([]);
  });

  it('shows the problems of the policies, and those that came instead of them', async () => {
    const operators = await begin();
    fails(operators, 'policies', 'fraud.yaml:2:7  mode');
    await operators.deliver(live);
    expect(chat.messages[0]?.text).toContain('The last good policies stay in force');
    expect(chat.messages[0]?.text).toContain('fraud.yaml:2:7  mode');
    fails(operators, 'policies', 'fraud.yaml:9:1  steps');
    await operators.deliver(live);
    expect(chat.messages.map(({ text }) => text)).toEqual([expect.stringContaining('fraud.yaml:9:1  steps')]);
  });

  it('finds a post whose answer was lost instead of sending it again', async () => {
    const operators = await begin();
    chat.losesAnswers = true;
    fails(operators, 'pagerduty');
    await operators.deliver(live);
    chat.losesAnswers = false;
    await operators.deliver(live);
    expect(chat.messages).toHaveLength(1);
  });

  it('says once that the channel refuses, and tries seldom', async () => {
    const operators = await begin();
    chat.trouble = new PortError('permanent', 'Slack knows no channel #lastgood-ops');
    fails(operators, 'prometheus');
    for (let i = 0; i < 20; i += 1) {
      await operators.deliver(live);
      clock.jump(15_000);
    }
    expect(telemetry.problems).toEqual(['operators: Slack knows no channel #lastgood-ops']);
    chat.trouble = null;
    clock.jump(5 * minute);
    await operators.deliver(live);
    expect(chat.messages).toHaveLength(1);
  });

  it('refuses a file that is not its own, and keeps no message text but its own in it', async () => {
    const operators = await begin();
    fails(operators, 'prometheus');
    await operators.deliver(live);
    const file = join(directory, 'operators.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject([{ told: true, endedMs: null }]);
    writeFileSync(file, '{"half":');
    await expect(begin()).rejects.toThrow(/operators\.json.*delete it/);
  });
});
