import type { DomainEvent } from './event.ts';
import { page } from './question.ts';
import type { Actor, Degradation } from './state.ts';
import { Ignored, type Turn } from './turn.ts';

/** What comes back from PagerDuty, and when it is called (again). */

type PagerEvent = Extract<DomainEvent, { type: 'paged' | 'page_failed' | 'pager_acknowledged' | 'pager_resolved' }>;

export function onEscalate(turn: Turn): void {
  const question = turn.question;
  if (question?.stage.name !== 'asking') return;
  turn.stage({ ...question.stage, escalateAtMs: null });
  page(turn, 'degraded, and nobody has answered yet.');
}

/** Nobody can answer what nobody sees: people are called now, not when they would be for their silence. */
export function onUnseen(turn: Turn, degradationId: string, why: string): void {
  const question = turn.question;
  if (question?.id !== degradationId || question.stage.name !== 'asking')
    throw new Ignored(`${degradationId} asks nobody any more`);
  if (question.page.state !== 'none' || question.stage.escalateAtMs === null)
    throw new Ignored('somebody is called already');
  turn.stage({ ...question.stage, escalateAtMs: null });
  turn.cancel('escalate');
  page(turn, `degraded, and the question cannot be seen: ${why}.`);
}

export function onRepage(turn: Turn): void {
  const stage = turn.question?.stage.name;
  if (stage === 'held' || stage === 'asking' || stage === 'grace') page(turn, 'a person is still needed.');
}

export function onPager(turn: Turn, event: PagerEvent): void {
  const question = turn.state.degradation;
  if (question?.id !== event.degradationId) throw new Ignored(`${event.degradationId} is not the latest degradation`);
  switch (event.type) {
    case 'paged':
      onPaged(turn, question, event);
      return;
    case 'page_failed':
      turn.tell('page-failed', turn.automation, `PagerDuty could not be told to ${event.action}: ${event.reason}`, {
        reason: event.reason,
      });
      return;
    case 'pager_acknowledged':
      if (question.stage.name === 'ended') throw new Ignored(`${question.id} has ended`);
      turn.setQuestion({ page: { ...question.page, state: 'acknowledged', atMs: turn.now, by: event.by } });
      turn.cancel('repage');
      turn.tell(
        'page-acknowledged',
        pagerDuty(event.by),
        `${event.by} acknowledged in PagerDuty. Paging stops; the deadline stays.`,
      );
      return;
    case 'pager_resolved':
      if (question.stage.name === 'ended') throw new Ignored(`${question.id} has ended`);
      turn.setQuestion({ page: { ...question.page, state: 'resolved', atMs: turn.now, by: event.by } });
      turn.cancel('repage');
      turn.tell(
        'page-resolved',
        pagerDuty(event.by),
        `${event.by} resolved the incident in PagerDuty. That closes nothing here: is it over? Roll back, Hold or Promote.`,
      );
      return;
  }
}

function onPaged(turn: Turn, question: Degradation, event: Extract<PagerEvent, { type: 'paged' }>): void {
  const { action } = event;
  const page = { ...question.page, ...openedWith(question, event) };
  const { state } = page;
  if (action === 'resolve') {
    if (state === 'resolved') throw new Ignored('already resolved');
    turn.setQuestion({ page: { ...page, state: 'resolved', atMs: turn.now, by: null } });
    turn.note('page-resolved', turn.automation, `The PagerDuty incident of ${question.id} is resolved.`);
    return;
  }
  if (action === 'acknowledge') {
    const by = question.acknowledged?.by.name ?? null;
    turn.setQuestion({ page: { ...page, state: 'acknowledged', atMs: turn.now, by } });
    return;
  }
  if (state === 'acknowledged') throw new Ignored(`${question.id} is acknowledged already`);
  const again = state === 'triggered';
  turn.setQuestion({ page: { ...page, state: 'triggered', atMs: turn.now, by: null } });
  turn.tell('paged', turn.automation, again ? 'Paged again: nobody has decided yet.' : 'Paged through PagerDuty.');
  // It ended while the page was on its way: the incident must not stay open.
  if (question.stage.name === 'ended')
    turn.effects.push({ kind: 'page', action: 'resolve', degradationId: question.id, summary: 'over' });
}

/** Under another policy the key may be another: who was called by the one before has to hear of the end as well. */
function openedWith(
  { page: { policyRevisions = [] } }: Degradation,
  { action, policyRevision }: Extract<PagerEvent, { type: 'paged' }>,
): Pick<Degradation['page'], 'policyRevisions'> {
  if (action !== 'trigger' || policyRevision === undefined || policyRevisions.includes(policyRevision)) return {};
  return { policyRevisions: [...policyRevisions, policyRevision] };
}

function pagerDuty(by: string): Actor {
  return { kind: 'pagerduty', id: by, name: by };
}
