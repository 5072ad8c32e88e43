import type { Command, Promotion } from './event.ts';
import { endQuestion } from './question.ts';
import { createRollout } from './rollouts.ts';
import { compatible, serves, serving, taint } from './served.ts';
import type { Actor } from './state.ts';
import type { Turn } from './turn.ts';
import type { Version } from './version.ts';
import { setOut } from './warming.ts';
import { because, list, percent, who } from './words.ts';

export function start(turn: Turn, command: Extract<Command, { name: 'start' }>, actor: Actor): void {
  const { policy, now } = turn;
  const stable = refuseStart(turn, command);
  endWatchWithoutCredit(turn);
  const first = policy.steps[0];
  if (!first) turn.refuse('invalid', `The policy of ${policy.service} has no steps.`);
  const rollout = createRollout(turn, {
    stable,
    candidate: command.candidate,
    by: actor,
    reason: command.reason,
    exposurePercent: 0,
    phase: { name: 'advancing', sinceMs: now, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 },
    origin: 'start',
  });
  turn.set({ served: serves(turn.state.served, stable, now) });
  const forced = whatWasForced(turn, command);
  turn.tell(
    'rollout-started',
    actor,
    `${who(actor)} started ${rollout.id}: ${stable.id} → ${rollout.candidate.id}, first step ${percent(first.exposurePercent)}.${forced}${because(command.reason)}`,
    {
      from: { version: stable.id, exposurePercent: 0 },
      to: { version: rollout.candidate.id, exposurePercent: first.exposurePercent },
      reason: command.reason,
    },
  );
  setOut(turn);
  turn.reply = `Started ${rollout.id}: ${stable.id} → ${rollout.candidate.id}. Progress is in ${policy.channel}.`;
}

/** Says what is in the way; otherwise what is stable now. */
function refuseStart(
  turn: Turn,
  { candidate, observed, force, promotion }: Extract<Command, { name: 'start' }>,
): Version {
  const { policy, state } = turn;
  const running = turn.rollout;
  if (running && running.phase.name !== 'watching')
    turn.refuse(
      'conflict',
      `${running.id} (${running.stable.id} → ${running.candidate.id}, ${percent(running.exposurePercent)}) is under way: ${running.phase.name.replace('_', ' ')}. Wait for its end, roll it back or cancel it first.`,
    );
  if (state.freeze)
    turn.refuse(
      'conflict',
      `${policy.service} is frozen by ${who(state.freeze.by)}.${because(state.freeze.reason)} Unfreeze it first.`,
    );
  if (turn.firing.length > 0 && !force)
    turn.refuse(
      'conflict',
      `${list(turn.firing.map((a) => a.name))} fires on ${policy.service}. Wait until it is resolved, or start with --force (it is written in the journal).`,
    );
  if (turn.question && !force)
    turn.refuse(
      'conflict',
      `The question ${turn.question.id} is open on ${policy.service}. Answer it first, or start with --force (it is written in the journal).`,
    );
  if (lacksPromotion(turn, promotion) && !force)
    turn.refuse(
      'conflict',
      `${candidate.id} has to succeed on ${policy.requires?.service} before it starts on ${policy.service}${promotion ? `: ${promotion.detail}` : ''}. Finish it there first, or start with --force (it is written in the journal).`,
    );
  const share = observed.exposurePercent;
  const stableId = share === 100 ? observed.candidate : observed.stable;
  if (stableId === null || share === null)
    turn.refuse(
      'conflict',
      `The target of ${policy.service} does not tell which version serves${observed.notice ? `: ${observed.notice}` : ''}. Nothing was started.`,
    );
  if (share !== 0 && share !== 100)
    turn.refuse(
      'conflict',
      `The traffic of ${policy.service} is already split: ${observed.candidate ?? 'another version'} gets ${percent(share)}. Somebody moved it by hand; bring it to 0 or 100 % first.`,
    );
  if (stableId === candidate.id)
    turn.refuse('conflict', `${candidate.id} already serves all traffic of ${policy.service}.`);
  const readiness = observed.ready[candidate.id];
  // A warm-up waits for it instead.
  if (readiness && !readiness.ready && policy.strategy.warmUp === null)
    turn.refuse('conflict', `${candidate.id} is not ready: ${readiness.detail}. Deploy it first.`);
  const known = serving(state.served);
  const stable = known?.id === stableId ? known : { id: stableId };
  if (!compatible(candidate, stable) && !force)
    turn.refuse(
      'conflict',
      `${candidate.id} has another signature (${candidate.signature}) than ${stable.id} (${stable.signature}): there would be no way back. Start with --force if you are sure.`,
    );
  return stable;
}

/** What --force went over, for the journal. */
function whatWasForced(turn: Turn, { force, promotion }: Extract<Command, { name: 'start' }>): string {
  if (!force) return '';
  const over = [
    ...(turn.firing.length > 0 ? [`${list(turn.firing.map((a) => a.name))} fires`] : []),
    ...(lacksPromotion(turn, promotion) ? [`it has not succeeded on ${turn.policy.requires?.service}`] : []),
  ];
  return over.length > 0 ? ` Forced although ${list(over)}.` : '';
}

function lacksPromotion(turn: Turn, promotion: Promotion | undefined): boolean {
  return turn.policy.requires !== null && promotion?.outcome !== 'succeeded';
}

function endWatchWithoutCredit(turn: Turn): void {
  const rollout = turn.rollout;
  if (turn.question) endQuestion(turn, 'superseded', 'a new rollout was started');
  if (!rollout) return;
  turn.cancel('watch', 'look');
  turn.enter({ name: 'succeeded', atMs: turn.now, reason: 'its watch was ended by a new rollout' });
  turn.set({ served: taint(turn.state.served, rollout.candidate.id) });
  turn.tell(
    'rollout-succeeded',
    turn.automation,
    `${rollout.id} is no longer watched: a new rollout was started. ${rollout.candidate.id} gets no credit as last known good.`,
  );
}
