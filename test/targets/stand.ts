import { request as forward } from 'node:http';
import { createModelServer, createSplitter, seededRandom } from '../../src/demo/lab/index.ts';
import type { Http } from '../../src/outbound/http.ts';
import { targetKinds } from '../../src/targets/index.ts';
import type { TargetStand, Trouble } from '../contracts/target.contract.ts';
import { bodyOf, serve } from '../outbound/loopback.ts';

const token = 'canary-router-token';

/** A policy's `target` for a router at `url`. */
export function routerConfig(url: string) {
  return {
    timeout: '500ms',
    observe: {
      url: `${url}/split`,
      headers: { Authorization: `Bearer ${token}` },
      stable: '/stable/version',
      candidate: '/candidate/version',
      exposure: '/candidate/percent',
      ready: '/versions/{{version}}/ready',
      readyDetail: '/versions/{{version}}/detail',
      revision: '/revision',
    },
    shift: {
      method: 'PUT',
      url: `${url}/split`,
      headers: { Authorization: `Bearer ${token}` },
      body: {
        stable: { version: '{{stable.version}}', percent: '{{stable.percent}}' },
        candidate: { version: '{{candidate.version}}', percent: '{{candidate.percent}}' },
        revision: '{{revision}}',
      },
    },
  };
}

/** The `http` target before the lab's router, which refuses whatever is not whole, with trouble on the way to it. */
export async function routerStand(http: Http): Promise<TargetStand> {
  const random = seededRandom(7);
  const models = [
    await createModelServer({ version: 'v41', random }),
    await createModelServer({ version: 'v42', random }),
  ];
  const splitter = await createSplitter({ models, stable: 'v41', candidate: null, random, token });
  let trouble: Trouble | null = null;
  const front = await serve(async (request, response) => {
    const body = await bodyOf(request);
    if (trouble === 'hang') return;
    if (trouble === 'unavailable') return response.writeHead(503).end(`busy, ${request.headers.authorization}`);
    const headers =
      trouble === 'unauthorized' ? { authorization: 'Bearer wrong' } : { authorization: request.headers.authorization };
    const onward = forward(
      `${splitter.url}${request.url}`,
      { method: request.method, headers, agent: false },
      async (answer) => {
        const text = await bodyOf(answer);
        if (trouble === 'lost-reply') request.socket.destroy();
        else response.writeHead(answer.statusCode ?? 500).end(text);
      },
    );
    onward.end(body);
  });
  const config = routerConfig(front.url);
  const put = async (percent: number) => {
    const split = { stable: { version: 'v41', percent: 100 - percent }, candidate: { version: 'v42', percent } };
    const headers = { authorization: `Bearer ${token}` };
    await fetch(`${splitter.url}/split`, { method: 'PUT', headers, body: JSON.stringify(split) });
  };
  return {
    kind: targetKinds.http,
    config,
    target: targetKinds.http.connect(config, { http }),
    split: () => {
      const { stable, candidate } = splitter.split();
      return { stable: stable.version ?? '', candidate: candidate.version ?? '', exposurePercent: candidate.percent };
    },
    changes: () => splitter.split().revision,
    trouble: (kind) => {
      trouble = kind;
    },
    setReady: (version, ready) => {
      for (const model of models) if (model.version === version) model.ready = ready;
    },
    meddle: () => put(5),
    async stop() {
      await front.stop();
      await splitter.stop();
      for (const model of models) await model.stop();
    },
  };
}
