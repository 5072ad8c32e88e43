import type { Workspace } from '../workspace/index.ts';
import type { Lab } from './lab/index.ts';
import type { Narrator } from './narrator.ts';
import { CHANNEL, people, SERVICE, SPEEDS, VERSIONS } from './scenario.ts';
import { type FaultName, faults } from './scenarios/faults.ts';
import type { DemoClock } from './time/demo-clock.ts';
import type { Watch } from './watch.ts';
import { isOver } from './world/now.ts';

/** A button of the panel. */
export interface Control {
  readonly id: 'next' | FaultName | 'heal' | 'speed';
  readonly label: string;
  /** Why it cannot be pressed now; null: it can. */
  readonly blocked: string | null;
  readonly group: 'worsen' | 'heal' | 'rollout' | 'time';
  /** What it does is in force. */
  readonly pressed: boolean;
}

export interface Controls {
  list(): readonly Control[];
  /** Answers what came of it. */
  press(id: string): Promise<string>;
}

interface Parts {
  readonly lab: Lab;
  readonly workspace: Workspace;
  readonly watch: Watch;
  readonly narrator: Narrator;
  readonly clock: DemoClock;
  /** Prometheus has numbers: before that every comparison would say that there are none. */
  readonly measured: () => boolean;
}

const [USUAL, FASTER] = SPEEDS;

/** What the visitor can do to the world; what Lastgood is to do is said in the chat. */
export function createControls(parts: Parts): Controls {
  const list = () => [startButton(parts), ...faultButtons(parts), healButton(), speedButton(parts)];
  return {
    list,
    async press(id) {
      const control = list().find((one) => one.id === id);
      if (!control) return `There is no button ${id}.`;
      if (control.blocked !== null) return control.blocked;
      return perform(parts, control.id);
    },
  };
}

function startButton(parts: Parts): Control {
  const over = isOver(parts.watch.state()?.rollout ?? null);
  const wait = parts.measured() ? null : 'Prometheus has no numbers yet: a few seconds more.';
  return {
    id: 'next',
    label: `Start ${nextVersion(parts)}`,
    blocked: over ? wait : 'A rollout is under way.',
    group: 'rollout',
    pressed: false,
  };
}

function faultButtons({ lab }: Parts): Control[] {
  const { stable, candidate } = lab.splitter.split();
  const arms = { stable: stable.version ?? VERSIONS[0], candidate: candidate.version };
  const idle = candidate.percent > 0 ? null : 'No candidate has traffic: start a rollout first.';
  return Object.values(faults).map((fault) => ({
    id: fault.name,
    label: fault.label(candidate.version ?? 'the candidate'),
    blocked: fault.needsCandidate ? idle : null,
    group: 'worsen',
    pressed: fault.inForce(lab, arms),
  }));
}

function healButton(): Control {
  return { id: 'heal', label: 'Make all well', blocked: null, group: 'heal', pressed: false };
}

function speedButton({ clock }: Parts): Control {
  const pressed = clock.factor !== USUAL;
  return { id: 'speed', label: `${FASTER}× faster`, blocked: null, group: 'time', pressed };
}

async function perform(parts: Parts, id: Control['id']): Promise<string> {
  const { lab, narrator, clock } = parts;
  const tell = (text: string) => {
    narrator.tell('act', text);
    return text;
  };
  switch (id) {
    case 'next':
      return startNext(parts);
    case 'heal':
      lab.heal();
      return tell('You made every version well again.');
    case 'speed': {
      const factor = clock.factor === USUAL ? FASTER : USUAL;
      clock.setFactor(factor);
      return tell(factor === USUAL ? 'The demo runs at its usual speed.' : `The demo runs ${factor} times as fast.`);
    }
    default: {
      const { stable, candidate } = lab.splitter.split();
      const arms = { stable: stable.version ?? VERSIONS[0], candidate: candidate.version };
      faults[id].worsen(lab, arms);
      return tell(`Your doing: ${faults[id].told(arms)}`);
    }
  }
}

async function startNext(parts: Parts): Promise<string> {
  const version = nextVersion(parts);
  // A new candidate begins well, whatever was done to the version before.
  parts.lab.heal();
  const command = `/rollout start ${SERVICE} ${version}`;
  parts.narrator.tell('act', `You type: ${command}`);
  const person = parts.workspace.user(people[0].id);
  const before = person.ephemerals(CHANNEL).length;
  const { ok, error } = await person.type(`#${CHANNEL}`, command);
  if (!ok) return `The command was not delivered (${error ?? 'no answer'}).`;
  // A refusal, with what is in the way, is for the visitor alone.
  return person.ephemerals(CHANNEL)[before]?.text ?? `Started ${version}.`;
}

/** The version after the last candidate, around in a circle, that does not serve already. */
function nextVersion({ lab, watch }: Parts): string {
  const { stable, candidate } = lab.splitter.split();
  const serving = candidate.percent === 100 ? candidate.version : stable.version;
  const last = watch.state()?.rollout?.candidate.id ?? serving;
  const versions: readonly string[] = VERSIONS;
  const from = versions.indexOf(last ?? '');
  const order = [...versions.slice(from + 1), ...versions.slice(0, from + 1)];
  return order.find((version) => version !== serving) ?? VERSIONS[0];
}
