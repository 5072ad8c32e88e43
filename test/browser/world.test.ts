import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorld } from '../../src/demo/world/server.ts';
import { findProgram } from '../support/servers.ts';
import { type SceneName, snapshotOf } from './support/snapshots.ts';
import { startWorldFixture, type WorldFixture } from './support/world-fixture.ts';

const inPage = new URL('./support/in-page.js', import.meta.url).pathname;
const chromiumPath = findProgram('chromium');
const TOUR_KEY = 'lastgood-demo-tour';
/** Bound of every wait: this machine may be busy. */
const WITHIN = 20_000;

/** What the strip says in each. */
const titles = {
  serving: 'All is well',
  'second step': 'Rolling out v42',
  paged: 'People are asked',
  'rolling back': 'Rolling back to v41',
  'rolled back': 'Back on v41, and well',
} as const;
const background = 'getComputedStyle(document.documentElement).backgroundColor';

interface Visit extends BrowserContextOptions {
  /** False: it was skipped once. */
  readonly tour?: boolean;
  readonly scene?: SceneName;
  readonly path?: string;
}

describe.skipIf(!chromiumPath)(
  'the world beside the channel (skipped: chromium is missing)',
  { timeout: 120_000 },
  () => {
    let fixture: WorldFixture;
    let browser: Browser;
    let page: Page;
    let complaints: string[] = [];

    beforeAll(async () => {
      fixture = await startWorldFixture();
      browser = await chromium.launch({
        executablePath: chromiumPath ?? '',
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      });
    });
    afterAll(async () => {
      await browser?.close();
      await fixture?.stop();
    });
    beforeEach(() => {
      complaints = [];
      fixture.reset();
    });
    afterEach(async () => {
      await page?.context().close();
      expect(complaints).toEqual([]);
    });

    async function visit({ tour = false, scene = 'serving', path = '/', ...options }: Visit = {}): Promise<void> {
      fixture.show(scene);
      const context = await browser.newContext({
        viewport: { width: 640, height: 900 },
        timezoneId: 'UTC',
        locale: 'en-GB',
        ...options,
      });
      context.setDefaultTimeout(WITHIN);
      page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') {
          complaints.push(`${message.text()} ${message.location().url}`);
        }
      });
      page.on('pageerror', (error) => complaints.push(String(error.stack)));
      await page.addInitScript({ path: inPage });
      if (!tour) await page.addInitScript({ content: `localStorage.setItem('${TOUR_KEY}', 'skipped')` });
      await page.goto(`${fixture.url}${path}`);
      await page.locator('body.ready').waitFor();
    }
    const text = async (id: string) => (await page.getByTestId(id).textContent()) ?? '';
    const ask = (expression: string) => page.evaluate<unknown>(expression);
    const plain = (value: string) => value.replace(/\s+/g, ' ').trim();
    const until = (what: () => Promise<unknown>, value: unknown) =>
      expect.poll(what, { timeout: WITHIN }).toEqual(value);
    const stopShown = () => page.getByTestId('tour').getByRole('heading').textContent();

    it('says what happens now, and where the traffic goes', async () => {
      await visit({ scene: 'second step' });
      expect(await page.getByRole('heading', { name: 'Rolling out v42' }).count()).toBe(1);
      expect(plain(await text('share-stable'))).toBe('30 %');
      expect(plain(await text('share-candidate'))).toBe('70 %');
      expect(plain(await text('arm-candidate'))).toMatch(/v42[\s\S]*candidate[\s\S]*failed 0\.\d %/);
      expect(await page.getByTestId('split').getAttribute('aria-label')).toMatch(
        /^Live traffic: v41 \(stable\) 30 %, .* failed, .* slow; v42 \(candidate\) 70 %/,
      );
      expect(plain(await text('sources'))).toBe(
        'Measured by Prometheus 2.42.0 (installed here), a built-in stand-in for Alertmanager.',
      );
      fixture.show('rolling back');
      await until(async () => plain(await text('share-candidate')), '50 %');
      expect(await page.getByRole('heading', { name: 'Rolling back to v41' }).count()).toBe(1);
    });

    it('draws both versions’ lines, with their numbers for those who cannot see them', async () => {
      await visit({ scene: 'paged' });
      const errors = page.getByTestId('line-errors');
      await errors.locator('canvas').waitFor();
      expect(plain((await errors.getAttribute('aria-label')) ?? '')).toMatch(
        /^Errors, the last two minutes\. Now: v41 \(stable\) 0\.\d %, v42 \(candidate\) 3\d %\.$/,
      );
      expect(plain((await page.getByTestId('line-slow').getAttribute('aria-label')) ?? '')).toMatch(
        /^Over 500 ms, .* v42 \(candidate\) \d\.\d %\.$/,
      );
      expect(await page.getByTestId('line-wrong').count()).toBe(0);
      // Something of the candidate's colour is on the canvas, and of stable's.
      for (const name of ['--candidate', '--stable']) {
        const inked = () => ask(`probe.inked('[data-testid=line-errors] canvas', '${name}')`);
        await expect.poll(inked, { timeout: WITHIN, message: name }).toBeGreaterThan(30);
      }
    });

    it('draws wrong scores too, once the feed carries them', async () => {
      await visit({ scene: 'second step' });
      fixture.tellWrongScores(true);
      const wrong = page.getByTestId('line-wrong');
      await wrong.locator('canvas').waitFor();
      expect(plain((await wrong.getAttribute('aria-label')) ?? '')).toBe(
        'Wrong scores, the last two minutes. Now: v41 (stable) 2.0 %, v42 (candidate) 12 %.',
      );
      expect(plain(await text('arm-candidate'))).toContain('wrong 12 %');
      expect(await page.getByTestId('lines').locator('canvas').count()).toBe(3);
    });

    it('shows no old number as a present one once nothing is measured any more', async () => {
      await visit({ scene: 'paged' });
      const gauge = async () => (await page.locator('.gauge > div').allTextContents()).map(plain);
      await until(gauge, ['v41 30 %', 'v42 70 %31 % failed']);
      fixture.show('unmeasured');
      await until(gauge, ['v41 30 %–', 'v42 70 %–']);
      const facts = page.getByTestId('arm-candidate').locator('.fact:visible');
      expect((await facts.allTextContents()).map(plain)).toEqual(['failed –', 'slow –']);
      expect(await page.getByTestId('split').getAttribute('aria-label')).toBe(
        'Live traffic: v41 (stable) 30 %, not measured; v42 (candidate) 70 %, not measured',
      );
      const errors = page.getByTestId('line-errors');
      const label = async () => plain((await errors.getAttribute('aria-label')) ?? '');
      await until(label, 'Errors, the last two minutes. Now: v41 (stable) –, v42 (candidate) –.');
      expect(await text('signals')).toContain('MetricsMissing');
    });

    it('marks an alert in the charts also when it is over, and leaves gaps where nothing was read', async () => {
      await visit();
      const marks = await ask(`import('/markers.js').then(({ markersOf }) => {
        const line = (atMs, what, who, text) => ({ atMs, what, who, text });
        const journal = [
          line(10_000, 'question-opened', 'Alertmanager', 'ModelSlow (critical) fires: v42 is slow.'),
          line(20_000, 'question-opened', 'Automation (fraud-scorer@4be1)', 'It has lasted: what shall be done?'),
          line(30_000, 'question-joined', 'Alertmanager', 'DriftHigh (warning) fires as well: v42 drifts.'),
          line(40_000, 'alert-resolved', 'Alertmanager', 'ModelSlow is over.'),
        ];
        const firing = { name: 'DriftHigh', state: 'firing', sinceMs: 28_000 };
        return markersOf({ journal, alerts: [firing] }, 0).map(({ atMs, kind }) => kind + ' ' + atMs);
      })`);
      expect(marks).toEqual(['alert 10000', 'alert 30000']);
      const gaps = await ask(`import('/newest.js').then(({ withGaps }) =>
        withGaps([1_000, 2_000, 9_000].map((atMs) => ({ atMs, errorShare: 0 }))).map((point) => point.errorShare ?? null))`);
      expect(gaps).toEqual([0, 0, null, 0]);
    });

    it('says which version an alert is about', async () => {
      await visit({ scene: 'paged' });
      expect(await text('signals')).toContain('ModelErrorRateHighv42, since 14:00:56');
    });

    it('shows earlier numbers under the cursor, in both charts, also by keyboard', async () => {
      await visit({ scene: 'paged' });
      const [errors, slow] = [page.getByTestId('line-errors'), page.getByTestId('line-slow')];
      await slow.locator('canvas').waitFor();
      const heads = page.locator('.chart-head .at');
      expect(await heads.allInnerTexts()).toEqual(['', '']);
      await errors.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('End');
      for (let presses = 0; presses < 14; presses += 1) await page.keyboard.press('ArrowLeft');
      // 14 s before 14:01:12, where the alert fired.
      await expect.poll(() => heads.allInnerTexts(), { timeout: WITHIN }).toEqual(['14:00:58', '14:00:58']);
      expect(await text('markers')).toContain('ModelErrorRateHigh fires');
      await page.keyboard.press('Escape');
      await until(() => heads.allInnerTexts(), ['', '']);
      expect(await text('markers')).toContain('traffic moved');
    });

    it('shows the road forward and back', async () => {
      await visit();
      expect(await text('road')).toContain('No rollout yet');
      const states = () => page.getByTestId('road').getByRole('listitem').allInnerTexts();
      const flat = async () => (await states()).map((one) => plain(one.replace(/[✓●×]/g, '')));
      fixture.show('second step');
      await until(flat, ['10 % done', '70 % now', '100 % next']);
      expect(await page.locator('[aria-current=step]').textContent()).toContain('70');
      fixture.show('rolling back');
      await until(flat, ['10 % done', '70 % done', '100 % skipped', '50 % now', '10 % next', '0 % next']);
      expect(plain(await text('road-note'))).toBe('At 50 %: v41 carries the load well. Until 14:01:38 at the latest:');
      expect(plain(await text('road-left'))).toMatch(/^([123] s|now)$/);
      fixture.show('rolled back');
      await until(async () => (await flat()).slice(3), ['50 % done', '10 % done', '0 % done']);
    });

    it('counts down on the demo’s clock', async () => {
      await visit({ scene: 'asked' });
      const seconds = async () => Number(/\d+/.exec(await text('countdown'))?.[0] ?? Number.NaN);
      expect(plain(await text('until'))).toMatch(/^Nobody answers: rolls back by itself at 14:01:28 in 2[0-3] s$/);
      fixture.show('asked', { runs: true });
      await expect.poll(seconds, { timeout: WITHIN }).toBeLessThan(22);
      fixture.setSpeed(3);
      await page.getByRole('button', { name: '3 times the speed', pressed: true }).waitFor();
      // The clock by itself, without a server: three seconds of the demo's in one of the visitor's.
      const gone = await ask(`(async () => {
      const { createClock } = await import('/clock.js');
      let wallMs = 0;
      const clock = createClock(() => wallMs);
      clock.set(10_000, 3);
      wallMs = 1_000;
      const after = clock.nowMs();
      // A snapshot that comes a little late does not make it stutter; one of another time sets it.
      clock.set(12_900, 3);
      const nudged = clock.nowMs();
      clock.set(60_000, 3);
      return [after, nudged, clock.nowMs()];
    })()`);
      expect(gone).toEqual([13_000, 12_980, 60_000]);
    });

    it('says why a control is blocked, and what came of one that was pressed', async () => {
      await visit();
      const errors = page.getByTestId('control-errors');
      const why = 'No candidate has traffic: start a rollout first.';
      expect(await errors.getAttribute('aria-disabled')).toBe('true');
      expect(await errors.getAttribute('title')).toBe(why);
      expect(await errors.getAttribute('aria-describedby')).toBe('why-errors');
      expect(await page.locator('#why-errors').textContent()).toBe(why);
      // Blocked ones stay reachable.
      await errors.focus();
      await page.keyboard.press('Enter');
      await until(() => text('answer'), why);
      expect(fixture.pressed).toEqual([]);

      fixture.show('second step');
      await until(() => errors.getAttribute('aria-disabled'), 'false');
      expect(await page.getByRole('group', { name: 'Make v42 worse' }).getByRole('button').count()).toBe(6);
      await page.getByTestId('control-latency').click();
      await until(() => text('answer'), 'Pressed: latency.');
      expect(await page.getByTestId('answer').getAttribute('role')).toBe('status');
      await errors.focus();
      await page.keyboard.press('Space');
      await until(() => text('answer'), 'Pressed: errors.');
      fixture.show('paged');
      await until(() => errors.getAttribute('aria-pressed'), 'true');
      await page.getByRole('button', { name: '3 times the speed' }).click();
      await until(async () => fixture.pressed.length, 3);
      expect(fixture.pressed).toEqual(['latency', 'errors', 'speed']);
    });

    it('does everything by single keys, and lists them', async () => {
      await visit({ scene: 'second step' });
      for (const [key, action] of [
        ['1', 'errors'],
        ['2', 'latency'],
        ['3', 'accuracy'],
        ['4', 'drift'],
        ['5', 'both'],
        ['6', 'metrics-gone'],
        ['0', 'heal'],
        ['f', 'speed'],
      ] as const) {
        await page.keyboard.press(key);
        await until(async () => fixture.pressed.at(-1), action);
      }
      // A rollout is under way: the key says so and does nothing.
      await page.keyboard.press('n');
      await until(() => text('answer'), 'A rollout is under way.');
      // Neither with a modifier, which is the browser's.
      await page.keyboard.press('Control+1');
      await page.keyboard.press('?');
      const help = page.getByTestId('help');
      await help.waitFor();
      expect(await help.textContent()).toMatch(/1[\s\S]*Make v42 fail[\s\S]*n[\s\S]*Start v43[\s\S]*Faster[\s\S]*tour/);
      await page.keyboard.press('2');
      await help.getByLabel('Single keys work on this page').uncheck();
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'hidden' });
      await page.keyboard.press('3');
      await page.keyboard.press('?');
      await help.waitFor();
      expect(fixture.pressed).toHaveLength(8);
      expect(fixture.pressed.at(-1)).toBe('speed');
    });

    it('tells the journal as it is written, newest first, and who is told', async () => {
      await visit({ scene: 'asked' });
      const journal = page.getByTestId('journal');
      expect(await journal.getByRole('listitem').first().textContent()).toContain('People are asked');
      expect(await journal.locator('.fresh').count()).toBe(0);
      expect(await text('signals')).toMatch(/firing[\s\S]*ModelErrorRateHigh/);
      const before = await journal.getByRole('listitem').count();
      fixture.show('paged');
      await until(() => journal.getByRole('listitem').count(), before + 1);
      expect(await journal.locator('.fresh').textContent()).toMatch(
        /14:01:10[\s\S]*PagerDuty was called[\s\S]*paged · policy@4be1/,
      );
      expect(await text('signals')).toMatch(/triggered[\s\S]*PagerDuty/);
      await page.keyboard.press('j');
      expect(await ask('document.activeElement.id')).toBe('journal');
      await page.keyboard.press('End');
      await expect.poll(() => ask('document.activeElement.scrollTop'), { timeout: WITHIN }).toBeGreaterThan(0);
    });

    it('opens the tour in sight, also in the middle of the story', async () => {
      await visit({ tour: true, scene: 'rolling back', viewport: { width: 400, height: 900 } });
      await until(() => ask('probe.tourStands()'), 'well');
      expect(await stopShown()).toBe('Back in phases, not in one jump');
    });

    it('guides through the story by itself, until the visitor takes over', async () => {
      await visit({ tour: true });
      const tour = page.getByTestId('tour');
      expect(await stopShown()).toBe('A model at work');
      const stops: readonly (readonly [SceneName, string])[] = [
        ['first step', 'A new version, a little at a time'],
        ['second step', 'Compared with the version beside it'],
        ['asked', 'It got worse: people are asked first'],
        ['paged', 'Nobody answered yet: somebody is paged'],
        ['rolling back', 'Back in phases, not in one jump'],
        ['rolled back', 'How it ended, and why'],
      ];
      for (const [scene, title] of stops) {
        fixture.show(scene);
        await until(stopShown, title);
        await until(() => ask('probe.tourStands()'), 'well');
      }
      await tour.getByRole('button', { name: 'Back' }).click();
      await until(stopShown, 'Back in phases, not in one jump');
      expect(await ask('document.activeElement.textContent')).toBe('Back');
      // Taken over: the story does not pull the card away.
      fixture.show('asked');
      await page.getByRole('heading', { name: 'People are asked', exact: true }).waitFor();
      expect(await stopShown()).toBe('Back in phases, not in one jump');
      expect(await tour.textContent()).toContain('comes later');
      await tour.getByRole('button', { name: 'Follow the story' }).click();
      await until(stopShown, 'It got worse: people are asked first');
      await tour.getByRole('button', { name: 'Skip' }).click();
      await tour.waitFor({ state: 'detached' });
      await page.reload();
      await page.locator('body.ready').waitFor();
      expect(await tour.count()).toBe(0);
      await page.keyboard.press('t');
      await until(stopShown, 'It got worse: people are asked first');
      expect(await ask('document.activeElement.textContent')).toBe('Next');
      await page.keyboard.press('Escape');
      await tour.waitFor({ state: 'detached' });
      await until(() => ask('document.activeElement.id'), 'tour-open');
    });

    it.each([400, 640, 900, 1280])('fits at %i px, in every part of the story', async (width) => {
      await visit({ viewport: { width, height: 800 }, tour: true });
      for (const scene of ['serving', 'paged', 'rolling back', 'rolled back'] as const) {
        fixture.show(scene);
        await until(() => text('now-title'), titles[scene]);
        expect(await ask('document.documentElement.scrollWidth - innerWidth')).toBe(0);
      }
    });

    it.each(['light', 'dark'] as const)('can be read, %s', async (colorScheme) => {
      await visit({ colorScheme });
      expect(await ask(background)).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(26, 29, 33)');
      await page.keyboard.press('t');
      for (const scene of ['serving', 'second step', 'paged', 'rolled back'] as const) {
        fixture.show(scene);
        await until(() => text('now-title'), titles[scene]);
        expect(await ask('probe.lowContrast()')).toEqual([]);
      }
    });

    it('follows the theme of the page around it', async () => {
      await visit({ colorScheme: 'light', path: '/?theme=dark' });
      const theme = () => ask('document.documentElement.dataset.theme');
      expect(await theme()).toBe('dark');
      expect(await ask(background)).toBe('rgb(26, 29, 33)');
      await ask(`postMessage({ type: 'theme', value: 'light' }, location.origin)`);
      await until(theme, 'light');
    });

    it('moves, and stands still for those who prefer it', async () => {
      await visit({ scene: 'second step' });
      const canvas = page.getByTestId('flow-canvas');
      await until(() => canvas.getAttribute('data-running'), 'true');
      const drawn = () => ask(`document.querySelector('[data-testid=flow-canvas]').toDataURL()`);
      const once = await drawn();
      await expect.poll(drawn, { timeout: WITHIN }).not.toBe(once);
      // Nobody sees it: it costs nothing.
      await page.getByTestId('journal').scrollIntoViewIfNeeded();
      await until(() => canvas.getAttribute('data-running'), 'false');
      await page.context().close();

      await visit({ scene: 'second step', reducedMotion: 'reduce' });
      expect(await page.getByTestId('flow-canvas').isVisible()).toBe(false);
      expect(plain(await text('share-candidate'))).toBe('70 %');
      const widths = await ask(`[...document.querySelectorAll('.bar div')].map((node) => node.style.width)`);
      expect(widths).toEqual(['30%', '70%']);
      expect(await page.locator('.bar').isVisible()).toBe(true);
      fixture.show('paged');
      await page.locator('.fresh').first().waitFor();
      expect(await ask(`getComputedStyle(document.querySelector('.fresh')).animationName`)).toBe('none');
    });

    it('says that everything is starting until there is something to see', async () => {
      const starting = await startWorld();
      try {
        page = await browser.newPage();
        await page.goto(starting.url);
        await page.waitForResponse((response) => response.url().endsWith('/state') && response.status() === 503);
        expect(await text('now-title')).toBe('Starting…');
        starting.show({ snapshot: async () => snapshotOf('serving', 0, 1), act: async () => '' });
        await until(() => text('now-title'), 'All is well');
      } finally {
        await page.close();
        await starting.stop();
      }
    });

    it('says that the demo does not answer, and is there again when it does', async () => {
      await visit({ scene: 'asked' });
      expect(await text('countdown')).not.toBe('');
      await page.route('**/events', (route) => route.abort());
      await page.reload();
      await page.getByRole('heading', { name: 'The demo does not answer' }).waitFor();
      expect(await text('countdown')).toBe('');
      await page.unroute('**/events');
      await page.getByRole('heading', { name: 'People are asked', exact: true }).waitFor();
      // That is what was brought about here.
      complaints = complaints.filter((one) => !one.includes('net::ERR_FAILED'));
    });

    it('shows something soon (measured, printed, not judged)', async () => {
      await visit({ scene: 'paged' });
      await page.getByTestId('line-errors').locator('canvas').waitFor();
      const marks = () =>
        ask(
          `performance.getEntriesByType('mark').map(({ name, startTime }) => name + ' ' + Math.round(startTime) + ' ms').join()`,
        );
      await expect.poll(marks, { timeout: WITHIN }).toMatch(/^world-skeleton .*world-first .*world-lines/);
      process.stdout.write(`first view: ${await marks()}\n`);
    });
  },
);
