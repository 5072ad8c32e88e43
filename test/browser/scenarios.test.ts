import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../support/servers.ts';
import { launchChromium } from '../workspace/bench.ts';
import { type DemoProcess, startDemo } from './support/demo-process.ts';
import { becomes, type Onlooker, seen, sitDown } from './support/onlooker.ts';

const chromiumPath = findProgram('chromium');
/** A story takes half a minute; this is for a machine that does much else. */
const STORY = { timeout: 600_000 };
/** More stories side by side would starve each other on two cores. */
const AT_ONCE = 2;
/** Where a picture of each ending is put; none without it. */
const PICTURES = process.env.LASTGOOD_TEST_PICTURES;

describe.skipIf(!chromiumPath)('every story in the page, in Chromium (skipped: chromium is missing)', () => {
  let browser: Browser;
  let running = 0;
  const waiting: (() => void)[] = [];

  beforeAll(async () => {
    browser = await launchChromium(chromiumPath ?? '');
  });
  afterAll(() => browser?.close());

  interface Told {
    readonly scenario: string;
    readonly as: 'you' | 'maya' | 'tom';
    readonly colorScheme?: 'light' | 'dark';
    readonly name?: string;
  }

  /** Plays a story with somebody in front of it; neither page nor panel may complain. */
  async function story(told: Told, watch: (one: Onlooker, demo: DemoProcess) => Promise<void>): Promise<void> {
    if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      const { scenario, as, colorScheme = 'light', name = scenario } = told;
      await using demo = await startDemo(['--scenario', scenario, '--speed', '3']);
      await using onlooker = await sitDown(browser, demo, { as, colorScheme });
      try {
        await watch(onlooker, demo);
      } catch (error) {
        throw new Error(`${scenario} as ${as}:\n${demo.said()}\nIn the channel:\n${await channelOf(onlooker)}`, {
          cause: error,
        });
      } finally {
        if (PICTURES) await onlooker.page.screenshot({ path: `${PICTURES}/${name}.png` });
      }
      expect(onlooker.complaints).toEqual([]);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }
  const channelOf = ({ page }: Onlooker) => seen(page.getByTestId('messages')).catch(String);

  describe.concurrent('nobody answers', () => {
    const goesBack = [
      { scenario: 'errors', alert: 'ModelErrorRateHigh', as: 'you', colorScheme: 'light' },
      { scenario: 'latency', alert: 'ModelSlow', as: 'maya', colorScheme: 'dark' },
      { scenario: 'accuracy', alert: 'ModelOftenWrong', as: 'tom', colorScheme: 'light' },
    ] as const;
    it.each(goesBack)('$scenario: it goes back in phases', STORY, ({ alert, ...told }) =>
      story({ ...told, name: `${told.scenario}-unattended` }, async (one, demo) => {
        await one.card.getByText(alert).first().waitFor();
        await headline(one, 'Rolled back');
        await wentBack(one, demo, [50, 10, 0]);
        expect(await seen(one.card)).toMatch(
          /Rolled back by automation \(fraud-scorer@\w+\) · [\d:]+ · nobody answered by the deadline/,
        );
        const deadline = ['question opened · Alertmanager', 'deadline reached · Automation'];
        await written(one, ...started, ...deadline, ...goesBackBy('Automation', 50, 10, 0));
        await incidentIs(one, demo, 'resolved');
        expect(await one.everyButtons()).toContain('Roll back, Hold, Promote, Extend, Acknowledge');
        await reported(one, /Decided by automation/, '10 % → 70 % → 50 % → 10 % → 0 %');
      }),
    );

    const stands = [
      { scenario: 'drift', alert: 'DriftHigh', why: /the numbers look healthy/, as: 'you', colorScheme: 'dark' },
      { scenario: 'both', alert: 'ModelErrorRateHigh', why: /stable is as bad/, as: 'maya', colorScheme: 'light' },
      { scenario: 'metrics-gone', alert: 'MetricsMissing', why: /no numbers to go by/, as: 'tom', colorScheme: 'dark' },
    ] as const;
    it.each(stands)('$scenario: nothing moves, and a person is paged', STORY, ({ alert, why, ...told }) =>
      story({ ...told, name: `${told.scenario}-unattended` }, async (one, demo) => {
        await asked(one, alert);
        await headline(one, 'A person is needed');
        await incidentIs(one, demo, 'triggered');
        expect(await seen(one.card)).toMatch(why);
        expect(await one.buttons()).toEqual(['Roll back', 'Hold', 'Promote', 'Acknowledge']);
        await written(one, ...started, 'question opened · Alertmanager', 'paged · Automation');
        // Also after somebody was called once more.
        const again = ['held · Automation', 'paged · Automation', 'paged · Automation'];
        await written(one, ...started, 'question opened · Alertmanager', ...again);
        await stayed(one, demo);
      }),
    );
  });

  describe.concurrent('somebody answers', () => {
    it('errors: Maya rolls back at once', STORY, () =>
      story({ scenario: 'errors', as: 'maya', colorScheme: 'dark', name: 'errors-attended' }, async (one, demo) => {
        await withTime(one);
        await asked(one, 'ModelErrorRateHigh');
        const reason = 'the logs are full of 500';
        await one.answer('Roll back', { title: 'Roll back', choice: /At once/, reason });
        await one.setSpeed(3);
        await headline(one, 'Rolled back');
        await wentBack(one, demo, [0]);
        expect(await seen(one.card)).toMatch(
          /Rolled back at once by @Maya Lindqvist · [\d:]+ · the logs are full of 500/,
        );
        await written(one, ...started, 'question opened · Alertmanager', ...goesBackBy('@maya', 0));
        await neverWritten(one, demo, 'deadline reached', 'phase passed');
        await reported(one, /Decided by @maya \(.*\): the logs are full of 500/, '10 % → 70 % → 0 %');
      }),
    );

    it('latency: Tom rolls back by phases', STORY, () =>
      story({ scenario: 'latency', as: 'tom', name: 'latency-attended' }, async (one, demo) => {
        await withTime(one);
        await asked(one, 'ModelSlow');
        const reason = 'checkouts wait for it';
        await one.answer('Roll back', { title: 'Roll back', choice: /By phases: 50 % → 10 % → 0 %/, reason });
        await one.setSpeed(3);
        await headline(one, 'Rolled back');
        await wentBack(one, demo, [50, 10, 0]);
        expect(await seen(one.card)).toMatch(/Rolled back by @Tom Okafor · [\d:]+ · checkouts wait for it/);
        const said = goesBackBy('@tom', 50, 10, 0);
        await written(one, ...started, 'question opened · Alertmanager', ...said);
        await neverWritten(one, demo, 'deadline reached');
        await reported(one, /Decided by @tom \(.*\): checkouts wait for it/, '10 % → 70 % → 50 % → 10 % → 0 %');
      }),
    );

    it('accuracy: you hold it, look, and roll back', STORY, () =>
      story({ scenario: 'accuracy', as: 'you', colorScheme: 'dark', name: 'accuracy-attended' }, async (one, demo) => {
        await withTime(one);
        await asked(one, 'ModelOftenWrong');
        await one.answer('Hold', { title: 'Hold', choice: /10 min/, reason: 'are the labels right?' });
        await headline(one, 'On hold');
        expect(await one.buttons()).toEqual(expect.arrayContaining(['Resume', 'Roll back']));
        expect(await seen(one.card)).toMatch(
          /70 % of traffic on v42 .* held by @You until [\d:]+, then it asks again: are the labels right\?/,
        );
        expect((await demo.world()).split.candidate).toEqual({ version: 'v42', percent: 70 });
        await one.answer('Roll back', { title: 'Roll back', reason: 'they are' });
        await one.setSpeed(3);
        await headline(one, 'Rolled back');
        await wentBack(one, demo, [50, 10, 0]);
        expect(await seen(one.card)).toMatch(/Rolled back by @You · [\d:]+ · they are/);
        const said = ['held · @you', ...goesBackBy('@you', 50, 10, 0)];
        await written(one, ...started, 'question opened · Alertmanager', ...said);
        await neverWritten(one, demo, 'deadline reached');
        await reported(one, /Decided by @you \(.*\): they are/, '10 % → 70 % → 50 % → 10 % → 0 %');
      }),
    );

    it('drift: Maya is on it, looks at the numbers, and promotes', STORY, () =>
      story({ scenario: 'drift', as: 'maya', name: 'drift-attended' }, async (one, demo) => {
        await asked(one, 'DriftHigh');
        await headline(one, 'A person is needed');
        await incidentIs(one, demo, 'triggered');
        await one.press('Acknowledge');
        await becomes(() => one.buttons(), ['Roll back', 'Hold', 'Promote']);
        await incidentIs(one, demo, 'acknowledged');
        await one.answer('Promote', { title: 'Promote', reason: 'the scores are right' });
        await headline(one, 'Promoted all the same');
        await becomes(async () => (await one.shares()).at(-1), 100);
        inOrder(await one.shares(), [0, 10, 70, 100]);
        expect((await demo.world()).split.candidate).toEqual({ version: 'v42', percent: 100 });
        expect(await seen(one.card)).toMatch(/Promoted .*by @Maya Lindqvist · [\d:]+ · the scores are right/);
        const said = ['acknowledged · @maya', 'promoted · @maya', 'shifted · Automation'];
        await written(one, ...started, 'question opened · Alertmanager', 'held · Automation', ...said);
        await neverWritten(one, demo, 'rollback decided');
        await reported(one, /Decided by @maya \(.*\): the scores are right/, '10 % → 70 %');
      }),
    );

    it('both: Tom holds it', STORY, () =>
      story({ scenario: 'both', as: 'tom', colorScheme: 'dark', name: 'both-attended' }, async (one, demo) => {
        await withTime(one);
        await asked(one, 'ModelErrorRateHigh');
        const reason = 'the database is down';
        await one.answer('Hold', { title: 'Hold', choice: /10 min/, reason });
        await headline(one, 'On hold');
        expect(await seen(one.card)).toMatch(/held by @Tom Okafor until [\d:]+, .*the database is down/);
        expect(await one.buttons()).toEqual(expect.arrayContaining(['Resume', 'Roll back']));
        await written(one, ...started, 'question opened · Alertmanager', 'held · @tom');
        await neverWritten(one, demo, 'deadline reached');
        await one.panel.getByRole('heading', { name: 'Held at 70 %' }).waitFor();
        await stayed(one, demo);
      }),
    );

    it('metrics-gone: you decide to go back, and nobody can see whether it is well', STORY, () =>
      story({ scenario: 'metrics-gone', as: 'you', name: 'metrics-gone-attended' }, async (one, demo) => {
        await asked(one, 'MetricsMissing');
        await headline(one, 'A person is needed');
        await one.answer('Roll back', { title: 'Roll back', reason: 'better safe than sorry' });
        await headline(one, 'Stuck, a person is needed');
        await becomes(() => one.road('Back'), ['50 % done', '10 % done', '0 % now']);
        inOrder(await one.shares(), [0, 10, 70, 50, 10, 0]);
        expect((await demo.world()).split).toMatchObject({ stable: { percent: 100 }, candidate: { percent: 0 } });
        expect(await one.buttons()).toEqual(expect.arrayContaining(['Try again', 'Roll back']));
        const said = ['held · Automation', ...decidedBy('@you', 50, 10, 0), 'stuck · Automation'];
        await written(one, ...started, 'question opened · Alertmanager', ...said);
        await incidentIs(one, demo, 'triggered');
        await one.panel.getByRole('heading', { name: 'Stuck: a person is needed' }).waitFor();
      }),
    );
  });
});

const started = ['rollout started · @maya', 'shifted · Automation', 'gate passed · Automation', 'shifted · Automation'];

/** Decided by somebody, in whose name each phase is ordered and the return is told; all phases but the last have to pass. */
function goesBackBy(by: string, ...exposures: number[]): string[] {
  return [...decidedBy(by, ...exposures), `rolled back · ${by}`, 'question ended · Automation'];
}

function decidedBy(by: string, ...exposures: number[]): string[] {
  const each = [`phase ordered · ${by}`, 'shifted · Automation', 'phase passed · Automation'];
  return [`rollback decided · ${by}`, ...exposures.flatMap(() => each).slice(0, -1)];
}

/** The card is in the channel and says what fires, and the candidate has 70 %. */
async function asked({ card, panel }: Onlooker, alert: string): Promise<void> {
  await card.getByText(alert).first().waitFor();
  await panel.getByTestId('signals').getByText(alert).first().waitFor();
}

/** The demo at its usual speed from the second step on: nobody reads, presses and types within eight seconds. */
async function withTime({ panel, setSpeed }: Onlooker): Promise<void> {
  await panel.getByTestId('step-forward-70').and(panel.locator('[aria-current=step]')).waitFor();
  await setSpeed(1);
}

async function headline({ card }: Onlooker, words: string): Promise<void> {
  await card.getByRole('heading', { name: `fraud-scorer v42: ${words}`, exact: false }).waitFor();
}

/** All traffic is on stable again, by these exposures: on the way, at the end, and by the splitter's own word. */
async function wentBack(one: Onlooker, demo: DemoProcess, exposures: readonly number[]): Promise<void> {
  await one.panel.getByRole('heading', { name: 'Back on v41, and well' }).waitFor();
  const done = exposures.map((exposure) => `${exposure} % done`);
  await becomes(() => one.road('Back'), done);
  expect(await one.road('Forward')).toEqual(['10 % done', '70 % done', '100 % skipped']);
  expect(await seen(one.panel.getByTestId('share-stable'))).toBe('100 %');
  expect(await seen(one.panel.getByTestId('share-candidate'))).toBe('0 %');
  const way = [0, 10, 70, ...exposures];
  inOrder(await one.shares(), way);
  const { split, journal } = await demo.world();
  expect(split).toEqual({ stable: { version: 'v41', percent: 100 }, candidate: { version: 'v42', percent: 0 } });
  const shifts = journal.filter(({ what }) => what === 'shifted').map(({ text }) => Number(/(\d+) %/.exec(text)?.[1]));
  expect(shifts).toEqual(way.slice(1));
  await becomes(() => one.buttons(), []);
}

/** Nothing moved since the second step, and nothing will: there is no deadline any more. */
async function stayed(one: Onlooker, demo: DemoProcess): Promise<void> {
  expect(await seen(one.panel.getByTestId('share-stable'))).toBe('30 %');
  expect(await seen(one.panel.getByTestId('share-candidate'))).toBe('70 %');
  inOrder(await one.shares(), [0, 10, 70]);
  expect(await one.road('Forward')).toEqual(['10 % done', '70 % now', '100 % next']);
  expect(await one.panel.getByRole('list', { name: 'Back', exact: true }).count()).toBe(0);
  const { split } = await demo.world();
  expect(split).toEqual({ stable: { version: 'v41', percent: 30 }, candidate: { version: 'v42', percent: 70 } });
  await neverWritten(one, demo, 'rollback decided', 'phase ordered');
  expect(await one.page.getByText('Report:').count()).toBe(0);
}

/** The panel's journal has these, in this order, whatever else is written in between. */
async function written(one: Onlooker, ...entries: string[]): Promise<void> {
  await becomes(async () => inBetween(await one.journal(), entries), entries);
}

async function neverWritten(one: Onlooker, demo: DemoProcess, ...kinds: string[]): Promise<void> {
  const shown = await one.journal();
  const { journal } = await demo.world();
  for (const kind of kinds) {
    expect(shown.filter((entry) => entry.startsWith(kind))).toEqual([]);
    expect(journal.map(({ what }) => what)).not.toContain(kind.replaceAll(' ', '-'));
  }
}

/** As much of `wanted` as is found in order. */
function inBetween<T>(all: readonly T[], wanted: readonly T[]): T[] {
  let next = 0;
  for (const one of all) if (next < wanted.length && one === wanted[next]) next += 1;
  return wanted.slice(0, next);
}

/** What was shown is of this way, in order, up to its end. A page that was starved may have skipped some of it. */
function inOrder(shown: readonly number[], way: readonly number[]): void {
  expect(inBetween(way, shown), `${shown} of ${way}`).toEqual(shown);
  expect(shown.at(-1)).toBe(way.at(-1));
}

/** One incident, of this state: in PagerDuty and in the panel. */
async function incidentIs({ panel }: Onlooker, demo: DemoProcess, state: string): Promise<void> {
  const incidents = async () => (await demo.world()).incidents.map((incident) => incident.state);
  await becomes(incidents, [state]);
  await panel.getByTestId('signals').getByRole('listitem').filter({ hasText: 'PagerDuty' }).getByText(state).waitFor();
}

/** The report stands in the question's thread: who decided, why, and where traffic was. */
async function reported(one: Onlooker, decided: RegExp, exposures: string): Promise<void> {
  const thread = await one.thread(/Report:/);
  expect(thread).toMatch(decided);
  expect(thread).toContain(`exposure ${exposures}`);
}
