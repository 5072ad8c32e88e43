import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { createLab, createTraffic, type Lab, type LabOptions, seededRandom } from '../../src/demo/lab/index.ts';
import { createModelMetrics, latencyBounds } from '../../src/demo/lab/model-metrics.ts';
import { prometheusPath, startPrometheus } from '../support/prometheus.ts';
import { findProgram } from '../support/servers.ts';

const running: Lab[] = [];
afterEach(async () => {
  for (const lab of running.splice(0)) await lab.stop();
});

/** Without traffic of its own unless asked: what a test sends is all there is. */
async function started(options: LabOptions = {}): Promise<Lab> {
  const lab = await createLab({ ...options, ratePerSecond: options.ratePerSecond ?? 0.001 });
  running.push(lab);
  return lab;
}

type Samples = ReadonlyMap<string, number>;

/** Reads the text format as strictly as it is written: every line is a comment or one sample. */
function parsed(text: string): Samples {
  const samples = new Map<string, number>();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))$/.test(line)) continue;
    const match = /^([a-z_]+\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\}) (\S+)$/.exec(line);
    expect(match, line).not.toBeNull();
    expect(samples.has(match?.[1] ?? ''), `twice: ${line}`).toBe(false);
    samples.set(match?.[1] ?? '', Number(match?.[2]));
  }
  return samples;
}

async function metrics(lab: Lab, version: string): Promise<Samples> {
  const response = await fetch(lab.scrape.find((each) => each.version === version)?.url ?? '');
  expect(response.headers.get('content-type')).toContain('version=0.0.4');
  return parsed(await response.text());
}

const of = (samples: Samples, name: string, version: string, more = '') =>
  samples.get(`${name}{service="fraud-scorer",version="${version}"${more}}`) ?? Number.NaN;

async function score(lab: Lab, times: number, at = 50): Promise<{ status: number; version: string }[]> {
  const answers: { status: number; version: string }[] = [];
  for (let sent = 0; sent < times; sent += at) {
    const batch = Array.from({ length: Math.min(at, times - sent) }, async (_, i) => {
      const body = JSON.stringify({ amount: 12.5, fraud: i % 2 === 0 });
      const response = await fetch(lab.scoreUrl, { method: 'POST', body });
      const { version } = (await response.json()) as { version: string };
      return { status: response.status, version };
    });
    answers.push(...(await Promise.all(batch)));
  }
  return answers;
}

const put = async (lab: Lab, body: unknown) => {
  const response = await fetch(lab.splitUrl, {
    method: 'PUT',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const weights = (percent: number, revision?: number) => ({
  stable: { version: 'v41', percent: 100 - percent },
  candidate: { version: 'v42', percent },
  revision,
});

describe('the splitter', () => {
  test.each([0, 10, 50, 100])('honours %i per cent', async (percent) => {
    const lab = await started();
    await put(lab, weights(percent));
    const answers = await score(lab, 600);
    const share = answers.filter(({ version }) => version === 'v42').length / answers.length;
    // Four standard deviations of a share of 600.
    const tolerance = 4 * Math.sqrt(((percent / 100) * (1 - percent / 100)) / answers.length);
    expect(Math.abs(share - percent / 100)).toBeLessThanOrEqual(tolerance);
    const routed = lab.splitter.routed();
    expect((routed.v41 ?? 0) + (routed.v42 ?? 0)).toBe(600);
  });

  test('reads back what was set, with readiness, and counts revisions up', async () => {
    const lab = await started({ versions: ['v41', 'v42', 'v43'] });
    lab.model('v43').ready = false;
    expect((await put(lab, weights(25))).status).toBe(200);
    expect((await put(lab, weights(25))).body.revision).toBe(2);
    expect(await (await fetch(lab.splitUrl)).json()).toEqual({
      stable: { version: 'v41', percent: 75 },
      candidate: { version: 'v42', percent: 25 },
      versions: {
        v41: { ready: true, detail: '3 of 3 instances' },
        v42: { ready: true, detail: '3 of 3 instances' },
        v43: { ready: false, detail: '0 of 3 instances' },
      },
      revision: 2,
    });
  });

  test('compare-and-set: of two writers with one revision the second is refused', async () => {
    const lab = await started();
    expect((await put(lab, weights(10, 1))).status).toBe(200);
    const second = await put(lab, weights(90, 1));
    expect(second).toMatchObject({ status: 409, body: { revision: 2 } });
    expect(lab.splitter.split().candidate.percent).toBe(10);
    expect((await put(lab, { ...weights(90), revision: null })).status).toBe(409);
  });

  test.each([
    ['not JSON', '{'],
    ['no object', '[]'],
    ['an unknown key', { ...weights(10), wieghts: 1 }],
    ['an unknown key within', { ...weights(10), stable: { version: 'v41', percent: 90, weight: 1 } }],
    ['a sum other than 100', { ...weights(10), stable: { version: 'v41', percent: 80 } }],
    ['a version that is not deployed', { ...weights(10), candidate: { version: 'v99', percent: 10 } }],
    ['a percent that is a text', { ...weights(10), candidate: { version: 'v42', percent: '10' } }],
    ['traffic for nobody', { ...weights(10), candidate: { version: null, percent: 10 } }],
    ['half a split', { stable: { version: 'v41', percent: 100 } }],
  ])('refuses %s and changes nothing', async (_, body) => {
    const lab = await started();
    expect((await put(lab, body)).status).toBe(400);
    expect(lab.splitter.split()).toMatchObject({ candidate: { percent: 0 }, revision: 1 });
  });

  test('asks for its token where it has one', async () => {
    const lab = await started({ token: 'secret' });
    expect((await fetch(lab.splitUrl)).status).toBe(401);
    expect((await put(lab, weights(10))).status).toBe(401);
    expect((await fetch(lab.splitUrl, { headers: { authorization: 'Bearer secret' } })).status).toBe(200);
  });

  test('a model that is gone is not ready, and its requests are 502', async () => {
    const lab = await started();
    await lab.model('v42').stop();
    const { versions } = (await (await fetch(lab.splitUrl)).json()) as { versions: Record<string, unknown> };
    expect(versions.v42).toEqual({ ready: false, detail: 'no answer' });
    await put(lab, weights(100));
    expect((await fetch(lab.scoreUrl, { method: 'POST', body: '{}' })).status).toBe(502);
  });
});

describe('faults are seen in the metrics', () => {
  const shareOfErrors = (samples: Samples, version: string) => {
    const failed = of(samples, 'http_requests_total', version, ',code="500"');
    return failed / (failed + of(samples, 'http_requests_total', version, ',code="200"'));
  };
  const accuracy = (samples: Samples, version: string) =>
    of(samples, 'predictions_correct_total', version) / of(samples, 'predictions_total', version);

  test('none at first', async () => {
    const lab = await started();
    await score(lab, 600);
    const v41 = await metrics(lab, 'v41');
    expect(shareOfErrors(v41, 'v41')).toBeLessThan(0.02);
    expect(accuracy(v41, 'v41')).toBeGreaterThan(0.9);
    expect(of(v41, 'model_score_mean', 'v41')).toBeGreaterThan(0.4);
    expect(of(v41, 'model_score_mean', 'v41')).toBeLessThan(0.6);
    // The other one is there as well, from the start, at zero.
    const v42 = await metrics(lab, 'v42');
    expect(of(v42, 'http_requests_total', 'v42', ',code="500"')).toBe(0);
  });

  test('errors, of the candidate alone, until it is healed', async () => {
    const lab = await started();
    lab.worsen('errors', 0.3);
    await put(lab, weights(50));
    await score(lab, 600);
    expect(shareOfErrors(await metrics(lab, 'v42'), 'v42')).toBeGreaterThan(0.2);
    expect(shareOfErrors(await metrics(lab, 'v41'), 'v41')).toBeLessThan(0.03);
    lab.heal();
    const before = of(await metrics(lab, 'v42'), 'http_requests_total', 'v42', ',code="500"');
    await score(lab, 300);
    expect(of(await metrics(lab, 'v42'), 'http_requests_total', 'v42', ',code="500"') - before).toBeLessThan(10);
  });

  test('latency, of any version', async () => {
    const lab = await started();
    lab.worsen('latency', 0.2, 'v41');
    await score(lab, 60);
    const samples = await metrics(lab, 'v41');
    expect(of(samples, 'http_request_duration_seconds_bucket', 'v41', ',le="0.1"')).toBe(0);
    expect(of(samples, 'http_request_duration_seconds_bucket', 'v41', ',le="2.5"')).toBe(60);
    expect(of(samples, 'http_request_duration_seconds_count', 'v41')).toBe(60);
    expect(of(samples, 'http_request_duration_seconds_sum', 'v41')).toBeGreaterThan(60 * 0.2);
  });

  test('accuracy', async () => {
    const lab = await started();
    lab.worsen('accuracy', 0.4);
    await put(lab, weights(100));
    await score(lab, 300);
    const samples = await metrics(lab, 'v42');
    expect(accuracy(samples, 'v42')).toBeGreaterThan(0.4);
    expect(accuracy(samples, 'v42')).toBeLessThan(0.7);
    expect(() => lab.worsen('errors', 1, 'v99')).toThrow('v41, v42');
  });
});

describe('metrics', () => {
  function counted() {
    const made = createModelMetrics('fraud-scorer', 'v41');
    for (const seconds of [0.001, 0.005, 0.03, 0.3, 9]) made.request(200, seconds);
    made.request(500, 0.02);
    made.prediction(0.25, true);
    made.prediction(0.75, null);
    return made.text();
  }

  test('the histogram is cumulative, ends with everything, and names every bound once', () => {
    const samples = parsed(counted());
    const bucket = (le: string) => of(samples, 'http_request_duration_seconds_bucket', 'v41', `,le="${le}"`);
    expect(latencyBounds.map((bound) => bucket(String(bound)))).toEqual([2, 2, 3, 4, 4, 4, 5, 5, 5]);
    expect(bucket('+Inf')).toBe(6);
    expect(of(samples, 'http_request_duration_seconds_count', 'v41')).toBe(6);
    expect(of(samples, 'predictions_total', 'v41')).toBe(2);
    expect(of(samples, 'predictions_correct_total', 'v41')).toBe(1);
    expect(of(samples, 'model_score_mean', 'v41')).toBe(0.5);
  });

  const promtool = findProgram('promtool');
  test.skipIf(!promtool)("Prometheus' own checker takes the text (skipped: promtool is not installed)", () => {
    const run = () => execFileSync(promtool ?? '', ['check', 'metrics'], { input: counted(), stdio: 'pipe' });
    expect(run).not.toThrow();
  });
});

describe.skipIf(!prometheusPath)('a real Prometheus (skipped where it is not installed)', () => {
  test('scrapes the lab, and tells the versions apart', { timeout: 60_000 }, async () => {
    const lab = await started({ ratePerSecond: 100 });
    lab.worsen('errors', 0.4);
    await put(lab, weights(50));
    const scrapeTargets = lab.scrape.map(({ url }) => url);
    const prometheus = await startPrometheus({ scrapeTargets, scrapeIntervalMs: 500, evaluationIntervalMs: 1_000 });
    try {
      const share = async (version: string) => {
        const of = (more: string) =>
          `sum(rate(http_requests_total{service="fraud-scorer",version="${version}"${more}}[10s]))`;
        const query = new URLSearchParams({ query: `${of(',code="500"')} / ${of('')}` });
        const answer = await (await fetch(`${prometheus.url}/api/v1/query?${query}`)).json();
        return Number((answer as { data: { result: { value: [number, string] }[] } }).data.result[0]?.value[1]);
      };
      await expect.poll(() => share('v42'), { timeout: 15_000 }).toBeGreaterThan(0.2);
      // Each target has its own moment of being scraped: the other version's rate may need a second sample still.
      await expect.poll(() => share('v41'), { timeout: 15_000 }).toBeLessThan(0.1);
    } finally {
      await prometheus.stop();
    }
  });
});

describe('the traffic', () => {
  test('keeps its rate, and counts what failed', async () => {
    const lab = await started({ ratePerSecond: 200 });
    lab.worsen('errors', 0.5, 'v41');
    const begin = performance.now();
    await expect
      .poll(() => lab.traffic.counts().ok + lab.traffic.counts().failed, { timeout: 15_000 })
      .toBeGreaterThan(200);
    const seconds = (performance.now() - begin) / 1000;
    await lab.traffic.stop();
    const { ok, failed, skipped } = lab.traffic.counts();
    // A busy machine may be slower, never faster.
    expect((ok + failed + skipped) / seconds).toBeLessThan(300);
    expect(failed / (ok + failed)).toBeGreaterThan(0.3);
    expect(failed / (ok + failed)).toBeLessThan(0.7);
  });

  test('what hangs does not pile up without bound', async () => {
    const lab = await started({ ratePerSecond: 2_000 });
    lab.worsen('latency', 20, 'v41');
    await expect.poll(() => lab.traffic.counts().skipped, { timeout: 15_000 }).toBeGreaterThan(100);
    await lab.stop();
  });

  test('is made for this machine only, and within bounds', () => {
    const random = seededRandom(1);
    expect(() => createTraffic({ url: 'http://example.com/score', ratePerSecond: 1, random })).toThrow(
      'this machine only',
    );
    expect(() => createTraffic({ url: 'http://127.0.0.1:1/', ratePerSecond: 1e6, random })).toThrow(
      'between 0 and 2000',
    );
    expect(() => createTraffic({ url: 'http://127.0.0.1:1/', ratePerSecond: Number.NaN, random })).toThrow('between');
  });
});

test('a lab that cannot start leaves nothing running, and one that stops answers no more', async () => {
  await expect(createLab({ ratePerSecond: -1 })).rejects.toThrow('between 0 and 2000');
  const lab = await createLab({ ratePerSecond: 50 });
  await lab.stop();
  for (const url of [lab.splitUrl, ...lab.scrape.map((each) => each.url)]) await expect(fetch(url)).rejects.toThrow();
  expect(process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap')).toEqual([]);
});

test('the same seed draws the same', () => {
  const [one, same, other] = [seededRandom(5), seededRandom(5), seededRandom(6)];
  const ten = (random: () => number) => Array.from({ length: 10 }, random);
  const first = ten(one);
  expect(ten(same)).toEqual(first);
  expect(ten(other)).not.toEqual(first);
  expect(first.every((value) => value >= 0 && value < 1)).toBe(true);
});
