import { isDeepStrictEqual } from 'node:util';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { people } from '../../../src/demo/scenario.ts';
import type { DemoProcess } from './demo-process.ts';

/** A story takes half a minute at three times the speed; a busy machine gets all of this for each thing that is waited for. */
export const WITHIN = 150_000;
const OPENS_WITHIN = 20_000;
const LOOK_EVERY_MS = 100;
const recorder = new URL('./shown-shares.js', import.meta.url).pathname;

type Who = (typeof people)[number]['name'];

interface Seat {
  /** As whom the page is used. */
  readonly as: Who;
  readonly colorScheme: 'light' | 'dark';
}

/** Somebody in front of the demo's page: channel on the left, world on the right. */
export interface Onlooker extends AsyncDisposable {
  readonly page: Page;
  readonly panel: FrameLocator;
  /** The question's card in the channel. */
  readonly card: Locator;
  /** What the browser complained of, in the page and in the panel. */
  readonly complaints: readonly string[];
  /** Every share of the candidate that the panel showed, in order. */
  shares(): Promise<number[]>;
  /** The road's steps in one direction, each as "50 % done". */
  road(direction: 'Forward' | 'Back'): Promise<string[]>;
  /** The panel's journal, oldest first, each as "rollback decided · @maya". */
  journal(): Promise<string[]>;
  /** The labels of the buttons on the question's card. */
  buttons(): Promise<string[]>;
  /** Every row of buttons that stood there, in order. */
  everyButtons(): Promise<string[]>;
  /** Opens the question's thread, and answers all that stands in it. */
  thread(until: RegExp): Promise<string>;
  /** How fast the demo runs from now on: pressed in the panel. */
  setSpeed(factor: 1 | 3): Promise<void>;
  /** Presses a button of the card. */
  press(button: string): Promise<void>;
  /** Presses a button of the card, and fills in and sends the modal. */
  answer(button: string, filled: Filled): Promise<void>;
}

export interface Filled {
  readonly title: string;
  /** The radio button to choose; absent: as it stands. */
  readonly choice?: RegExp;
  readonly reason: string;
}

/** Opens the page in a browser context of its own. */
export async function sitDown(browser: Browser, demo: DemoProcess, { as, colorScheme }: Seat): Promise<Onlooker> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: 'UTC',
    locale: 'en-GB',
    colorScheme,
    // Without a graphics card the moving stream alone takes half a core; test/browser/world.test.ts looks at that.
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(WITHIN);
  await context.addInitScript({ path: recorder });
  await context.addInitScript({ content: "localStorage.setItem('lastgood-demo-tour', 'skipped')" });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  page.on('console', (message) => {
    const { url } = message.location();
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} ${url}`);
  });
  const user = people.find(({ name }) => name === as)?.id;
  await page.goto(`${demo.url}/?user=${user}&channel=C01ROLLOUTS`);
  const panel = page.frameLocator('iframe[title="The world"]');
  await panel.locator('body.ready').waitFor();
  const card = page.getByTestId('messages').getByTestId('message').filter({ hasText: 'fraud-scorer-d1' }).last();
  return {
    page,
    panel,
    card,
    complaints,
    async shares() {
      const frame = page.frames().find((one) => one.url().startsWith(demo.panelUrl));
      return (await frame?.evaluate<number[]>('shown.shares')) ?? [];
    },
    road: async (direction) => {
      const steps = await panel
        .getByRole('list', { name: direction, exact: true })
        .getByRole('listitem')
        .allInnerTexts();
      return steps.map((step) => plain(step.replace(/[✓●×]/g, '')));
    },
    journal: async () => (await panel.getByTestId('journal').locator('.by-journal .by').allInnerTexts()).reverse(),
    everyButtons: () => page.evaluate<string[]>('shown.buttons'),
    buttons: () => card.getByTestId('button').allInnerTexts(),
    async thread(until) {
      await card.getByTestId('thread-link').click();
      const thread = page.getByTestId('thread-messages');
      await thread.getByText(until).first().waitFor();
      return seen(thread);
    },
    async setSpeed(factor) {
      const choice = (pressed: boolean) =>
        panel.getByRole('button', { name: `${factor} times the speed`, exact: true, pressed });
      await choice(false).click();
      await choice(true).waitFor();
    },
    press: (button) => card.getByRole('button', { name: button, exact: true }).click(),
    async answer(button, { title, choice, reason }) {
      const modal = page.getByTestId('modal');
      const field = modal.getByLabel('Reason');
      // Slack gives an app three seconds to open a modal: on a starved machine it takes a second press, as a person would make it.
      for (let presses = 0; presses < 3 && !(await isThere(field)); presses += 1) {
        await card.getByRole('button', { name: button, exact: true }).click();
        await field.waitFor({ timeout: OPENS_WITHIN }).catch(() => undefined);
      }
      await field.fill(reason);
      expect(await seen(modal.getByTestId('modal-title'))).toBe(title);
      if (choice) await modal.getByRole('radio', { name: choice }).check();
      await modal.getByTestId('modal-submit').click();
      await modal.waitFor({ state: 'detached' });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

async function isThere(part: Locator): Promise<boolean> {
  return (await part.count()) > 0;
}

/** What is read there, as one line with usual spaces. */
export async function seen(part: Locator): Promise<string> {
  return plain((await part.allInnerTexts()).join(' '));
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * Waits until what is looked at is as it should be, and says how it is where it was not in time. Vitest's own `expect.poll` cannot be
 * used by tests that run side by side.
 */
export async function becomes<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const endMs = Date.now() + WITHIN;
  for (;;) {
    const found = await look();
    if (isDeepStrictEqual(found, wanted) || Date.now() > endMs) return expect(found).toEqual(wanted);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}
