import type { Workspace } from '../workspace/index.ts';
import type { Lab } from './lab/index.ts';
import type { Narrator } from './narrator.ts';
import { CHANNEL, ERROR_SHARE, EXTRA_LATENCY_SECONDS, people, SERVICE, VERSIONS } from './scenario.ts';
import type { Watch } from './watch.ts';
import { isOver } from './world/now.ts';

/** A button of the panel. */
export interface Control {
  readonly id: 'next' | 'errors' | 'latency' | 'heal';
  readonly label: string;
  /** Why it cannot be pressed now; null: it can. */
  readonly blocked: string | null;
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
  /** Prometheus has numbers: before that every comparison would say that there are none. */
  readonly measured: () => boolean;
}

/** What the visitor can do to the world; what Lastgood is to do is said in the chat. */
export function createControls(parts: Parts): Controls {
  const { lab, watch } = parts;
  const candidate = () => lab.splitter.split().candidate;
  const list = (): Control[] => {
    const { version, percent } = candidate();
    const over = isOver(watch.state()?.rollout ?? null);
    const name = version ?? 'the candidate';
    const idle = percent > 0 ? null : 'No candidate has traffic: start a rollout first.';
    return [
      {
        id: 'next',
        label: `Start ${nextVersion(parts)}`,
        blocked: !over
          ? 'A rollout is under way.'
          : parts.measured()
            ? null
            : 'Prometheus has no numbers yet: a few seconds more.',
      },
      { id: 'errors', label: `Make ${name} fail`, blocked: idle },
      { id: 'latency', label: `Make ${name} slow`, blocked: idle },
      { id: 'heal', label: 'Make all well', blocked: null },
    ];
  };
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

async function perform(parts: Parts, id: Control['id']): Promise<string> {
  const { lab, narrator } = parts;
  const { version } = lab.splitter.split().candidate;
  const name = version ?? '';
  const tell = (text: string) => {
    narrator.tell('act', text);
    return text;
  };
  switch (id) {
    case 'next':
      return startNext(parts);
    case 'errors':
      lab.worsen('errors', ERROR_SHARE, name);
      return tell(`You made ${name} worse: ${ERROR_SHARE * 100} % of its requests fail from now on.`);
    case 'latency':
      lab.worsen('latency', EXTRA_LATENCY_SECONDS, name);
      return tell(`You made ${name} slow: ${EXTRA_LATENCY_SECONDS * 1000} ms more for every answer from now on.`);
    case 'heal':
      lab.heal();
      return tell('You made every version well again.');
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
