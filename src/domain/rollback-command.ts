import type { Command } from './event.ts';
import { beginPhase, beginRollback, gotNoTraffic } from './rollback.ts';
import { createRollout } from './rollouts.ts';
import type { WayBack } from './served.ts';
import { serving } from './served.ts';
import type { Actor, Phase, Rollback, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { byEvidence, byPerson, noneQualifies, takeWayBack, versionAt } from './way-back.ts';
import { because, percent, who } from './words.ts';

/** Roll back pressed, or typed. */
export function rollbackCommand(turn: Turn, command: Extract<Command, { name: 'rollback' }>, actor: Actor): void {
  const to = command.beforeMs === undefined ? command.to : versionAt(turn, command.beforeMs);
  const underWay = turn.rollout;
  const isFinished = underWay !== null && underWay.exposurePercent >= 100 && !isGoingBack(underWay.phase);
  const rollout = underWay ?? restore(turn, command, to, actor);
  const { phase } = rollout;
  if (isFinished) takeWayBack(turn, chosenWayBack(turn, underWay, to));
  else if (underWay && to !== null && to !== rollout.stable.id) refuseOther(turn, rollout, to);
  if (phase.name === 'verifying') turn.refuse('conflict', `${rollout.id} is already at 0 % and being verified.`);
  if (phase.name === 'rolling_back') {
    hasten(turn, phase.rollback, command, actor);
    return;
  }
  beginRollback(turn, actor, command.pace, command.reason);
  const back = turn.rollout?.stable.id ?? rollout.stable.id;
  if (gotNoTraffic(turn.rollout ?? rollout)) {
    turn.reply = `${rollout.candidate.id} never got traffic: its rollout ends, ${back} serves everything.`;
    return;
  }
  turn.reply =
    command.pace === 'at-once'
      ? `To 0 % now: all traffic goes back to ${back}.`
      : `Rolling back to ${back} ${rollout.plan.rollback.phases.length > 1 ? 'by phases' : 'in one step'}.`;
}

function isGoingBack(phase: Phase): boolean {
  if (phase.name === 'rolling_back' || phase.name === 'verifying') return true;
  return 'during' in phase && typeof phase.during === 'object';
}

/** All traffic is on the candidate: the version named, the last known good, or where the rollout came from. */
function chosenWayBack(turn: Turn, { candidate, stable }: Rollout, to: string | null): WayBack {
  if (to !== null) return byPerson(turn, candidate, to);
  return byEvidence(turn, candidate) ?? byPerson(turn, candidate, stable.id);
}

function refuseOther(turn: Turn, { id, stable, candidate }: Rollout, to: string): never {
  const how =
    to === candidate.id
      ? `${to} is what is being rolled out.`
      : `Roll it back first, then \`/rollout rollback ${turn.policy.service} --to ${to}\`.`;
  turn.refuse('invalid', `${id} can only go back to ${stable.id}, which the rest of the traffic is on. ${how}`);
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

/** No rollout under way: the serving version is taken back to the last known good, or to what a person names. */
function restore(
  turn: Turn,
  { reason }: Extract<Command, { name: 'rollback' }>,
  to: string | null,
  actor: Actor,
): Rollout {
  const { policy } = turn;
  const candidate = serving(turn.state.served);
  if (!candidate)
    turn.refuse(
      'conflict',
      `Lastgood has not seen ${policy.service} roll out yet, so it does not know what serves. Use your own tools this time.`,
    );
  const chosen = to === null ? byEvidence(turn, candidate) : byPerson(turn, candidate, to);
  if (!chosen)
    turn.refuse(
      'conflict',
      `${noneQualifies(turn, candidate)} Name one: \`/rollout rollback ${policy.service} --to VERSION\`.`,
    );
  const rollout = createRollout(turn, {
    stable: chosen.served.version,
    candidate,
    by: actor,
    reason,
    exposurePercent: 100,
    phase: { name: 'watching', sinceMs: turn.now, untilMs: turn.now },
    origin: 'restore',
  });
  const question = turn.question;
  if (question) turn.setQuestion({ rolloutId: rollout.id });
  takeWayBack(turn, chosen);
  return rollout;
}
