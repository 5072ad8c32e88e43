import type { DoctorReport } from '../../app/doctor.ts';
import { createHttp, type Http, type HttpResponse } from '../../outbound/http.ts';
import { PortError } from '../../ports/failure.ts';
import { type Finding, fine, problem, remark, type Section } from './findings.ts';
import { reportSections } from './report.ts';

const timeoutMs = 15_000;

/** What the running instance says: whether it is ready, then, to who has a token, all it knows of its own health. */
export async function examineInstance(url: string, token: string | null): Promise<readonly Section[]> {
  const http = createHttp({ secrets: token === null ? [] : [token] });
  const title = `Instance (${url})`;
  try {
    const { answers, findings } = await readiness(http, url);
    if (!answers) return [{ title, findings }];
    if (token === null) return [{ title, findings: [...findings, notLetIn] }];
    const asked = await report(http, url, token);
    if ('finding' in asked) return [{ title, findings: [...findings, asked.finding] }];
    return [{ title, findings }, ...reportSections(asked.report)];
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    const todo = 'Is it running there? `lastgood serve` listens on HOST and PORT; --url names another address.';
    return [{ title, findings: [problem(error.message, todo)] }];
  } finally {
    http.close();
  }
}

const notLetIn = remark(
  'tells no more than that without a token: its health and the alerts that no policy matched were not looked at',
  'Set ALERTMANAGER_WEBHOOK_TOKEN to a token of that instance (not its hash).',
);

function get(http: Http, url: string, path: string, headers: Record<string, string> = {}): Promise<HttpResponse> {
  const address = new URL(path, url).href;
  return http.request({ method: 'GET', url: address, headers, timeoutMs, intent: 'read', accept: () => true });
}

interface Readiness {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail: string; readonly gates: boolean }>>;
}

async function readiness(http: Http, url: string): Promise<{ answers: boolean; findings: Finding[] }> {
  const { status, body } = await get(http, url, '/readyz');
  const said = parsed<Readiness>(body);
  if (said?.parts === undefined || typeof said.ready !== 'boolean') {
    const todo = 'Another program has this port, or a proxy is in the way: give the address of Lastgood with --url.';
    return { answers: false, findings: [problem(`answers ${status} to /readyz, but not as Lastgood does`, todo)] };
  }
  if (said.ready) return { answers: true, findings: [fine('runs and is ready')] };
  const gating = Object.entries(said.parts).filter(([, part]) => part.gates && !part.ok);
  const findings = gating.map(([name, { detail }]) =>
    problem(`not ready: ${name}: ${detail}`, todoOf[name] ?? 'The log of the instance says more.'),
  );
  return { answers: true, findings };
}

const todoOf: Readonly<Record<string, string>> = {
  slack: 'Check SLACK_BOT_TOKEN, SLACK_API_URL and the way out to slack.com; it heals by itself when Slack answers.',
  store: 'Look at the disk and the permissions of DATA_DIR, and at the log.',
  server: 'Wait for it to end, and start it again.',
};

async function report(
  http: Http,
  url: string,
  token: string,
): Promise<{ readonly report: DoctorReport } | { readonly finding: Finding }> {
  const { status, body } = await get(http, url, '/api/v1/doctor', { authorization: `Bearer ${token}` });
  if (status === 401) {
    const todo = 'Run doctor with the ALERTMANAGER_WEBHOOK_TOKEN of that instance.';
    return { finding: problem('does not let this ALERTMANAGER_WEBHOOK_TOKEN in, so nothing more can be asked', todo) };
  }
  const said = status === 200 ? parsed<DoctorReport>(body) : null;
  if (said?.health) return { report: said };
  const todo = status === 404 ? 'It is an older Lastgood: upgrade it.' : 'The log of the instance says more.';
  return { finding: remark(`answers ${status} to /api/v1/doctor`, todo) };
}

/** Null where it is no JSON object. */
function parsed<T extends object>(text: string): (Partial<T> & T) | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : null;
  } catch {
    // What it is instead is the caller's to say.
    return null;
  }
}
