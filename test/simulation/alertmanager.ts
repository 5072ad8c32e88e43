import type { Alert } from '../../src/domain/state.ts';
import type { AlertSource } from '../../src/ports/alert-source.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Dice } from './dice.ts';
import type { Numbers } from './numbers.ts';
import type { Scene } from './scene.ts';

const MINUTE = 60_000;
/** Alertmanager lets an alert lapse this long after Prometheus spoke of it last (four times its resend delay). */
const LAPSES_MS = 4 * MINUTE;
const TICK_MS = MINUTE;
/** As many deliveries of one body are tried before Alertmanager lets go of it; the next repeat comes all the same. */
const TRIES = 5;

interface Rule {
  readonly name: string;
  readonly severity: 'warning' | 'critical';
  readonly fires: (badShare: number) => boolean;
}
const rules: readonly Rule[] = [
  { name: 'ErrorsHigh', severity: 'critical', fires: (bad) => bad > 0.08 },
  { name: 'ErrorsRising', severity: 'warning', fires: (bad) => bad > 0.04 },
];

interface Held {
  readonly alert: Alert;
  /** Without a break: a restart of Alertmanager changes nothing about what Prometheus sees. */
  readonly service: string;
}

/** Prometheus' rules and the Alertmanager they are sent to, for all services. */
export class SimulatedAlertmanager {
  /** What fires according to Prometheus, and what Alertmanager holds of it. */
  readonly #firing = new Map<string, Held>();
  readonly #held = new Set<string>();
  readonly #noise = new Map<string, number>();
  readonly #lastSeenMs = new Map<string, number>();
  readonly #mutedUntilMs = new Map<string, number>();
  readonly silences = new Map<string, number>();
  readonly #scene: Scene;
  readonly #dice: Dice;
  readonly #bursts: Dice;
  readonly #numbers: ReadonlyMap<string, Numbers>;
  readonly #send: (alerts: readonly Alert[]) => Promise<boolean>;
  #downUntilMs = 0;
  #upSinceMs = 0;
  readonly #repeatMs: number;

  /** @param send to the webhook: true where it was taken. */
  constructor(
    scene: Scene,
    numbers: ReadonlyMap<string, Numbers>,
    send: (alerts: readonly Alert[]) => Promise<boolean>,
  ) {
    this.#scene = scene;
    this.#numbers = numbers;
    this.#send = send;
    this.#dice = scene.dice('alertmanager');
    this.#bursts = scene.dice('bursts');
    this.#repeatMs = this.#dice.pick([5 * MINUTE, 60 * MINUTE, 240 * MINUTE]);
    this.#every(TICK_MS, () => this.#evaluate());
    this.#every(this.#repeatMs, () => this.#repeat());
    const plan = (perHour: number, what: () => void) => {
      const next = () => {
        if (scene.stormy) what();
        scene.time.after(this.#dice.waitMs(perHour), next);
      };
      scene.time.after(this.#dice.waitMs(perHour), next);
    };
    const { strength } = scene.swarm;
    plan(strength['alert-flaps'] * 2, () => this.#flap());
    plan(strength['alert-muted'], () => this.#mute());
    plan(strength['alertmanager-down'], () => {
      scene.struck('alertmanager-down');
      this.#downUntilMs = scene.time.nowMs + this.#dice.magnitude(MINUTE, 60 * MINUTE);
    });
    plan(strength['alertmanager-restarted'], () => {
      scene.struck('alertmanager-restarted');
      this.#upSinceMs = scene.time.nowMs;
      this.#held.clear();
    });
  }

  get isDown(): boolean {
    return this.#scene.stormy && this.#scene.time.nowMs < this.#downUntilMs;
  }

  /** Since when Prometheus has seen this alert fire without a break; null: it does not. */
  firingSince(fingerprint: string): number | null {
    return this.#firing.get(fingerprint)?.alert.startsAtMs ?? null;
  }

  firing(service: string): readonly Alert[] {
    return [...this.#firing.values()].filter((held) => held.service === service).map(({ alert }) => alert);
  }

  source(): AlertSource {
    const answer = async () => {
      if (this.isDown) throw new PortError('retryable', 'Alertmanager does not answer.');
      if (this.#scene.swarm.latencyMs > 0)
        await this.#scene.time.pass(this.#dice.between(0, this.#scene.swarm.latencyMs));
    };
    return {
      list: async () => {
        await answer();
        const alerts = [...this.#firing].flatMap(([fingerprint, { alert, service }]) => {
          const muted = this.#isMuted(service);
          return this.#held.has(fingerprint) ? [{ alert, muted, mutedByTags: [], mutedByOthers: muted }] : [];
        });
        return { alerts, upSinceMs: this.#upSinceMs };
      },
      silence: async ({ tag, untilMs }) => {
        await answer();
        this.silences.set(tag, untilMs);
      },
      lift: async (tag) => {
        await answer();
        this.silences.delete(tag);
      },
    };
  }

  #every(ms: number, what: () => void): void {
    const next = () => {
      what();
      this.#scene.time.after(ms, next);
    };
    this.#scene.time.after(ms, next);
  }

  #evaluate(): void {
    const now = this.#scene.time.nowMs;
    for (const [service, numbers] of this.#numbers) {
      const noisyUntilMs = this.#noise.get(service) ?? 0;
      for (const rule of rules) {
        const name = `${service}-${rule.name}`;
        const firing = this.#firing.get(name);
        // Prometheus is away: nothing is evaluated, and after a while what fired lapses.
        if (numbers.isDown) {
          if (firing && numbers.downForMs > LAPSES_MS) this.#resolve(name);
          continue;
        }
        this.#lastSeenMs.set(name, now);
        if (firing)
          for (const one of this.#firing.keys()) if (one === name || one.startsWith(`${name}/`)) this.#held.add(one);
        const fires = rule.fires(numbers.badNow()) || (rule.severity === 'warning' && now < noisyUntilMs);
        if (fires && !firing) this.#fire(service, rule);
        else if (!fires && firing) this.#resolve(name);
      }
    }
  }

  #flap(): void {
    const service = this.#dice.pick([...this.#numbers.keys()]);
    this.#scene.struck('alert-flaps');
    this.#noise.set(service, this.#scene.time.nowMs + this.#dice.magnitude(MINUTE, 30 * MINUTE));
  }

  /** Somebody silences a whole service, with a silence that is not ours. */
  #mute(): void {
    const service = this.#dice.pick([...this.#numbers.keys()]);
    this.#scene.struck('alert-muted');
    this.#scene.log(`the alerts of ${service} are silenced by hand`);
    this.#mutedUntilMs.set(service, this.#scene.time.nowMs + this.#dice.magnitude(MINUTE, 60 * MINUTE));
  }

  #isMuted(service: string): boolean {
    return this.#scene.stormy && (this.#mutedUntilMs.get(service) ?? 0) > this.#scene.time.nowMs;
  }

  #fire(service: string, { name, severity }: Rule): void {
    const fingerprint = `${service}-${name}`;
    this.#scene.log(`Prometheus: ${fingerprint} fires`);
    const alerts = [fingerprint, ...this.#instancesOf(fingerprint)].map((one) =>
      this.#alertOf(one, service, { name, severity }),
    );
    for (const alert of alerts) {
      this.#firing.set(alert.fingerprint, { alert, service });
      this.#held.add(alert.fingerprint);
    }
    this.#deliver(alerts.map((alert) => [alert]));
  }

  /** Now and then every instance of a service has an alert of its own, and each comes in a body of its own. */
  #instancesOf(fingerprint: string): readonly string[] {
    if (!this.#scene.hits('webhook-burst', 0.7, this.#bursts)) return [];
    return Array.from({ length: this.#bursts.whole(2, 6) }, (_, i) => `${fingerprint}/${i}`);
  }

  #alertOf(fingerprint: string, service: string, { name, severity }: Pick<Rule, 'name' | 'severity'>): Alert {
    return {
      fingerprint,
      name,
      severity,
      status: 'firing',
      startsAtMs: this.#scene.time.nowMs,
      endsAtMs: null,
      summary: `${name} of ${service}`,
      description: '',
      labels: { alertname: name, service, severity },
      generatorUrl: '',
      runbookUrl: '',
    };
  }

  #resolve(name: string): void {
    const all = [...this.#firing].filter(([fingerprint]) => fingerprint === name || fingerprint.startsWith(`${name}/`));
    if (all.length > 0) this.#scene.log(`Prometheus: ${name} is resolved`);
    for (const [fingerprint] of all) {
      this.#firing.delete(fingerprint);
      this.#held.delete(fingerprint);
    }
    const endsAtMs = this.#scene.time.nowMs;
    this.#deliver(all.map(([, { alert }]) => [{ ...alert, status: 'resolved', endsAtMs }]));
  }

  #repeat(): void {
    this.#deliver([[...this.#firing.values()].map(({ alert }) => alert)]);
  }

  /** Bodies that come at the same moment. */
  #deliver(all: readonly (readonly Alert[])[]): void {
    const bodies = all
      .map((alerts) => alerts.filter(({ labels }) => !this.#isMuted(labels.service ?? '')))
      .filter((alerts) => alerts.length > 0);
    if (this.isDown || bodies.length === 0) return;
    if (this.#scene.hits('webhook-dropped', 0.7, this.#dice)) return;
    const attempt = () => {
      for (const alerts of bodies) this.#attempt(alerts, 1);
    };
    const lateMs = this.#scene.hits('webhook-late', 0.7, this.#dice) ? this.#dice.magnitude(1_000, 5 * MINUTE) : 0;
    this.#scene.time.after(lateMs, attempt);
    if (this.#scene.hits('webhook-repeated', 0.7, this.#dice))
      this.#scene.time.after(lateMs + this.#dice.magnitude(1, 2 * MINUTE), attempt);
  }

  #attempt(alerts: readonly Alert[], nth: number): void {
    void this.#send(alerts).then((taken) => {
      if (!taken && nth < TRIES) this.#scene.time.after(10_000 * 2 ** nth, () => this.#attempt(alerts, nth + 1));
    });
  }
}
