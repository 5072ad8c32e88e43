import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A program: the router and the Prometheus of the bench, as small as they can be, in a process of their own. */

const split = {
  stable: { version: 'v41' },
  candidate: { version: 'v42', percent: 10 },
  versions: { v41: { ready: true }, v42: { ready: true } },
};
let queries = 0;

/** What a label is to be: one value with `=`, any of several with `=~"a|b"` (as many services and versions as are asked for exist). */
function valuesOf(query: string, label: string): readonly string[] {
  const found = new RegExp(`[{,]${label}=(~?)"([^"]*)"`).exec(query);
  if (!found) return [''];
  return found[1] === '~' ? (found[2] ?? '').split('|') : [found[2] ?? ''];
}

/** Healthy traffic: bad ones are 1 % of all, the same for every service and version; a series for each of them. */
function answer(parameters: URLSearchParams): unknown {
  queries += 1;
  const query = parameters.get('query') ?? '';
  const start = Number(parameters.get('start'));
  const end = Number(parameters.get('end'));
  const step = Number(parameters.get('step'));
  if (parameters.get('start') === null) return { resultType: 'vector', result: [{ metric: {}, value: [0, '1'] }] };
  const perSecond = query.includes('5..') ? 1 : 100;
  const values: [number, string][] = [];
  for (let at = start; at <= end + 1e-6; at += step) values.push([at, String(Math.round((at - 1.7e9) * perSecond))]);
  const code = query.includes('5..') ? '500' : '200';
  const name = /^\w+/.exec(query)?.[0] ?? '';
  const result = valuesOf(query, 'service').flatMap((service) =>
    valuesOf(query, 'version').map((version) => ({
      metric: { __name__: name, service, version, pod: 'a', code },
      values,
    })),
  );
  return { resultType: 'matrix', result };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-type', 'application/json');
    if (url.pathname === '/queries') return response.end(JSON.stringify({ queries }));
    if (!url.pathname.startsWith('/api/')) return response.end(JSON.stringify(split));
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const parameters = request.method === 'POST' ? form : url.searchParams;
    return response.end(JSON.stringify({ status: 'success', data: answer(parameters) }));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
