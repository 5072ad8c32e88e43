import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fields } from '../../src/workspace/fields.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';
import { degradationCard, rollbackModal } from './card.ts';
import { ada, channel, grace, mrkdwn, ok, plain, section, workspaceOptions } from './support.ts';

const executablePath = '/usr/bin/chromium';

/** What Slack sends: events as JSON, interactions in a form's field, commands as a form. */
function payloadOf(type: string | undefined, body: string): Fields {
  if (type === 'application/json') return JSON.parse(body) as Fields;
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  return payload === null ? Object.fromEntries(form) : (JSON.parse(payload) as Fields);
}

describe.skipIf(!existsSync(executablePath))('the page (skipped: chromium is missing)', () => {
  let browser: Browser;
  let workspace: Workspace;
  let app: Server;
  let page: Page;
  /** What the page complained of: a script error or something its content policy refused. */
  let complaints: string[];
  /** The app's answer to an interaction, for each test to set. */
  let answer: (payload: Fields) => Promise<string> | string;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    answer = () => '';
    complaints = [];
    app = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', async () => {
        if (request.url?.startsWith('/world')) return response.end('<p>the world</p>');
        return response.end(await answer(payloadOf(request.headers['content-type'], body)));
      });
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    const panel = { title: 'World', url: `${origin}/world` };
    workspace = createWorkspace(workspaceOptions({ appUrl: origin, panel }));
    await workspace.start();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });

  afterEach(async () => {
    await page.close();
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
    await workspace.stop();
    expect(complaints.filter((text) => !text.includes('ERR_INCOMPLETE_CHUNKED_ENCODING'))).toEqual([]);
  });

  const open = (more = ''): Promise<unknown> => page.goto(`${workspace.url}/?user=${ada}&channel=${channel}${more}`);
  const post = (args: Fields) => ok(workspace, 'chat.postMessage', { channel, text: 'x', ...args });

  test('a card appears live, is pressed, its modal is filled, the answer comes as an error and then goes through', async () => {
    answer = async (payload) => {
      if (payload.type === 'block_actions') {
        await ok(workspace, 'views.open', { trigger_id: payload.trigger_id, view: rollbackModal });
        return '';
      }
      const { values } = (payload.view as { state: { values: Record<string, Record<string, Fields>> } }).state;
      if (String(values.why?.reason?.value).length > 10) return '';
      return JSON.stringify({ response_action: 'errors', errors: { why: 'Say a little more.' } });
    };
    await open();
    await page.getByTestId('composer').waitFor();
    await post({ text: 'degraded', blocks: degradationCard(Date.now()) });
    const card = page.getByTestId('message').filter({ hasText: 'fraud-scorer v42 is degraded' });
    await card.waitFor();
    expect(await card.locator('td').nth(4).textContent()).toBe('🔴 worse');
    expect(await card.locator('svg[role=img]').getAttribute('aria-label')).toContain('v42 candidate: 12:00 0.4');
    expect(await card.locator('.align-right').count()).toBe(12);

    await card.getByRole('button', { name: 'Roll back' }).click();
    const modal = page.getByTestId('modal');
    await modal.waitFor();
    expect(await modal.getByTestId('modal-title').textContent()).toBe('Roll back');
    await modal.getByTestId('modal-submit').click();
    await expect
      .poll(() => modal.getByTestId('input-error').textContent())
      .toBe('Please complete this required field.');
    await modal.getByLabel('Reason').fill('short');
    await modal.getByLabel('To version').selectOption('v40');
    await modal.getByTestId('modal-submit').click();
    await expect.poll(() => modal.getByTestId('input-error').textContent()).toBe('Say a little more.');
    // What was chosen survives the error.
    expect(await modal.getByLabel('To version').inputValue()).toBe('v40');
    await modal.getByLabel('Reason').fill('error rate tripled');
    await modal.getByTestId('modal-submit').click();
    await modal.waitFor({ state: 'detached' });
    const submission = workspace.deliveries.filter((one) => one.kind === 'view_submission').at(-1)?.payload
      .view as Fields;
    expect(submission.state).toMatchObject({
      values: {
        target: { version: { selected_option: { value: 'v40' } } },
        pace: { how: { selected_option: { value: 'phased' } } },
      },
    });
  });

  test('confirm dialogs ask first; the overflow menu acts', async () => {
    await post({ blocks: degradationCard(Date.now()) });
    await open();
    const used = () => workspace.deliveries.map((one) => (one.payload.actions as Fields[])[0]?.action_id);
    await page.getByRole('button', { name: 'Promote one step' }).click();
    await page.getByTestId('confirm').getByTestId('confirm-deny').click();
    await page.getByRole('button', { name: 'Promote one step' }).click();
    await page.getByTestId('confirm').getByTestId('confirm-yes').click();
    await expect.poll(used).toEqual(['promote']);
    await page.getByTestId('overflow').locator('summary').click();
    await page.getByTestId('overflow-option').getByText('I am on it').click();
    await expect.poll(used).toEqual(['promote', 'more']);
  });

  test('a command is completed, typed and answered; a failure is told', async () => {
    answer = (payload) => (payload.text === 'status a' ? 'All is well.' : '');
    await open();
    const composer = page.getByTestId('composer');
    await composer.pressSequentially('/ro');
    expect(await page.getByTestId('completion').first().textContent()).toContain('[start|status|help] <service>');
    await composer.press('Tab');
    expect(await composer.inputValue()).toBe('/rollout ');
    await composer.pressSequentially('sta');
    expect(await page.getByTestId('completion').allTextContents()).toEqual(['start', 'status']);
    await composer.press('ArrowDown');
    await composer.press('Tab');
    await composer.pressSequentially('a');
    await composer.press('Enter');
    const only = page.getByTestId('ephemeral');
    await only.getByText('All is well.').waitFor();
    expect(await only.textContent()).toContain('Only visible to you');
    workspace.connect(null);
    await composer.fill('/rollout');
    await composer.press('Enter');
    await only.getByText('/rollout failed with the error').waitFor();
    await only.first().getByTestId('dismiss').click();
    await expect.poll(() => only.count()).toBe(1);
  });

  test('threads open on the right, and replies are counted under the parent', async () => {
    const { ts } = await post({ text: 'parent' });
    await post({ text: 'first reply', thread_ts: ts });
    await open();
    await page.getByTestId('thread-link').click();
    await page.getByTestId('thread').getByText('first reply').waitFor();
    await page.getByTestId('thread-composer').fill('mine');
    await page.getByTestId('thread-composer').press('Enter');
    await page.getByTestId('thread-messages').getByText('mine').waitFor();
    await expect.poll(() => page.getByTestId('thread-link').textContent()).toContain('2 replies');
    expect(workspace.thread(channel, String(ts)).at(-1)).toMatchObject({ text: 'mine', user: ada });
    await page.getByTestId('thread-close').click();
    expect(await page.getByTestId('thread').isHidden()).toBe(true);
  });

  test('text from outside stays text', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const escaped = evil.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    await post({ text: evil });
    await post({
      text: 'x',
      blocks: [
        section(`${escaped} <javascript:alert(1)|click> *bold* &amp;amp;`),
        { type: 'header', text: plain(evil) },
      ],
    });
    await open();
    const messages = page.getByTestId('messages');
    await messages.getByRole('heading').waitFor();
    expect(await messages.getByRole('heading').textContent()).toBe(evil);
    expect(await messages.locator('img[src=x]').count()).toBe(0);
    expect(await messages.locator('a[href^=javascript]').count()).toBe(0);
    expect(await messages.locator('strong', { hasText: 'bold' }).count()).toBe(1);
    expect(await messages.textContent()).toContain('&amp;');
  });

  test('mentions, dates, emoji and code are drawn', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    await post({
      text: `<@${grace}> :white_check_mark: \`v41\` <!date^${seconds}^{date_num}|once> <https://example.com|runbook> &gt; not a quote\n&gt; a quote`,
    });
    await open();
    const message = page.getByTestId('message').first();
    await message.waitFor();
    const text = await message.locator('.content').textContent();
    expect(text).toContain('@Grace Hopper ✅ v41');
    expect(text).toMatch(/\d{4}-\d{2}-\d{2} runbook > not a quote/);
    expect(await message.locator('blockquote').textContent()).toBe('a quote');
    expect(await message.locator('a').getAttribute('rel')).toContain('noreferrer');
  });

  test('another person sees other things; the Home tab is theirs', async () => {
    answer = async (payload) => {
      const event = payload.event as Fields | undefined;
      if (event?.type === 'app_home_opened') {
        const blocks = [section(`Hello <@${String(event.user)}>`)];
        await ok(workspace, 'views.publish', { user_id: event.user, view: { type: 'home', blocks } });
      }
      return '';
    };
    await ok(workspace, 'chat.postEphemeral', { channel, user: grace, text: 'for grace' });
    await open();
    await page.getByTestId('user-switch').waitFor();
    expect(await page.getByTestId('ephemeral').count()).toBe(0);
    await page.getByTestId('user-switch').selectOption(grace);
    await page.getByTestId('ephemeral').getByText('for grace').waitFor();
    await page.getByTestId('app-home').click();
    await page.getByTestId('home').getByText('Hello @Grace Hopper').waitFor();
    await page.getByTestId('channel-old').click();
    await expect.poll(() => page.getByTestId('composer').isDisabled()).toBe(true);
  });

  test('an update replaces the card and keeps what others have focused', async () => {
    const { ts } = await post({ blocks: [section('before')] });
    await post({
      blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: 'keep', text: plain('Keep') }] }],
    });
    await open();
    await page.getByRole('button', { name: 'Keep' }).focus();
    await ok(workspace, 'chat.update', { channel, ts, text: 'x', blocks: [section('after')] });
    await page.getByText('after').waitFor();
    expect(await page.getByText('before').count()).toBe(0);
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('Keep');
  });

  test('every block has a drawing', async () => {
    const rich = {
      type: 'rich_text',
      elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'rich', style: { bold: true } }] }],
    };
    const option = { text: plain('One'), value: '1' };
    await post({
      blocks: [
        { type: 'markdown', text: '## Title\n\n**bold** [link](https://example.com)' },
        rich,
        { type: 'divider' },
        {
          type: 'plan',
          title: 'Plan',
          tasks: [{ type: 'task_card', task_id: '1', title: 'Task', status: 'in_progress', details: rich }],
        },
        { type: 'container', title: plain('Box'), is_collapsible: true, child_blocks: [section('inside')] },
        { type: 'carousel', elements: [{ type: 'card', title: mrkdwn('Card') }] },
        { type: 'input', label: plain('When'), element: { type: 'datetimepicker', action_id: 'd' } },
        {
          type: 'actions',
          elements: [
            { type: 'radio_buttons', action_id: 'r', options: [option] },
            { type: 'checkboxes', action_id: 'c', options: [option] },
            { type: 'users_select', action_id: 'u' },
          ],
        },
        {
          type: 'context_actions',
          elements: [
            {
              type: 'feedback_buttons',
              action_id: 'f',
              positive_button: { text: plain('Good'), value: '+' },
              negative_button: { text: plain('Bad'), value: '-' },
            },
          ],
        },
        { type: 'section', fields: [mrkdwn('*a*'), mrkdwn('b')] },
      ],
    });
    await open();
    const message = page.getByTestId('message');
    await message.waitFor();
    expect(await message.locator('.block').count()).toBeGreaterThanOrEqual(13);
    expect(await message.textContent()).not.toMatch(
      /\((input|plan|markdown|container|card|rich_text|feedback_buttons)\)/,
    );
    await message.getByRole('button', { name: 'Good' }).click();
    await expect.poll(() => workspace.deliveries.length).toBe(1);
    expect(workspace.deliveries[0]?.payload.actions).toMatchObject([{ type: 'feedback_buttons', value: '+' }]);
  });

  test('at 400 px nothing overflows, and the channels come from the side', async () => {
    await page.setViewportSize({ width: 400, height: 800 });
    await post({ blocks: degradationCard(Date.now()) });
    await open();
    await page.getByTestId('chart').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
    expect(await page.getByTestId('panel').isHidden()).toBe(true);
    await page.getByTestId('menu-toggle').click();
    await page.getByTestId('channel-general').click();
    await expect.poll(() => page.title()).toBe('#general · Local workspace');
  });

  test('the other page is shown beside the channel', async () => {
    await open();
    await page.frameLocator('iframe[title=World]').getByText('the world').waitFor();
    await page.getByTestId('composer').fill('still here');
    await page.getByTestId('composer').press('Enter');
    await page.getByTestId('message').getByText('still here').waitFor();
    await page.getByTestId('panel-toggle').click();
    expect(await page.getByTestId('panel').isHidden()).toBe(true);
  });
});
