import type { Application } from '../../src/application/api.ts';
import { binding } from '../../src/domain/binding.ts';
import type { Command } from '../../src/domain/event.ts';
import type { Actor } from '../../src/domain/state.ts';
import type { SimulatedChat } from './chat.ts';
import type { Dice } from './dice.ts';
import type { History } from './history.ts';
import type { SimulatedPager } from './pager.ts';
import type { PolicyShelf } from './policies.ts';
import type { Scene } from './scene.ts';

const MINUTE = 60_000;
const approvers: readonly Actor[] = ['U1', 'U2', 'U3'].map((id) => ({ kind: 'person', id, name: id.toLowerCase() }));
const stranger: Actor = { kind: 'person', id: 'U9', name: 'eve' };

export interface PeopleParts {
  readonly scene: Scene;
  readonly chat: SimulatedChat;
  readonly pager: SimulatedPager;
  readonly services: readonly string[];
  readonly policies: PolicyShelf;
  readonly history: History;
  /** Where commands go; null: Lastgood is down. */
  readonly application: () => Application | null;
  readonly instance: string;
}

/** People: they start rollouts, read cards, press what they saw there a while ago, twice or as two, and answer PagerDuty. */
export class People {
  readonly #parts: PeopleParts;
  readonly #dice: Dice;
  readonly #promoting: Dice;
  #candidates = 1;
  #keys = 0;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    const { scene, services } = parts;
    this.#dice = scene.dice('people');
    this.#promoting = scene.dice('promoting');
    for (const service of services) {
      this.#plan(scene.swarm.startsPerHour, () => this.#start(service));
      this.#plan(scene.swarm.pressesPerHour, () => this.#act(service));
    }
    this.#plan(scene.swarm.pressesPerHour, () => this.#answerPager());
  }

  #plan(perHour: number, what: () => Promise<void> | void): void {
    const { time } = this.#parts.scene;
    const next = () => {
      if (this.#parts.scene.stormy) void what();
      time.after(this.#dice.waitMs(perHour), next);
    };
    time.after(this.#dice.waitMs(perHour), next);
  }

  async #start(service: string): Promise<void> {
    const application = this.#parts.application();
    if (!application) return;
    this.#candidates += 1;
    const candidate = { id: this.#promoted(service) ?? `v${this.#candidates}` };
    const force = this.#dice.chance(0.3);
    this.#keys += 1;
    const key = `start/${this.#keys}`;
    const actor = this.#somebody();
    const send = async () => {
      const answer = await application.start({ service, candidate, force, reason: 'new model', actor, key });
      this.#parts.scene.log(`${actor.name} starts ${candidate.id} on ${service}: ${told(answer)}`);
    };
    await send().catch((error: unknown) => this.#parts.scene.log(`start of ${service} failed: ${String(error)}`));
  }

  /** What ran where it has to have succeeded first, mostly; null: something new, or nothing is required. */
  #promoted(service: string): string | null {
    const requires = this.#parts.policies.get(service)?.requires?.service;
    const state = requires === undefined ? undefined : this.#parts.history.states.get(requires);
    if (!state || this.#promoting.chance(0.3)) return null;
    const ran = [...state.past.rollouts.map(({ candidate }) => candidate.id), ...state.served.map((s) => s.version.id)];
    return ran.length > 0 ? this.#promoting.pick(ran.slice(-3)) : null;
  }

  #somebody(): Actor {
    if (!this.#parts.scene.hits('press-stranger', 0.3, this.#dice)) return this.#dice.pick(approvers);
    return stranger;
  }

  #act(service: string): void {
    const { scene, chat } = this.#parts;
    const command = this.#command();
    // What the card showed when it was looked at; typed commands are bound to nothing.
    const cards = chat
      .cards()
      .filter(({ message }) => message.content.kind === 'card' && message.content.view.state.service === service);
    const isStale = scene.hits('press-stale', 0.7, this.#dice);
    const seen = isStale && cards.length > 0 ? this.#dice.pick(cards) : cards.at(-1);
    const content = seen?.message.content;
    const drawnFor =
      content?.kind === 'card' && this.#dice.chance(0.7) ? binding(content.view.state, command.name) : undefined;
    const waitMs = isStale ? this.#dice.magnitude(1_000, 20 * MINUTE) : this.#dice.between(0, 5_000);
    this.#keys += 1;
    const key = `press/${this.#keys}`;
    const press = { service, command, actor: this.#somebody(), drawnFor, key };
    scene.time.after(waitMs, () => void this.#press(press));
    if (!scene.hits('press-twice', 0.7, this.#dice)) return;
    // By the same finger (the same view), or by a colleague in the same moment.
    const again = this.#dice.chance(0.5) ? press : { ...press, actor: this.#somebody(), key: `${key}/colleague` };
    scene.time.after(waitMs + this.#dice.pick([0, 1, 500, 30_000]), () => void this.#press(again));
  }

  async #press(press: {
    service: string;
    command: Command;
    actor: Actor;
    drawnFor: string | undefined;
    key: string;
  }): Promise<void> {
    const { scene, application } = this.#parts;
    const reached = application();
    if (!scene.stormy || !reached) return;
    const { service, command, actor, drawnFor, key } = press;
    try {
      const answer = await reached.command({ service, command, actor, binding: drawnFor, key });
      scene.log(`${actor.name} ${command.name}s on ${service}${drawnFor ? ' (button)' : ''}: ${told(answer)}`);
    } catch (error) {
      scene.log(`${command.name} of ${service} failed: ${String(error)}`);
    }
  }

  #command(): Command {
    const dice = this.#dice;
    const reason = 'so decided';
    return dice.pick<() => Command>([
      () => ({ name: 'promote', scope: 'step', reason }),
      () => ({ name: 'promote', scope: 'all', reason }),
      () => ({ name: 'rollback', pace: 'phased', to: null, reason }),
      () => ({ name: 'rollback', pace: 'at-once', to: null, reason }),
      () => ({ name: 'rollback', pace: 'phased', to: `v${dice.whole(1, this.#candidates)}`, reason }),
      () => ({
        name: 'rollback',
        pace: 'phased',
        to: null,
        beforeMs: this.#parts.scene.time.nowMs - dice.magnitude(MINUTE, 300 * MINUTE),
        reason,
      }),
      () => ({ name: 'hold', forMs: dice.pick([null, 5 * MINUTE, 60 * MINUTE]), reason }),
      () => ({ name: 'hold', forMs: null, reason }),
      () => ({ name: 'resume', reason }),
      () => ({ name: 'resume', reason }),
      () => ({ name: 'extend', byMs: dice.pick([10, 30, 60]) * MINUTE, reason }),
      () => ({ name: 'acknowledge', reason }),
      () => ({ name: 'cancel', reason }),
      () => ({ name: 'freeze', reason }),
      () => ({ name: 'unfreeze', reason }),
      () => ({ name: 'unfreeze', reason }),
      () => ({ name: 'automation', on: dice.chance(0.7), reason }),
    ])();
  }

  async #answerPager(): Promise<void> {
    const { scene, pager, application, instance } = this.#parts;
    const open = pager.incidents.filter((one) => one.resolvedAtMs === null);
    const reached = application();
    if (open.length === 0 || !reached) return;
    const incident = this.#dice.pick(open);
    const degradationId = incident.dedupKey.slice(instance.length + 1);
    const service = degradationId.replace(/-d\d+$/, '');
    const resolves = this.#dice.chance(0.3);
    if (resolves) incident.resolvedAtMs = scene.time.nowMs;
    else incident.acknowledged = true;
    scene.log(`somebody ${resolves ? 'resolves' : 'acknowledges'} ${incident.dedupKey} in PagerDuty`);
    this.#keys += 1;
    const type = resolves ? ('pager_resolved' as const) : ('pager_acknowledged' as const);
    try {
      await reached.deliver(service, { type, degradationId, by: 'ann' }, `pager/${this.#keys}`);
    } catch (error) {
      scene.log(`PagerDuty's ${type} failed: ${String(error)}`);
    }
  }
}

function told(answer: Awaited<ReturnType<Application['command']>>): string {
  if (answer.ok) return answer.duplicate ? 'done already' : answer.text;
  return `refused (${answer.refusal.code}): ${answer.refusal.text}`;
}
