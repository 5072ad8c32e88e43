import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { attempts, type Frame, selectFrames, webpArguments } from './plan.ts';
import { Problem } from './problem.ts';
import { need, run, startDemo } from './programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const window = { width: 1280, height: 800 };
/** The animation is 960 pixels wide. */
const STORY_SCALE = 0.75;
const MOST_BYTES = 2_500_000;
const LENGTH = { totalMs: 19_500, holdMs: 1_100 };
const FRAME_EVERY_MS = 350;
/** The story takes about two minutes; one that hangs says so. */
const STORY_WITHIN_MS = 240_000;
/** After the question: its card has the comparison by then. */
const PICTURES_AFTER_MS = 5_000;
const DRAWN_AFTER_MS = 3_000;
/** After the end, and once more with the thread open: the report is in it by then. */
const LINGER_MS = 3_000;
/** Worth a longer look, as the other page names them. */
const looks = ['rolling-out', 'asked', 'paged', 'rolling-back', 'verifying', 'rolled-back'];
const ends = ['rolled-back', 'succeeded'];

/**
 * Makes demo.png, demo-dark.png, phone.png and story.webp from the real page, while the demo plays its story by itself.
 * `--out DIR` is where (docs/pictures). Everything it starts has ended when it resolves or throws.
 * @throws {Problem} where something is missing or the story does not come to its end.
 */
export async function record(
  argv: readonly string[],
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const out = readOut(argv);
  const img2webp = need(
    ['img2webp'],
    'Install it: it is in the package webp of Debian and Ubuntu, and in libwebp elsewhere.',
  );
  const executablePath = need(['chromium', 'chromium-browser', 'google-chrome'], 'Install Chromium.');
  await mkdir(out, { recursive: true });
  await using things = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'lastgood-record-'));
  things.defer(() => rm(folder, { recursive: true, force: true }));
  const demo = things.use(await startDemo(signal));
  print(`The demo runs at ${demo.url}`);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--hide-scrollbars'] });
  things.defer(() => browser.close());
  const frames = await film(browser, { url: demo.url, folder, out, print, signal });
  await joinFrames(img2webp, frames, join(out, 'story.webp'), print);
}

function readOut(argv: readonly string[]): string {
  try {
    const { values } = parseArgs({ args: [...argv], options: { out: { type: 'string' } }, strict: true });
    return values.out ?? join(root, 'docs/pictures');
  } catch (error) {
    throw new Problem(`${error instanceof Error ? error.message : String(error)}\nUsage: record [--out DIRECTORY]`);
  }
}

interface Film {
  readonly url: string;
  readonly folder: string;
  readonly out: string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Photographs the page until the story has ended, and the still pictures when people are asked. */
async function film(browser: Browser, { url, folder, out, print, signal }: Film): Promise<Frame[]> {
  const page = await openPage(browser, url, { viewport: window, deviceScaleFactor: STORY_SCALE });
  const frames: Frame[] = [];
  const began = Date.now();
  let [moment, since, pictured, threadOpen] = ['', began, false, false];
  while (!signal.aborted && Date.now() - began < STORY_WITHIN_MS) {
    const atMs = Date.now();
    const now = await momentOf(page);
    const changed = now !== moment;
    if (changed) {
      [moment, since] = [now, atMs];
      print(`${String(Math.round((atMs - began) / 1000)).padStart(4)} s  ${now}`);
    }
    const picture = await page.screenshot();
    const file = join(folder, `${String(frames.length).padStart(4, '0')}.png`);
    await writeFile(file, picture);
    const digest = createHash('sha256').update(picture).digest('hex');
    frames.push({ file, atMs, digest, moment: changed && looks.includes(now) ? now : null });
    if (!pictured && moment === 'asked' && atMs - since > PICTURES_AFTER_MS) {
      pictured = true;
      await takePictures(browser, url, out);
      print('The still pictures are taken.');
    }
    if (ends.includes(moment) && atMs - since > LINGER_MS) {
      if (threadOpen) return pictured ? frames : missed();
      // The end: what happened, told in the thread, and the report.
      await page.getByTestId('thread-link').last().click();
      [threadOpen, since] = [true, atMs];
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs + FRAME_EVERY_MS - Date.now())));
  }
  if (signal.aborted) throw new Problem('Stopped: there are no new pictures.');
  throw new Problem(`The story did not end within ${STORY_WITHIN_MS / 1000} s; it was at "${moment}".`);
}

function missed(): never {
  throw new Problem('The story ended without a question to people: there was nothing to take pictures of.');
}

async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> {
  const page = await browser.newPage({ locale: 'en-GB', colorScheme: 'light', ...options });
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  await page.getByTestId('composer').waitFor();
  return page;
}

/** Where the story is, as the other page is told it. */
async function momentOf(page: Page): Promise<string> {
  const source = await page.locator('iframe').getAttribute('src');
  const answer = await fetch(new URL('/state', source ?? ''));
  const { moment } = (await answer.json()) as { moment?: string };
  return moment ?? 'starting';
}

async function takePictures(browser: Browser, url: string, out: string): Promise<void> {
  const phone = { width: 400, height: 860 };
  const all = [
    { name: 'demo.png', options: { viewport: window, deviceScaleFactor: 1.5 } },
    { name: 'demo-dark.png', options: { viewport: window, deviceScaleFactor: 1.5, colorScheme: 'dark' as const } },
    { name: 'phone.png', options: { viewport: phone, deviceScaleFactor: 2 } },
  ];
  // All at once: the question is not open for ever.
  await Promise.all(all.map(({ name, options }) => takePicture(browser, url, join(out, name), options)));
}

async function takePicture(browser: Browser, url: string, path: string, options: BrowserContextOptions): Promise<void> {
  const page = await openPage(browser, url, options);
  const card = page
    .getByTestId('message')
    .filter({ has: page.getByRole('button', { name: 'Roll back' }) })
    .last();
  await card.getByTestId('chart').waitFor();
  const world = page.frameLocator('iframe');
  if (await page.locator('iframe').isVisible()) {
    // The tour would cover what the picture is of.
    await world.getByRole('button', { name: 'Skip' }).click();
    await world.locator('html').evaluate((node: { scrollTop: number }) => {
      node.scrollTop = 0;
    });
  }
  // Requests have passed the router, and lines are drawn with the next state.
  await page.waitForTimeout(DRAWN_AFTER_MS);
  // From its title on, where it is taller than its place.
  await card.evaluate((node: { scrollIntoView(how: object): void }) => node.scrollIntoView({ block: 'start' }));
  await page.screenshot({ path });
  await page.context().close();
}

/** Joins the frames; worse pictures and fewer of them until it is small enough. */
async function joinFrames(program: string, frames: readonly Frame[], out: string, print: (line: string) => void) {
  for (const { quality, mostFrames } of attempts) {
    const shown = selectFrames(frames, { ...LENGTH, mostFrames });
    await run(program, webpArguments(shown, quality, out));
    const { size } = await stat(out);
    const seconds = shown.reduce((sum, one) => sum + one.showMs, 0) / 1000;
    print(`${out}: ${shown.length} of ${frames.length} frames, ${seconds.toFixed(1)} s, ${Math.round(size / 1000)} kB`);
    if (size <= MOST_BYTES) return;
  }
  throw new Problem(`The animation stays larger than ${MOST_BYTES / 1e6} MB: ${out} is kept for a look.`);
}
