import type { CountWindow, Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import type { MetricRequest, MetricSource } from '../../src/ports/metric-source.ts';
import type { Dice } from './dice.ts';
import type { Scene } from './scene.ts';
import type { SimulatedTarget } from './target.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Share of requests that fail where all is well. */
const USUAL_SHARE = 0.02;
/** Where nothing at all is wrong it is this long ago. */
const ALL = '*';

interface Change {
  readonly atMs: number;
  readonly version: string;
  readonly share: number;
}

/** How the versions of a service really do, and what Prometheus can tell of it. */
export class Numbers {
  readonly #scene: Scene;
  readonly #target: SimulatedTarget;
  readonly #dice: Dice;
  readonly #changes: Change[] = [];
  readonly #requestsPerSecond: number;
  #downUntilMs = 0;
  #downSinceMs = 0;

  constructor(scene: Scene, target: SimulatedTarget) {
    this.#scene = scene;
    this.#target = target;
    this.#dice = scene.dice(`numbers/${target.service}`);
    this.#requestsPerSecond = this.#dice.pick([3, 200, 400, 1000]);
    const perHour = scene.swarm.strength['prometheus-down'];
    const outage = () => {
      if (scene.strength('prometheus-down') > 0) {
        scene.struck('prometheus-down');
        this.#downSinceMs = scene.time.nowMs;
        this.#downUntilMs = scene.time.nowMs + this.#dice.magnitude(MINUTE, HOUR);
        scene.log('Prometheus is down');
      }
      scene.time.after(this.#dice.waitMs(perHour), outage);
    };
    scene.time.after(this.#dice.waitMs(perHour), outage);
  }

  get isDown(): boolean {
    return this.#scene.stormy && this.#scene.time.nowMs < this.#downUntilMs;
  }
  get downForMs(): number {
    return this.isDown ? this.#scene.time.nowMs - this.#downSinceMs : 0;
  }

  /** From now on a version (or the whole service, whichever version serves) fails this share of its requests. */
  set(version: string | null, share: number): void {
    const of = version ?? ALL;
    this.#changes.push({ atMs: this.#scene.time.nowMs, version: of, share });
    this.#scene.log(
      `${this.#target.service}: ${version ?? 'the whole service'} fails ${Math.round(share * 1000) / 10} %`,
    );
  }

  heal(): void {
    for (const version of new Set(this.#changes.map((change) => change.version)))
      this.set(version === ALL ? null : version, USUAL_SHARE);
  }

  /** Share of a version's requests that fail at that moment. */
  badShare(version: string, atMs: number): number {
    const of = (name: string) =>
      this.#changes.findLast((c) => c.version === name && c.atMs <= atMs)?.share ?? USUAL_SHARE;
    return Math.max(of(version), of(ALL));
  }

  /** Share of all requests of the service that fail now. */
  badNow(): number {
    const { stable, candidate, percent } = this.#target.truth;
    const now = this.#scene.time.nowMs;
    const ofCandidate = candidate === null ? 0 : (percent / 100) * this.badShare(candidate, now);
    return ofCandidate + (1 - percent / 100) * this.badShare(stable, now);
  }

  source(): MetricSource {
    return {
      read: async (request) => {
        const { latencyMs } = this.#scene.swarm;
        if (latencyMs > 0) await this.#scene.time.pass(this.#dice.between(0, latencyMs));
        if (this.isDown) {
          await this.#scene.time.pass(this.#dice.pick([0, 0, 5_000]));
          return request.metrics.map(({ name }) => missing(name));
        }
        const lateMs = this.#scene.hits('prometheus-late', 0.5, this.#dice)
          ? this.#dice.magnitude(10_000, 10 * MINUTE)
          : 0;
        const lost = this.#scene.hits('prometheus-partial', 0.5, this.#dice) ? this.#dice.pick([0.1, 0.5, 1]) : 0;
        const lostArm = lost > 0 ? this.#dice.pick(['stable', 'candidate', 'both'] as const) : null;
        return request.metrics.map((metric) => this.#samples(request, metric, { lateMs, lost, lostArm }));
      },
    };
  }

  #samples(
    { stable, candidate, period, windowMs }: MetricRequest,
    metric: Metric,
    gap: { lateMs: number; lost: number; lostArm: 'stable' | 'candidate' | 'both' | null },
  ): MetricSamples {
    const lengthMs = period.windowMs ?? windowMs;
    const offsetMs = Math.round(period.beforeOffsetMs / lengthMs) * lengthMs;
    const toMs = Math.min(period.toMs, this.#scene.time.nowMs - gap.lateMs);
    const read = (version: string, fromMs: number, endMs: number, lost: number): Series => ({
      kind: 'counts',
      windows: this.#windows({ version, fromMs, toMs: endMs, lengthMs, metric: metric.name, lost }),
    });
    const lostOf = (arm: 'stable' | 'candidate') => (gap.lostArm === arm || gap.lostArm === 'both' ? gap.lost : 0);
    return {
      metric: metric.name,
      stableNow: read(stable, period.fromMs, toMs, lostOf('stable')),
      stableBefore: read(stable, period.fromMs - offsetMs, period.toMs - offsetMs, 0),
      candidateNow: candidate === null ? null : read(candidate, period.fromMs, toMs, lostOf('candidate')),
      missing: null,
    };
  }

  #windows(of: {
    version: string;
    fromMs: number;
    toMs: number;
    lengthMs: number;
    metric: string;
    lost: number;
  }): CountWindow[] {
    const windows: CountWindow[] = [];
    const { lengthMs } = of;
    for (let endMs = (Math.floor(of.fromMs / lengthMs) + 1) * lengthMs; endMs <= of.toMs; endMs += lengthMs) {
      const middleMs = endMs - lengthMs / 2;
      const requests = (this.#requestsPerSecond * lengthMs * this.#target.shareOf(of.version, middleMs)) / 1000;
      if (requests < 1) continue;
      const chance = hash(this.#scene.seed, of.version, of.metric, endMs);
      if (of.lost > 0 && hash(this.#scene.seed, 'lost', of.version, endMs) < of.lost) continue;
      const mean = requests * (of.metric === 'errors' ? this.badShare(of.version, middleMs) : USUAL_SHARE);
      const exposure = Math.round(requests);
      const events = Math.round(mean + Math.sqrt(mean) * normalOf(chance));
      windows.push({ endMs, events: Math.min(exposure, Math.max(0, events)), exposure });
    }
    return windows;
  }
}

function missing(metric: string): MetricSamples {
  return { metric, stableNow: null, stableBefore: null, candidateNow: null, missing: 'Prometheus did not answer' };
}

/** A number in [0, 1) that is always the same for the same things: what was counted does not depend on who asks when. */
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
