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
        const result = answer(one);
        if (!Array.isArray(result)) return { status: result.status, headers: {}, body: JSON.stringify(result.body) };
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
