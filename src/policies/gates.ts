import type { Gate, Policy } from '../domain/policy.ts';
import type { Check } from './findings.ts';
import { isMapping } from './layers.ts';
import { oneSeries } from './metric-checks.ts';
import { nearest, oneOf, type Path } from './problem.ts';
import type { PolicyFile } from './schema.ts';
import { exposure } from './values.ts';

interface MetricAt {
  readonly name: string;
  readonly kind: string | undefined;
  readonly oneSeries: boolean;
}
/** Kinds in which one arm can be better than the other. */
const comparing: ReadonlySet<string | undefined> = new Set(['proportion', 'labelled', 'rate', 'latency', 'gauge']);

/** Gates ask for metrics that are there and can answer, and steps name gates that are there and fit them. */
export function checkGates(check: Check): void {
  const given = check.at(['gates']);
  const names = isMapping(given) ? Object.keys(given) : [];
  const metrics = check.list(['metrics']).flatMap((_, index): MetricAt[] => {
    const path = ['metrics', index];
    const name = check.text([...path, 'name']);
    return name ? [{ name, kind: check.text([...path, 'kind']), oneSeries: oneSeries(check, path) }] : [];
  });
  for (const name of names) checkGate(check, name, metrics);
  for (const index of check.list(['steps']).keys()) checkStep(check, index, names);
}

function checkGate(check: Check, name: string, metrics: readonly MetricAt[]): void {
  const path = ['gates', name];
  const kind = check.text([...path, 'kind']);
  if (kind === 'ab' && metrics.length > 0 && !metrics.some((metric) => metric.kind === 'split')) {
    check.say(
      [...path, 'kind'],
      'an A/B gate needs a metric of kind split: without it nobody sees that the arms do not get what they should',
    );
  }
  const listed = check.list([...path, 'metrics']);
  for (const [index, one] of listed.entries()) {
    const here = [...path, 'metrics', index];
    if (typeof one !== 'string' || metrics.length === 0) continue;
    const problem = listed.indexOf(one) < index ? `${one} is named twice` : metricProblem(one, kind, metrics);
    if (problem) check.say(here, problem);
  }
  const asked = listed.length > 0 ? metrics.filter((metric) => listed.includes(metric.name)) : metrics;
  const better = (check.at([...path, 'objective']) ?? check.at(['objective'])) === 'better';
  // One without a kind is said to have none; what it will be is not known yet.
  const isKnown = asked.length > 0 && asked.every((metric) => metric.kind !== undefined);
  if (better && isKnown && !asked.some((metric) => comparing.has(metric.kind))) {
    const kinds = oneOf([...new Set(asked.map((metric) => String(metric.kind)))]);
    const place = check.has([...path, 'objective']) ? 'objective' : 'metrics';
    check.say([...path, place], `no metric of kind ${kinds} can be better than stable: name one that is compared`);
  }
}

function metricProblem(name: string, kind: string | undefined, metrics: readonly MetricAt[]): string | null {
  const metric = metrics.find((one) => one.name === name);
  if (metric === undefined) {
    const known = metrics.map((one) => one.name);
    const close = nearest(name, known);
    return `there is no metric ${name}: ${close ? `did you mean ${close}?` : `there is ${oneOf(known)}`}`;
  }
  if (metric.kind === 'drift') return `${name} is drift, which warns and decides nothing: a gate cannot ask for it`;
  if (metric.kind === 'split' && kind === 'shadow') {
    return `${name} is a split, and copies are no split of the traffic: a shadow gate cannot ask for it`;
  }
  if ((kind === 'ab' || kind === 'shadow') && metric.oneSeries && comparing.has(metric.kind)) {
    const words = kind === 'ab' ? 'an A/B gate' : 'a shadow gate';
    return `${name} names neither {{version}} nor {{arm}}: ${words} cannot tell the arms apart by it`;
  }
  return null;
}

function checkStep(check: Check, index: number, names: readonly string[]): void {
  const path: Path = ['steps', index];
  const gate = check.text([...path, 'gate']);
  const share = check.read(exposure, [...path, 'exposure']);
  const kind = gate === undefined ? undefined : check.text(['gates', gate, 'kind']);
  const say = (message: string) => check.say([...path, 'gate'], message);
  if (gate !== undefined && !names.includes(gate)) {
    const close = nearest(gate, names);
    const known = names.length > 0 ? `there is ${oneOf(names)}` : 'the policy has no gates';
    say(`there is no gate ${gate}: ${close ? `did you mean ${close}?` : known}`);
  } else if (kind === 'shadow' && share !== undefined && share !== 0) {
    say(`${gate} is a shadow gate, at which the candidate answers nobody: it stands at exposure 0, in the first step`);
  } else if (gate !== undefined && share === 100) {
    say('is never asked: at 100 % the rollout is watched (see watch)');
  }
}

/** Whether the first step may stand at 0: there the candidate only gets copies of the traffic. */
export function isShadowStep(check: Check, path: Path): boolean {
  const gate = check.text([...path, 'gate']);
  return gate !== undefined && check.at(['gates', gate, 'kind']) === 'shadow';
}

/** The gate a step names; null: it names none, and the policy's objective is asked of all metrics. */
export function buildGate(name: string | undefined, file: PolicyFile): Gate | null {
  const gate = name === undefined ? undefined : file.gates?.[name];
  if (name === undefined || gate === undefined) return null;
  const objective: Policy['objective'] = gate.objective ?? file.objective ?? 'no-worse';
  return { name, kind: gate.kind, objective, metrics: gate.metrics ?? [] };
}
