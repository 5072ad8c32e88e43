import type { Http, HttpRequest } from '../../src/outbound/http.ts';

export interface AskedQuery {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface FakePrometheus {
  readonly http: Http;
  readonly asked: AskedQuery[];
  /** Requests under way, and how many of those that were begun were called off. */
  readonly open: () => number;
  readonly calledOff: () => number;
  /** Answers are held back until they are let go. */
  hold(): void;
  release(): void;
}

/** A matrix of what `answer` gives: values by the number of steps from the epoch, so that they agree between stretches. */
export function fakePrometheus(
  answer: (asked: AskedQuery) => object[] | { status: number; body: object },
): FakePrometheus {
  const asked: AskedQuery[] = [];
  const waiting: (() => void)[] = [];
  let isHeld = false;
  let open = 0;
  let calledOff = 0;
  const http: Http = {
    async request(request, signal) {
      const one = askedBy(request);
      asked.push(one);
      open += 1;
      try {
        if (isHeld) await letGo(signal);
        if (signal?.aborted) {
          calledOff += 1;
          throw new Error('called off');
        }
        const result: object[] = [];
        for (const { query, labels } of singlesOf(one.query)) {
          const found = answer({ ...one, query });
          if (!Array.isArray(found)) return { status: found.status, headers: {}, body: JSON.stringify(found.body) };
          result.push(...found.map((series) => labelled(series, labels)));
        }
        return { status: 200, headers: {}, body: matrix(result) };
      } finally {
        open -= 1;
      }
    },
  };
  const letGo = (signal: AbortSignal | undefined) =>
    new Promise<void>((go) => {
      waiting.push(go);
      signal?.addEventListener('abort', () => go(), { once: true });
    });
  return {
    http,
    asked,
    open: () => open,
    calledOff: () => calledOff,
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      for (const go of waiting.splice(0)) go();
    },
  };
}

/** The queries that were put together in one, each with the labels its series have: `a{v=~"x|y"}` is `a{v="x"}` and `a{v="y"}`. */
function singlesOf(query: string): { query: string; labels: Record<string, string> }[] {
  const joined = /([a-z]+)=~"([a-z0-9|-]+)"/.exec(query);
  if (joined === null) {
    const equal = [...query.matchAll(/([a-z]+)="([a-z0-9-]+)"/g)].map(([, label = '', value = '']) => [label, value]);
    return [{ query, labels: Object.fromEntries(equal) }];
  }
  const [text, label = '', values = ''] = joined;
  return values.split('|').flatMap((value) => singlesOf(query.replace(text, `${label}="${value}"`)));
}

function labelled(series: object, labels: Record<string, string>): object {
  return 'metric' in series ? { ...series, metric: { ...Object(series.metric), ...labels } } : series;
}

export function matrix(result: readonly object[]): string {
  return JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });
}

/** A counter that grows by `perSecond`, from the epoch on. */
export function growing({ startMs, endMs, stepMs }: AskedQuery, perSecond: number, labels: object = {}): object {
  const values: [number, string][] = [];
  for (let ms = startMs; ms <= endMs; ms += stepMs) values.push([ms / 1000, String((ms / 1000) * perSecond)]);
  return { metric: labels, values };
}

function askedBy({ url, headers = {}, body }: HttpRequest): AskedQuery {
  const form = new URLSearchParams(String(body));
  const ms = (name: string) => Math.round(Number(form.get(name)) * 1000);
  return { url, headers, query: form.get('query') ?? '', startMs: ms('start'), endMs: ms('end'), stepMs: ms('step') };
}
