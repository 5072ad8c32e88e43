import type { Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import type { MetricRequest, MetricSource } from '../../src/ports/metric-source.ts';
import type { Dice } from './dice.ts';
import type { Scene } from './scene.ts';
import { type Ill, seriesOf, USUAL_SHARE } from './series.ts';
import type { Fault } from './swarm.ts';
import type { SimulatedTarget } from './target.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Where nothing at all is wrong it is this long ago. */
const ALL = '*';

interface Change {
  readonly atMs: number;
  readonly version: string;
  readonly ill: Ill;
  readonly share: number;
}

/** What one answer of Prometheus lacks. */
interface Gap {
  /** Windows younger than this are not there. */
  readonly lateMs: number;
  /** Since so long ago its counters stand still. */
  readonly staleMs: number;
  /** Share of the windows that are not there. */
  readonly lost: number;
  readonly lostArm: 'stable' | 'candidate' | 'both' | null;
}

/** How the versions of a service really do, and what Prometheus can tell of it. */
export class Numbers {
  readonly #scene: Scene;
  readonly #target: SimulatedTarget;
  readonly #dice: Dice;
  /** For what came later: it changes nothing about the rest. */
  readonly #strange: Dice;
  readonly #changes: Change[] = [];
  readonly #requestsPerSecond: number;
  #downUntilMs = 0;
  #downSinceMs = 0;

  constructor(scene: Scene, target: SimulatedTarget) {
    this.#scene = scene;
    this.#target = target;
    this.#dice = scene.dice(`numbers/${target.service}`);
    this.#strange = scene.dice(`strange-numbers/${target.service}`);
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
  set(version: string | null, share: number, ill: Ill = 'both'): void {
    const of = version ?? ALL;
    this.#changes.push({ atMs: this.#scene.time.nowMs, version: of, ill, share });
    const who = version ?? 'the whole service';
    this.#scene.log(`${this.#target.service}: ${who} fails ${Math.round(share * 1000) / 10} % (${ill})`);
  }

  heal(): void {
    for (const version of new Set(this.#changes.map((change) => change.version)))
      this.set(version === ALL ? null : version, USUAL_SHARE);
  }

  /** Share of a version's requests that fail at that moment. */
  badShare(version: string, atMs: number, ill: Ill = 'errors'): number {
    const of = (name: string) =>
      this.#changes.findLast((c) => c.atMs <= atMs && c.version === name && (c.ill === 'both' || c.ill === ill))
        ?.share ?? USUAL_SHARE;
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
        const gap = this.#gap();
        if (this.#scene.hits('prometheus-slow', 0.3, this.#strange))
          await this.#scene.time.pass(this.#strange.between(1_000, 19_000));
        return request.metrics.map((metric) => this.#samples(request, metric, gap));
      },
    };
  }

  #gap(): Gap {
    const hits = (fault: Fault) => this.#scene.hits(fault, 0.5, this.#dice);
    const lateMs = hits('prometheus-late') ? this.#dice.magnitude(10_000, 10 * MINUTE) : 0;
    const lost = hits('prometheus-partial') ? this.#dice.pick([0.1, 0.5, 1]) : 0;
    const lostArm = lost > 0 ? this.#dice.pick(['stable', 'candidate', 'both'] as const) : null;
    const isStale = this.#scene.hits('prometheus-stale', 0.3, this.#strange);
    return { lateMs, lost, lostArm, staleMs: isStale ? this.#strange.magnitude(MINUTE, 30 * MINUTE) : 0 };
  }

  #samples({ stable, candidate, period, windowMs }: MetricRequest, metric: Metric, gap: Gap): MetricSamples {
    const { nowMs } = this.#scene.time;
    const lengthMs = period.windowMs ?? windowMs;
    const offsetMs = Math.round(period.beforeOffsetMs / lengthMs) * lengthMs;
    const toMs = Math.min(period.toMs, nowMs - gap.lateMs);
    const read = (version: string, fromMs: number, endMs: number, lost: number): Series => {
      const arm = {
        seed: this.#scene.seed,
        version,
        fromMs,
        toMs: endMs,
        lengthMs,
        lost,
        stillFromMs: nowMs - gap.staleMs,
      };
      return seriesOf(metric, arm, {
        requests: (atMs) => (this.#requestsPerSecond * lengthMs * this.#target.shareOf(version, atMs)) / 1000,
        badShare: (atMs, ill) => this.badShare(version, atMs, ill),
      });
    };
    const lostOf = (arm: 'stable' | 'candidate') => (gap.lostArm === arm || gap.lostArm === 'both' ? gap.lost : 0);
    return {
      metric: metric.name,
      stableNow: read(stable, period.fromMs, toMs, lostOf('stable')),
      stableBefore: read(stable, period.fromMs - offsetMs, period.toMs - offsetMs, 0),
      candidateNow: candidate === null ? null : read(candidate, period.fromMs, toMs, lostOf('candidate')),
      missing: null,
    };
  }
}

function missing(metric: string): MetricSamples {
  return { metric, stableNow: null, stableBefore: null, candidateNow: null, missing: 'Prometheus did not answer' };
}
