import type { Observed, Readiness } from '../domain/event.ts';
import type { Split } from '../domain/state.ts';
import { place } from '../outbound/http.ts';
import { PortError } from '../ports/failure.ts';
import { defineTarget } from './define.ts';
import { timeoutMs } from './fields.ts';
import { type HttpConfig, httpConfig, usesRevision } from './http-config.ts';
import { escapePointer, readPointer } from './pointer.ts';
import { fillJson, fillText, type Scalar, type Values } from './template.ts';

/** Any router with one address to read the split from and one to set it: JSON pointers into the answer, a template for the request. */
export const httpTarget = defineTarget({
  kind: 'http',
  steps: 'any',
  config: httpConfig,
  connect(config, { http }) {
    const limit = timeoutMs(config.timeout);
    const comparesAndSets = usesRevision(config.shift);
    return {
      landingMs: 2 * limit,
      async observe(signal, versions = []) {
        const { url, headers } = config.observe;
        const request = { method: 'GET', url, headers, timeoutMs: limit, intent: 'read', tls: config.tls } as const;
        const response = await http.request(request, signal);
        return observed(config.observe, answer(response.body, url), versions);
      },
      async shift(split, revision, signal) {
        const { method, headers, body } = config.shift;
        const values = valuesOf(split, revision);
        const url = fillText(config.shift.url, values, inUrl);
        const response = await http.request(
          {
            method,
            url,
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, value]) => [name, fillText(value, values)]),
            ),
            body: body === undefined ? undefined : JSON.stringify(fillJson(body, values)),
            timeoutMs: limit,
            intent: 'write',
            tls: config.tls,
            accept: (status) =>
              (status >= 200 && status < 300) || (comparesAndSets && (status === 409 || status === 412)),
          },
          signal,
        );
        if (response.status < 300) return;
        throw new PortError(
          'retryable',
          `${method} ${place(new URL(url))} answered ${response.status}: the split was changed by somebody else since it was observed. It has to be observed again.`,
        );
      },
    };
  },
});

/** An answer, and what to call it in an error. */
interface Answer {
  readonly name: string;
  readonly json: unknown;
}

function answer(body: string, url: string): Answer {
  const name = `The answer of GET ${place(new URL(url))}`;
  try {
    return { name, json: JSON.parse(body) };
  } catch {
    throw new PortError('permanent', `${name} is not JSON: check observe.url in the policy.`);
  }
}

function observed(pointers: HttpConfig['observe'], from: Answer, versions: readonly string[]): Observed {
  const stable = versionAt(from, pointers.stable);
  const candidate = versionAt(from, pointers.candidate);
  const asked = new Set([stable, candidate, ...versions].filter((version) => version !== null));
  return {
    stable,
    candidate,
    exposurePercent: exposureAt(from, pointers, candidate),
    ready: Object.fromEntries([...asked].map((version) => [version, readinessOf(from, pointers, version)])),
    revision: pointers.revision === undefined ? null : revisionAt(from, pointers.revision),
  };
}

function at(from: Answer, pointer: string): unknown {
  const found = readPointer(from.json, pointer);
  if (found.found) return found.value;
  throw new PortError('permanent', `${from.name} has no ${pointer}: check the pointer in the policy.`);
}

function versionAt(from: Answer, pointer: string): string | null {
  const value = at(from, pointer);
  if (value === null || value === '') return null;
  if (typeof value === 'string') return value;
  throw new PortError('permanent', `${from.name} has no version at ${pointer}: it is ${described(value)}, not a text.`);
}

function exposureAt(from: Answer, pointers: HttpConfig['observe'], candidate: string | null): number {
  const value = at(from, pointers.exposure);
  if (value === null && candidate === null) return 0;
  const most = pointers.exposureScale === 'share' ? 1 : 100;
  if (typeof value === 'number' && value >= 0 && value <= most) return rounded((value * 100) / most);
  throw new PortError(
    'permanent',
    `${from.name} has no exposure at ${pointers.exposure}: it is ${described(value)}, not a number from 0 to ${most}.`,
  );
}

/** Only a plain `true` is ready; everything else says why it is not. */
function readinessOf(from: Answer, pointers: HttpConfig['observe'], version: string): Readiness {
  const fill = (pointer: string) => fillText(pointer, { version }, escapePointer);
  const ready = readPointer(from.json, fill(pointers.ready));
  if (!ready.found) return { ready: false, detail: `${from.name} has no ${fill(pointers.ready)}` };
  if (typeof ready.value !== 'boolean') {
    return {
      ready: false,
      detail: `${from.name} has ${described(ready.value)} at ${fill(pointers.ready)}, not true or false`,
    };
  }
  const detail = pointers.readyDetail === undefined ? null : readPointer(from.json, fill(pointers.readyDetail));
  const words = detail?.found && typeof detail.value === 'string' ? detail.value.slice(0, 200) : '';
  return { ready: ready.value, detail: words || (ready.value ? 'ready' : 'not ready') };
}

/** Kept as JSON text, so that it goes back as what it was: a number or a text. */
function revisionAt(from: Answer, pointer: string): string {
  const value = at(from, pointer);
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(value);
  throw new PortError('permanent', `${from.name} has no revision at ${pointer}: it is ${described(value)}.`);
}

function valuesOf(split: Split, revision: string | null): Values {
  const candidatePercent = rounded(split.exposurePercent);
  const stablePercent = rounded(100 - split.exposurePercent);
  return {
    'stable.version': split.stable,
    'candidate.version': split.candidate,
    'stable.percent': stablePercent,
    'candidate.percent': candidatePercent,
    'stable.share': rounded(stablePercent / 100),
    'candidate.share': rounded(candidatePercent / 100),
    revision: revision === null ? null : (JSON.parse(revision) as Scalar),
  };
}

function inUrl(value: string): string {
  // A part of a path that is `..` would lead elsewhere, encoded or not.
  if (/^\.{1,2}$/.test(value)) throw new PortError('permanent', `"${value}" cannot be put into shift.url.`);
  return encodeURIComponent(value);
}

/** Without the noise of floating point: 0.07 × 100 is 7. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function described(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
