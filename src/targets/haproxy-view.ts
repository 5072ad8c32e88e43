import type { Observed, Readiness } from '../domain/event.ts';
import { canBeNamed, type ServerNames } from './haproxy-names.ts';
import type { NodeState, ServerState } from './haproxy-node.ts';
import { percentOf } from './haproxy-weights.ts';

/** How far nodes may differ, in percentage points: with other numbers of servers the same exposure is rounded otherwise. */
const SAME_POINTS = 0.25;
/** A process younger than this whose weights are those of its configuration has most likely just lost others. */
const YOUNG_SECONDS = 600;

export interface Naming {
  readonly backend: string;
  readonly names: ServerNames;
  readonly minimumUp: number;
}

/**
 * HAProxy knows no stable and no candidate, so the question orients the answer: the last of `asked` is the candidate, the one
 * before it stable. Where stable is not named, or is not what serves, it is the version with the most traffic beside the candidate.
 * Where more than two versions have traffic, where the nodes do not agree or nobody has any, there is no exposure to tell
 * (null); only a question without a stable version is still answered with what serves most, beside the rest.
 */
export function viewOf(nodes: readonly NodeState[], naming: Naming, asked: readonly string[]): Observed {
  const shares = nodes.map((node) => sharesOf(node, naming.names));
  const [first = new Map<string, number>()] = shares;
  const problem = unaccounted(nodes, naming) ?? disagreement(nodes, shares, naming) ?? idle(nodes, shares, naming);
  const split = problem === null ? oriented(first, asked) : { ...nothing, notice: problem };
  const versions = new Set([split.stable, split.candidate, ...asked].filter((version) => version !== null));
  const notices = [split.notice, ...nodes.map((node) => reloaded(node, naming.names))].filter((text) => text !== null);
  return {
    stable: split.stable,
    candidate: split.candidate,
    exposurePercent: split.exposurePercent,
    ready: Object.fromEntries([...versions].map((version) => [version, readinessOf(nodes, naming, version)])),
    revision: JSON.stringify(nodes),
    notice: notices.length === 0 ? null : notices.join(' '),
  };
}

/** The servers whose weights decide where traffic goes. Down ones are among them: they take it again by themselves. */
export function inService(node: NodeState): ServerState[] {
  return node.servers.filter((server) => !server.isOut);
}

/** In service with traffic, and of no version: what they take Lastgood cannot move. */
export function strangersOf(node: NodeState, names: ServerNames): string[] {
  return inService(node)
    .filter(({ name, weight }) => weight > 0 && names.versionOf(name) === null)
    .map(({ name }) => name);
}

type Oriented = Pick<Observed, 'stable' | 'candidate' | 'exposurePercent'> & { readonly notice: string | null };
const nothing: Oriented = { stable: null, candidate: null, exposurePercent: null, notice: null };

function oriented(shares: ReadonlyMap<string, number>, asked: readonly string[]): Oriented {
  const serving = [...shares].filter(([, share]) => share > 0).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const askedStable = asked.at(-2) ?? null;
  const askedCandidate = asked.at(-1) ?? null;
  const others = serving.map(([version]) => version).filter((version) => version !== askedCandidate);
  const told = serving.map(([version, share]) => `${version} ${percentOf(share)} %`).join(', ');
  const notice = serving.length > 2 ? `More than two versions have traffic: ${told}.` : null;
  if (notice !== null && askedStable !== null) return { ...nothing, notice };
  const hasStable = askedStable !== null && (others.length === 0 || others.includes(askedStable));
  const stable = hasStable ? askedStable : (others[0] ?? null);
  // Two others serve: it is their split that is in force.
  const foreign = others.find((version) => version !== stable) ?? null;
  const candidate = foreign ?? askedCandidate;
  const own = stable === null ? 0 : (shares.get(stable) ?? 0);
  return { stable, candidate, exposurePercent: percentOf(1 - own), notice };
}

function sharesOf(node: NodeState, names: ServerNames): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const { name, weight } of inService(node)) {
    const version = names.versionOf(name);
    if (version !== null) weights.set(version, (weights.get(version) ?? 0) + weight);
  }
  const all = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return new Map([...weights].map(([version, weight]) => [version, all === 0 ? 0 : weight / all]));
}

function unaccounted(nodes: readonly NodeState[], { backend, names }: Naming): string | null {
  const strangers = [...new Set(nodes.flatMap((node) => strangersOf(node, names)))];
  if (strangers.length === 0) return null;
  return `Backend ${backend} gives traffic to ${strangers.join(', ')} too, of which target.server makes no version.`;
}

function disagreement(
  nodes: readonly NodeState[],
  shares: readonly ReadonlyMap<string, number>[],
  { backend }: Naming,
): string | null {
  const versions = [...new Set(shares.flatMap((each) => [...each.keys()]))];
  const differs = versions.some((version) => {
    const percents = shares.map((each) => percentOf(each.get(version) ?? 0));
    const [least, most] = [Math.min(...percents), Math.max(...percents)];
    return most - least > SAME_POINTS || (most !== least && (least === 0 || most === 100));
  });
  if (!differs) return null;
  const told = nodes.map(({ node }, i) => {
    const split = [...(shares[i] ?? [])].filter(([, share]) => share > 0);
    return `${node} has ${split.map(([version, share]) => `${version} at ${percentOf(share)} %`).join(', ') || 'no traffic'}`;
  });
  return `The nodes of ${backend} do not agree: ${told.join('; ')}.`;
}

function idle(
  nodes: readonly NodeState[],
  shares: readonly ReadonlyMap<string, number>[],
  { backend }: Naming,
): string | null {
  const without = nodes.filter((_, i) => [...(shares[i]?.values() ?? [])].every((share) => share === 0));
  if (without.length === 0) return null;
  return `No server of ${backend} in service has a weight above 0 on ${without.map(({ node }) => node).join(', ')}.`;
}

/** Weights live in the process: a reload takes them back to the configuration file. */
function reloaded(node: NodeState, names: ServerNames): string | null {
  const servers = node.servers.filter(({ name }) => names.versionOf(name) !== null);
  const asConfigured = servers.every(({ weight, initialWeight }) => weight === initialWeight);
  if (!asConfigured || node.uptimeSeconds >= YOUNG_SECONDS || node.pid === 0) return null;
  return `HAProxy at ${node.node} was started or reloaded ${node.uptimeSeconds} s ago and has the weights of its configuration file.`;
}

/** The worst of the nodes speaks. */
function readinessOf(nodes: readonly NodeState[], naming: Naming, version: string): Readiness {
  if (!canBeNamed(version)) return { ready: false, detail: `"${version}" cannot be in the name of a server` };
  const each = nodes.map((node) => readinessOn(node, naming, version));
  const place = (at: number) => (nodes.length > 1 ? ` on ${nodes[at]?.node}` : '');
  const worst = each.findIndex(({ ready }) => !ready);
  const shown = Math.max(0, worst);
  const detail = each[shown]?.detail ?? 'not known';
  return { ready: worst === -1, detail: worst === -1 ? detail : `${detail}${place(shown)}` };
}

function readinessOn(node: NodeState, { backend, names, minimumUp }: Naming, version: string): Readiness {
  const all = node.servers.filter(({ name }) => names.versionOf(name) === version);
  if (all.length === 0) return { ready: false, detail: `backend ${backend} has no server ${names.named(version)}` };
  const mine = all.filter(({ isOut }) => !isOut);
  const up = mine.filter(({ isUp }) => isUp);
  const down = mine.filter(({ isUp }) => !isUp).map(({ name, status }) => `${name} ${status}`);
  const out = all.length - mine.length;
  const extra = [...down, ...(out > 0 ? [`${out} taken out of service`] : [])];
  const servers = mine.length === 1 ? 'server' : 'servers';
  const detail = `${up.length} of ${mine.length} ${servers} up${extra.length > 0 ? ` (${extra.slice(0, 5).join(', ')})` : ''}`;
  return { ready: up.length > 0 && (up.length * 100) / mine.length >= minimumUp, detail };
}
