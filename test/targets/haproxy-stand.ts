import { createModelServer, type ModelServer, seededRandom } from '../../src/demo/lab/index.ts';
import type { Http } from '../../src/outbound/http.ts';
import { targetKinds } from '../../src/targets/index.ts';
import { eventually } from '../acceptance/support/eventually.ts';
import type { TargetStand, Trouble } from '../contracts/target.contract.ts';
import { BACKEND, type CommandFate, startHaproxy, startRuntimeDoor } from '../support/haproxy.ts';

/** The `haproxy` target before a real HAProxy with health checks, with trouble on the way to its Runtime API. */
export async function haproxyStand(http: Http): Promise<TargetStand> {
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<void> }>(part: Part) => started.adopt(part, () => part.stop());
  const models: ModelServer[] = [];
  for (const version of ['v41', 'v42']) {
    models.push(begun(await createModelServer({ version, random: seededRandom(7) })));
  }
  const servers = models.map(({ version, url }) => {
    return { name: version, port: Number(new URL(url).port), weight: version === 'v41' ? 100 : 0 };
  });
  const haproxy = begun(await startHaproxy({ servers, checks: true }));
  let trouble: Trouble | null = null;
  const fateOf = (command: string): CommandFate => {
    if (trouble === 'hang') return 'hangs';
    if (trouble === 'unauthorized') return { at: haproxy.operator };
    // Of a shift it is the last answer that is lost: then all of it was carried out.
    if (trouble === 'lost-reply') return /^set weight .*[1-9]\d*$/.test(command) ? 'passes' : 'answer-lost';
    return 'passes';
  };
  const door = begun(await startRuntimeDoor(haproxy.admin, fateOf));
  const config = { timeout: '1s', nodes: [door.node], backend: BACKEND };
  const stateOf = async (version: string) =>
    /^\S+ \S+ \S+ \S+ \S+ (\d)/m.exec(
      (await haproxy.ask(`show servers state ${BACKEND}`)).split('\n').find((line) => line.includes(` ${version} `)) ??
        '',
    )?.[1];
  const running = started.move();
  return {
    kind: targetKinds.haproxy,
    config,
    target: targetKinds.haproxy.connect(config, { http }),
    async split() {
      const { v41 = 0, v42 = 0 } = await haproxy.weights();
      const exposurePercent = Math.round((v42 / (v41 + v42)) * 1000) / 10;
      return { stable: 'v41', candidate: 'v42', exposurePercent };
    },
    changes: () => door.sets.length,
    async trouble(kind) {
      trouble = kind;
      await door.open(kind !== 'unavailable');
    },
    async setReady(version, ready) {
      for (const model of models) if (model.version === version) model.ready = ready;
      const isSeen = async () => (await stateOf(version)) === (ready ? '2' : '0');
      await eventually(`HAProxy sees that ${version} is ${ready ? 'up' : 'down'}`, isSeen, { withinMs: 10_000 });
    },
    meddle: null,
    stop: () => running.disposeAsync(),
  };
}
