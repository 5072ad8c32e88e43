import type { Command } from './event.ts';
import { beginPhase, beginRollback } from './rollback.ts';
import { createRollout } from './rollouts.ts';
import { compatible, knownGood, serving } from './served.ts';
import type { Actor, Rollback, Rollout, Version } from './state.ts';
import type { Turn } from './turn.ts';
import { because, duration, percent, who } from './words.ts';

/** Roll back pressed, or typed. */
export function rollbackCommand(turn: Turn, command: Extract<Command, { name: 'rollback' }>, actor: Actor): void {
  const rollout = turn.rollout ?? restore(turn, command, actor);
  const { phase } = rollout;
  if (command.to !== null && command.to !== rollout.stable.id)
    turn.refuse(
      'invalid',
      `${rollout.id} can only go back to ${rollout.stable.id}, which the rest of the traffic is on; ${command.to} is not part of it.`,
    );
  if (phase.name === 'verifying') turn.refuse('conflict', `${rollout.id} is already at 0 % and being verified.`);
  if (phase.name === 'rolling_back') {
    hasten(turn, phase.rollback, command, actor);
    return;
  }
  beginRollback(turn, actor, command.pace, command.reason);
  turn.reply =
    command.pace === 'at-once'
      ? `To 0 % now: all traffic goes back to ${rollout.stable.id}.`
      : `Rolling back to ${rollout.stable.id} by phases.`;
}

function hasten(turn: Turn, rollback: Rollback, command: Extract<Command, { name: 'rollback' }>, actor: Actor): void {
  const target = rollback.phases[rollback.phase]?.exposurePercent;
  if (command.pace === 'phased' || target === 0)
    turn.refuse(
      'conflict',
      `${turn.policy.service} is already being rolled back (decided by ${who(rollback.by)}), now going to ${percent(target ?? 0)}.`,
    );
  turn.tell('rollback-decided', actor, `${who(actor)} wants 0 % now.${because(command.reason)}`, {
    from: turn.position,
    reason: command.reason,
  });
  // A new decision by a person: from here on the rollback is theirs, and what was drawn for the phased one is stale.
  turn.enter({ name: 'rolling_back', sinceMs: turn.now, rollback });
  beginPhase(turn, { ...rollback, by: actor, reason: command.reason, phases: rollback.phases.slice(-1), phase: 0 });
  turn.reply = 'To 0 % now.';
}

/** No rollout under way: the serving version is taken back to the last known good. */
function restore(turn: Turn, command: Extract<Command, { name: 'rollback' }>, actor: Actor): Rollout {
  const { policy } = turn;
  const candidate = serving(turn.state.served);
  if (!candidate)
    turn.refuse(
      'conflict',
      `Lastgood has not seen ${policy.service} roll out yet, so it does not know what serves. Use your own tools this time.`,
    );
  const stable = restoreTo(turn, command.to, candidate);
  const rollout = createRollout(turn, {
    stable,
    candidate,
    by: actor,
    reason: command.reason,
    exposurePercent: 100,
    phase: { name: 'watching', sinceMs: turn.now, untilMs: turn.now },
    origin: 'restore',
  });
  const question = turn.question;
  if (question) turn.setQuestion({ rolloutId: rollout.id });
  return rollout;
}

function restoreTo(turn: Turn, to: string | null, candidate: Version): Version {
  if (to !== null) {
    const known = turn.state.served.findLast((s) => s.version.id === to)?.version ?? { id: to };
    if (to === candidate.id) turn.refuse('invalid', `${to} is what serves now.`);
    if (!compatible(known, candidate))
      turn.refuse('conflict', `${to} has another signature than ${candidate.id}: it cannot take the traffic.`);
    return known;
  }
  return (
    knownGood(turn.state.served, candidate, turn.policy.lastGoodAfterMs)[0]?.version ??
    turn.refuse(
      'conflict',
      `No last known good version of ${turn.policy.service} is known: none served ${duration(turn.policy.lastGoodAfterMs)} without a degradation. Name one: \`/rollout rollback ${turn.policy.service} --to VERSION\`.`,
    )
  );
}
