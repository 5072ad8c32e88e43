import type { Observed } from '../domain/event.ts';
import type { Split } from '../domain/state.ts';
import { PortError } from '../ports/failure.ts';
import { defineTarget } from './define.ts';
import { timeoutMs } from './fields.ts';
import { type HaproxyConfig, haproxyConfig } from './haproxy-config.ts';
import { parseServerNames } from './haproxy-names.ts';
import { type NodeCall, type NodeState, readNode, setWeight, wasReplaced } from './haproxy-node.ts';
import { inService, type Naming, strangersOf, viewOf } from './haproxy-view.ts';
import { weightsFor } from './haproxy-weights.ts';

/** `balance` algorithms whose servers take their configured weight or none at all. */
const takesNoWeights: ReadonlySet<string> = new Set(['static-rr', 'first']);

/** HAProxy's Runtime API: the weights of a backend's servers, in every process that serves it. */
export const haproxyTarget = defineTarget({
  kind: 'haproxy',
  steps: 'any',
  config: haproxyConfig,
  connect(config) {
    const limitMs = timeoutMs(config.timeout);
    const naming = namingOf(config);
    const calls = (wanted: AbortSignal): NodeCall[] => {
      const limit = AbortSignal.timeout(limitMs);
      return config.nodes.map((node) => ({ node, limit, limitMs, wanted }));
    };
    const read = (wanted: AbortSignal) =>
      allOf(
        calls(wanted).map((call) => readNode(call, config.backend)),
        'retryable',
      );
    return {
      landingMs: 2 * limitMs,
      async observe(signal, versions = []): Promise<Observed> {
        return viewOf(await read(signal), naming, versions);
      },
      async shift(split, revision, signal) {
        const states = revision === null ? await read(signal) : (JSON.parse(revision) as NodeState[]);
        // Worked out for all before any is told: what cannot be done anywhere is done nowhere.
        const plans = states.map((state) => planOf(state, split, naming));
        const byNode = new Map(calls(signal).map((call) => [call.node, call]));
        await allOf(
          plans.map((plan) => carryOut(plan, byNode.get(plan.before.node), naming)),
          // Some may have been set where others were not.
          plans.length > 1 ? 'ambiguous' : 'retryable',
        );
      },
    };
  },
});

function namingOf(config: HaproxyConfig): Naming {
  const { names, problem } = parseServerNames(config.server);
  if (names === null) throw new PortError('permanent', `target.server ${problem}.`);
  return { backend: config.backend, names, minimumUp: config.minimumUp };
}

interface Change {
  readonly server: string;
  readonly from: number;
  readonly to: number;
}

/** What is to be set in one process, in order. */
interface Plan {
  readonly before: NodeState;
  readonly changes: readonly Change[];
}

/**
 * First what grows, then what shrinks: at no moment has nobody a weight above 0. Stable grows before the candidate and shrinks
 * after it, so that on the way the candidate never has more than before or after.
 */
function planOf(state: NodeState, split: Split, naming: Naming): Plan {
  const { names, backend } = naming;
  const strangers = strangersOf(state, names);
  if (strangers.length > 0)
    throw refused(
      state,
      `backend ${backend} gives traffic to ${strangers.join(', ')} too, of which target.server makes no version: take them out, or make them "backup"`,
    );
  const { stable, candidate, exposurePercent } = split;
  const ends = exposurePercent <= 0 || exposurePercent >= 100;
  if (!ends && takesNoWeights.has(state.algorithm))
    throw refused(
      state,
      `"balance ${state.algorithm}" of backend ${backend} cannot take weights; use roundrobin, leastconn or strategy: switch`,
    );
  const countOf = (version: string) => inService(state).filter(({ name }) => names.versionOf(name) === version).length;
  const counts = { stable: countOf(stable), candidate: countOf(candidate) };
  for (const [version, share, count] of [
    [stable, 100 - exposurePercent, counts.stable],
    [candidate, exposurePercent, counts.candidate],
  ] as const)
    if (share > 0 && count === 0)
      throw refused(state, `backend ${backend} has no server ${names.named(version)} in service`);
  const weights = weightsFor(exposurePercent, counts);
  const wanted = new Map([
    [stable, weights.stable],
    [candidate, weights.candidate],
  ]);
  const changes = state.servers.flatMap(({ name, weight, initialWeight }) => {
    const version = names.versionOf(name);
    if (version === null) return [];
    const share = wanted.get(version) ?? 0;
    // The one weight above 0 that an algorithm without weights takes is the configured one.
    const to = ends && share > 0 && initialWeight > 0 ? initialWeight : share;
    return to === weight ? [] : [{ server: name, version, from: weight, to }];
  });
  const rank = (version: string) => (version === stable ? 0 : 1);
  const grows = changes.filter(({ from, to }) => to > from).sort((a, b) => rank(a.version) - rank(b.version));
  const shrinks = changes.filter(({ from, to }) => to < from).sort((a, b) => rank(b.version) - rank(a.version));
  return { before: state, changes: [...grows, ...shrinks] };
}

async function carryOut({ before, changes }: Plan, call: NodeCall | undefined, { backend }: Naming): Promise<void> {
  if (call === undefined) throw refused(before, 'it is no longer among target.nodes');
  let done = 0;
  for (const { server, to } of changes) {
    try {
      await setWeight(call, backend, server, to, before.algorithm);
      done += 1;
    } catch (error) {
      // Of several commands some were carried out: that it did not happen would not be true.
      if (error instanceof PortError && error.failure === 'retryable' && done > 0)
        throw new PortError('ambiguous', `${error.message} ${done} of ${changes.length} weights had been set before.`);
      throw error;
    }
  }
  if (changes.length === 0) return;
  const now = await readBack(call, backend);
  if (wasReplaced(before, now))
    throw new PortError(
      'retryable',
      `HAProxy at ${call.node} was reloaded while weights were set: process ${now.pid} took over from ${before.pid}, with the weights of its configuration file. They have to be set again.`,
    );
}

async function readBack(call: NodeCall, backend: string): Promise<NodeState> {
  try {
    return await readNode(call, backend);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new PortError('ambiguous', `Weights were set, but could not be read back: ${error.message}`);
  }
}

/** Everything, or the failures of all together: permanent if one is, else `mixed` where they are not all of a kind. */
async function allOf<Value>(
  promises: readonly Promise<Value>[],
  mixed: 'retryable' | 'ambiguous',
): Promise<readonly Value[]> {
  const settled = await Promise.allSettled(promises);
  const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (reasons.length === 0) return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = reasons.map((reason) => {
    if (reason instanceof PortError) return reason;
    throw reason;
  });
  const kinds = new Set(failures.map(({ failure }) => failure));
  const failure = kinds.has('permanent') ? 'permanent' : kinds.has('ambiguous') ? 'ambiguous' : mixed;
  throw new PortError(failure, failures.map(({ message }) => message).join(' '));
}

function refused({ node }: NodeState, why: string): PortError {
  return new PortError('permanent', `Nothing was set in HAProxy at ${node}: ${why}.`);
}
