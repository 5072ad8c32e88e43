import type { CountWindow, Metric, Series } from '../../src/analysis/types.ts';

/** Share of requests that fail where all is well. */
export const USUAL_SHARE = 0.02;
/** What a gauge says where all is well. */
const USUAL_VALUE = 100;

/** What gets worse: what is answered wrongly, how long answers take, or both. */
export type Ill = 'errors' | 'speed' | 'both';

/** What is asked of Prometheus about one version. */
export interface Stretch {
  readonly seed: number;
  readonly version: string;
  /** Windows end in (fromMs, toMs]. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly lengthMs: number;
  /** Share of the windows that are not there. */
  readonly lost: number;
  /** From then on counters stand still, and gauges say what they said. */
  readonly stillFromMs: number;
}

/** How the version really does. */
export interface Reality {
  requests(atMs: number): number;
  badShare(atMs: number, ill: Ill): number;
}

/** What Prometheus has of a metric. What was counted does not depend on who asks when. */
export function seriesOf(metric: Metric, of: Stretch, reality: Reality): Series {
  const { source, name } = metric;
  if (source.kind === 'gauge') return { kind: 'values', windows: values(name, of, reality) };
  if (source.kind !== 'latency') {
    const share = (atMs: number) => (name === 'errors' ? reality.badShare(atMs, 'errors') : USUAL_SHARE);
    return { kind: 'counts', windows: counts(name, of, reality, share) };
  }
  // Slower than each bound: the longer the bound the fewer, and all of them more where the version is slow.
  const bounds = source.bounds.map((bound, i) => {
    const share = (atMs: number) => Math.min(0.9, (10 * reality.badShare(atMs, 'speed')) / 4 ** i);
    return { bound, windows: counts(`${name}/${i}`, of, reality, share) };
  });
  return { kind: 'tails', bounds };
}

/** The moments at which windows end that are there. */
function* ends({ seed, version, fromMs, toMs, lengthMs, lost }: Stretch): Generator<number> {
  for (let endMs = (Math.floor(fromMs / lengthMs) + 1) * lengthMs; endMs <= toMs; endMs += lengthMs)
    if (lost === 0 || hash(seed, 'lost', version, endMs) >= lost) yield endMs;
}

function counts(name: string, of: Stretch, reality: Reality, shareAt: (atMs: number) => number): CountWindow[] {
  const windows: CountWindow[] = [];
  for (const endMs of ends(of)) {
    const middleMs = endMs - of.lengthMs / 2;
    const requests = reality.requests(middleMs);
    if (requests < 1) continue;
    if (endMs > of.stillFromMs) {
      windows.push({ endMs, events: 0, exposure: 0 });
      continue;
    }
    const mean = requests * shareAt(middleMs);
    const exposure = Math.round(requests);
    const events = Math.round(mean + Math.sqrt(mean) * normalOf(hash(of.seed, of.version, name, endMs)));
    windows.push({ endMs, events: Math.min(exposure, Math.max(0, events)), exposure });
  }
  return windows;
}

function values(name: string, of: Stretch, reality: Reality): { endMs: number; value: number }[] {
  const windows: { endMs: number; value: number }[] = [];
  for (const endMs of ends(of)) {
    const atMs = Math.min(endMs, of.stillFromMs) - of.lengthMs / 2;
    if (reality.requests(endMs - of.lengthMs / 2) < 1) continue;
    const worse = 1 + 3 * (reality.badShare(atMs, 'speed') - USUAL_SHARE);
    const noise = 1 + 0.03 * normalOf(hash(of.seed, of.version, name, Math.min(endMs, of.stillFromMs)));
    windows.push({ endMs, value: USUAL_VALUE * worse * noise });
  }
  return windows;
}

/** A number in [0, 1) that is always the same for the same things. */
function hash(...of: readonly (string | number)[]): number {
  let h = 0x811c9dc5;
  for (const part of of) {
    const text = String(part);
    for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  }
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4_294_967_296;
}

/** Near enough to a normal: the logistic distribution with its variance (scale √3/π). */
function normalOf(chance: number): number {
  const p = Math.min(0.999, Math.max(0.001, chance));
  return 0.5513 * Math.log(p / (1 - p));
}
