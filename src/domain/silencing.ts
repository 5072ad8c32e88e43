import type { DomainEvent } from './event.ts';
import { Ignored, type Turn } from './turn.ts';

/** Alerts of a service are silenced while it is rolled back, where the policy wants that, and heard again afterwards. */

export function silence(turn: Turn): void {
  const { question, policy } = turn;
  if (!policy.silence || !question || question.silencedUntilMs !== null) return;
  const untilMs = turn.now + policy.silence.forMs;
  turn.setQuestion({ silencedUntilMs: untilMs });
  const comment = `${policy.service} is being rolled back by Lastgood (${question.id}); lifted when that has ended.`;
  turn.effects.push({ kind: 'silence', action: 'create', degradationId: question.id, untilMs, comment });
}

/** What was silenced is heard again; harmless where nothing was. */
export function liftSilence(turn: Turn): void {
  const { question } = turn;
  if (!question || question.silencedUntilMs === null) return;
  turn.setQuestion({ silencedUntilMs: null });
  const comment = `${question.id}: the rollback is over.`;
  turn.effects.push({ kind: 'silence', action: 'lift', degradationId: question.id, untilMs: turn.now, comment });
}

export function onSilenced(turn: Turn, event: Extract<DomainEvent, { type: 'silenced' }>): void {
  const { degradation } = turn.state;
  if (degradation?.id !== event.degradationId) throw new Ignored(`${event.degradationId} is over`);
  if (event.problem !== null) {
    if (event.action === 'create') turn.setQuestion({ silencedUntilMs: null });
    const what =
      event.action === 'create' ? 'could not be silenced' : 'could not be unsilenced; they end by themselves';
    turn.tell('silence-failed', turn.automation, `The alerts of ${turn.policy.service} ${what}: ${event.problem}.`);
    return;
  }
  if (event.action === 'create')
    turn.note('alerts-silenced', turn.automation, `The alerts of ${turn.policy.service} are silenced in Alertmanager.`);
  else turn.note('silence-lifted', turn.automation, `The alerts of ${turn.policy.service} are heard again.`);
}
