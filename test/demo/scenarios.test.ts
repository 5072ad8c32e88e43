import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Answer, scenarios } from '../../src/demo/scenarios/index.ts';

/** A story takes half a minute at three times the speed; a busy machine gets more. */
const WITHIN_MS = 280_000;
/** Each story has a process and ports of its own. More at once would starve each other on two cores. */
const AT_ONCE = 3;
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Outcome {
  readonly ending: string;
  readonly split: { readonly stable: { percent: number }; readonly candidate: { percent: number } };
  readonly card: string;
  readonly buttons: readonly string[];
  readonly phase: string;
  readonly stage: { readonly name: string; readonly why?: string; readonly outcome?: string };
  readonly signals: readonly string[];
  readonly journal: readonly string[];
  readonly incidents: readonly string[];
  readonly aheadMs: number;
}

let running = 0;
const waiting: (() => void)[] = [];

async function played(scenario: string, answer: Answer, card: string): Promise<Outcome> {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  else running += 1;
  try {
    return await play([scenario, answer, card]);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

function play(argv: readonly string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL('play.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      const last = said.trimEnd().split('\n').at(-1) ?? '';
      if (code === 0 && last.startsWith('{')) resolve({ ...JSON.parse(last), said });
      else reject(new Error(`The story ended with ${code}:\n${said}`));
    });
  });
}

/** In this order, whatever else is written in between. */
function inOrder(journal: readonly string[], ...kinds: string[]): void {
  let from = 0;
  for (const kind of kinds) {
    const at = journal.indexOf(kind, from);
    expect(at, `${kind} after the first ${from} of ${journal.join(', ')}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
}

const asked = ['rollout-started', 'gate-passed', 'step-ordered', 'question-opened'];
const wentBack = ['rollback-decided', 'phase-ordered', 'phase-passed', 'phase-ordered', 'phase-passed', 'rolled-back'];
const alerts = {
  errors: 'ModelErrorRateHigh',
  latency: 'ModelSlow',
  accuracy: 'ModelOftenWrong',
  drift: 'DriftHigh',
  both: 'ModelErrorRateHigh',
  'metrics-gone': 'MetricsMissing',
};

describe.concurrent('nobody answers', () => {
  for (const { name, expected, heldBecause } of scenarios) {
    it(`${name}: ${expected.replace('_', ' ')}`, { timeout: WITHIN_MS }, async () => {
      const isHeld = expected === 'held';
      const end = await played(name, 'none', isHeld ? 'A person is needed' : 'Rolled back');
      expect(end.ending, JSON.stringify(end)).toBe(expected);
      expect(end.signals).toContain(alerts[name]);
      expect(end.aheadMs).toBeGreaterThan(10_000);
      if (isHeld) {
        expect(end.split.candidate.percent).toBe(70);
        expect(end.phase).toBe('deciding');
        expect(end.stage).toEqual({ name: 'held', why: heldBecause });
        expect(end.buttons).toEqual(expect.arrayContaining(['rollback', 'hold', 'promote']));
        inOrder(end.journal, ...asked, 'paged');
        inOrder(end.journal, ...asked, 'held');
        expect(end.journal).not.toContain('rollback-decided');
        expect(end.incidents).toEqual(['triggered']);
      } else {
        expect(end.split).toMatchObject({ stable: { percent: 100 }, candidate: { percent: 0 } });
        expect(end.stage).toMatchObject({ name: 'ended', outcome: 'rolled-back' });
        expect(end.card).toContain('Rolled back');
        expect(end.buttons).toEqual([]);
        inOrder(end.journal, ...asked, 'paged', 'deadline-reached', ...wentBack);
      }
    });
  }
});

describe.concurrent('Maya answers', () => {
  it('errors, Roll back', { timeout: WITHIN_MS }, () => rolledBack('errors'));
  it('accuracy, Roll back', { timeout: WITHIN_MS }, () => rolledBack('accuracy'));

  it('latency, Hold', { timeout: WITHIN_MS }, () => held('latency'));
  it('both, Hold', { timeout: WITHIN_MS }, () => held('both'));

  it('drift, Promote', { timeout: WITHIN_MS }, async () => {
    const end = await played('drift', 'promote', '100 %');
    expect(end.ending, JSON.stringify(end)).toBe('promoted');
    expect(end.split.candidate.percent).toBe(100);
    inOrder(end.journal, ...asked, 'promoted', 'shifted');
    expect(end.journal).not.toContain('rollback-decided');
  });

  it('metrics-gone, Roll back: it ends stuck, for nobody can see whether it is well', {
    timeout: WITHIN_MS,
  }, async () => {
    const end = await played('metrics-gone', 'rollback', 'Stuck');
    expect(end.ending, JSON.stringify(end)).toBe('stuck');
    expect(end.split.candidate.percent).toBe(0);
    expect(end.phase).toBe('stuck');
    inOrder(end.journal, ...asked, 'rollback-decided', 'phase-passed', 'stuck');
    expect(end.incidents).toEqual(['triggered']);
  });

  async function rolledBack(scenario: string): Promise<void> {
    const end = await played(scenario, 'rollback', 'Rolled back by');
    expect(end.ending, JSON.stringify(end)).toBe('rolled_back');
    expect(end.split.candidate.percent).toBe(0);
    expect(end.card).toContain('Rolled back by @maya');
    inOrder(end.journal, ...asked, ...wentBack);
    expect(end.journal).not.toContain('deadline-reached');
  }

  async function held(scenario: string): Promise<void> {
    const end = await played(scenario, 'hold', 'Held');
    expect(end.ending, JSON.stringify(end)).toBe('held');
    expect(end.split.candidate.percent).toBe(70);
    expect(end.phase).toBe('holding');
    expect(end.stage).toEqual({ name: 'held', why: 'person' });
    inOrder(end.journal, ...asked, 'held');
    expect(end.journal).not.toContain('rollback-decided');
  }
});
