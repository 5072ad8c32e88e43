import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL, startWorld, type World } from '../acceptance/world.ts';
import { findProgram } from '../support/servers.ts';

const chromiumPath = findProgram('chromium');
const MINUTE = 60_000;

describe.skipIf(!chromiumPath)('the page, in Chromium (skipped: chromium is missing)', () => {
  let world: World;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    world = await startWorld();
    browser = await chromium.launch({
      executablePath: chromiumPath ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${world.workspace.url}/?user=U0BOB&channel=C1`);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('shows the card; Roll back is pressed, the modal filled, and traffic returns to stable', async () => {
    // The command line of the page itself.
    await page.getByTestId('composer').fill('/rollout start fraud-scorer v42');
    await page.getByTestId('composer').press('Enter');
    await world.workspace.waitFor(() => world.workspace.messages(CHANNEL).length > 0);
    await world.until('v42 gets 70 %', () => world.router.weights.candidate.percent === 70, 30 * MINUTE);
    await world.pass(3 * MINUTE);
    world.degrade('v42', 0.12);
    await world.pass(MINUTE);
    await world.alert('ErrorsHigh');
    await world.pass(MINUTE);

    const card = page.getByTestId('message').filter({ hasText: 'fraud-scorer-d1' }).last();
    await card
      .getByText(/Error rate/)
      .first()
      .waitFor();
    expect(await card.locator('table').count()).toBe(1);
    await card.getByRole('button', { name: 'Roll back' }).click();
    const modal = page.getByTestId('modal');
    await modal.getByText(/50 %/).first().waitFor();
    await modal.getByLabel(/reason/i).fill('errors are real, seen in the logs');
    await modal.getByRole('button', { name: 'Roll back' }).click();
    await modal.waitFor({ state: 'detached' });

    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 20 * MINUTE);
    expect(world.router.changes.map((change) => change.weights.candidate.percent)).toEqual([0, 10, 70, 50, 10, 0]);
    await card
      .getByText(/Rolled back/)
      .first()
      .waitFor();
    await card.getByRole('button', { name: 'Roll back' }).waitFor({ state: 'detached' });
    await world.alert('ErrorsHigh', { status: 'resolved' });
    await world.until(
      'the report is there',
      () => world.transcript.some((line) => line.includes('Report:')),
      15 * MINUTE,
    );
  }, 90_000);
});
