import type { HealthPart } from '../ports/health.ts';
import { escaped, headOf } from './exposition.ts';

/** How what the instance leans on does, and its policies. Known without asking anybody. */
export interface HealthReadings {
  readonly parts: Iterable<Pick<HealthPart, 'part' | 'name' | 'ok'>>;
  readonly policies: { readonly ok: boolean; readonly loadedAtMs: number };
}

/**
 * Gauges of the health as Prometheus reads them, a text each. There is a part for each service's target, and whoever looks at them
 * remembers them all: they are put into words while they are sent, and not kept here too. Names are those of the policies: a bounded set.
 */
export function healthGauges({ parts, policies }: HealthReadings): readonly Iterable<string>[] {
  const ok = 'lastgood_policies_ok';
  const okHelp =
    '1 where the policy directory as it is now is in force, 0 where it has problems and those from before stay in force.';
  const loaded = 'lastgood_policies_loaded_timestamp_seconds';
  const loadedHelp = 'When the policies in force were last read and found good.';
  return [
    dependencies(parts),
    [headOf(ok, okHelp, 'gauge'), `${ok} ${Number(policies.ok)}\n`],
    [headOf(loaded, loadedHelp, 'gauge'), `${loaded} ${policies.loadedAtMs / 1000}\n`],
  ];
}

function* dependencies(parts: HealthReadings['parts']): Iterable<string> {
  const up = 'lastgood_dependency_up';
  yield headOf(up, '1 where a dependency answers as it should, 0 after two failures in a row.', 'gauge');
  for (const { part, name, ok } of parts) yield `${up}{part="${part}",name="${escaped(name)}"} ${Number(ok)}\n`;
}
