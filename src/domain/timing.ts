import { onWatchEnd } from './advance.ts';
import { onDeadline } from './deadline.ts';
import { onHoldEnd } from './holding.ts';
import { look } from './looking.ts';
import { onEscalate, onRepage } from './paging.ts';
import { ask } from './question.ts';
import { onStable } from './recovery.ts';
import { reassert } from './shifting.ts';
import type { TimerKey } from './state.ts';
import { Ignored, type Turn } from './turn.ts';
import { onProbeTimer } from './warming.ts';
import { duration } from './words.ts';

/** Rule 10. */
export const OVERDUE_MS = 60_000;
const GRACE_AFTER_OUTAGE_MS = 60_000;

/** `putOffToMs`: looks that found nothing new were taken before, and the next was due then. */
export function onTimer(turn: Turn, key: TimerKey, epoch: number, putOffToMs?: number): void {
  const timer = turn.state.timers[key];
  if (timer?.epoch !== epoch) throw new Ignored(`the timer ${key} was replaced or cancelled`);
  const { [key]: _, ...timers } = turn.state.timers;
  turn.set({ timers });
  const lateMs = turn.now - (putOffToMs ?? timer.atMs);
  if (lateMs > OVERDUE_MS && key !== 'reassert' && key !== 'repage' && key !== 'probe') postpone(turn, key, lateMs);
  else fire(turn, key);
}

function fire(turn: Turn, key: TimerKey): void {
  switch (key) {
    case 'grace':
      onGrace(turn);
      return;
    case 'deadline':
      onDeadline(turn);
      return;
    case 'escalate':
      onEscalate(turn);
      return;
    case 'stability':
      onStable(turn);
      return;
    case 'hold':
      onHoldEnd(turn);
      return;
    case 'look':
      look(turn);
      return;
    case 'repage':
      onRepage(turn);
      return;
    case 'watch':
      onWatchEnd(turn);
      return;
    case 'probe':
      onProbeTimer(turn);
      return;
    case 'reassert':
      reassert(turn);
      return;
  }
}

function onGrace(turn: Turn): void {
  if (turn.question?.stage.name !== 'grace') return;
  ask(turn);
  const deadlineMs = turn.state.timers.deadline?.atMs ?? turn.now;
  turn.tell(
    'question-opened',
    turn.automation,
    `It has lasted: what shall be done? ${duration(deadlineMs - turn.now)} to answer.`,
  );
  look(turn);
}

/** Lastgood was down: nothing is done on what was true then. Look first, show the card, give people a minute. */
function postpone(turn: Turn, key: TimerKey, lateMs: number): void {
  const untilMs = turn.now + GRACE_AFTER_OUTAGE_MS;
  if (key === 'look') postponeSoaks(turn, untilMs);
  else {
    turn.timer(key, untilMs);
    showMovedTimer(turn, key, untilMs);
  }
  // Several timers are found overdue together: it is looked at once and told once.
  const { look: taken } = turn.state;
  if (taken && turn.now - taken.askedAtMs <= OVERDUE_MS) return;
  tellOfOutage(turn, lateMs);
  look(turn);
}

function tellOfOutage(turn: Turn, lateMs: number): void {
  turn.tell(
    'deadline-postponed',
    turn.automation,
    `Lastgood was away for ${duration(lateMs)}. It looks anew and does nothing by itself for ${duration(GRACE_AFTER_OUTAGE_MS)}.`,
  );
}

/**
 * The measurement of a deadline came back this late: Lastgood was away in between, and people get their minute here as well.
 * False: it is in time.
 */
export function postponeLateDecision(turn: Turn, askedAtMs: number): boolean {
  const stage = turn.question?.stage;
  const lateMs = turn.now - askedAtMs;
  if (lateMs <= OVERDUE_MS || stage?.name !== 'asking') return false;
  const deadlineMs = turn.now + GRACE_AFTER_OUTAGE_MS;
  turn.stage({ ...stage, deadlineMs, measuring: false });
  turn.timer('deadline', deadlineMs);
  tellOfOutage(turn, lateMs);
  return true;
}

function showMovedTimer(turn: Turn, key: TimerKey, untilMs: number): void {
  const stage = turn.question?.stage;
  const phase = turn.rollout?.phase;
  if (key === 'deadline' && stage?.name === 'asking') turn.stage({ ...stage, deadlineMs: untilMs });
  if (key === 'escalate' && stage?.name === 'asking') turn.stage({ ...stage, escalateAtMs: untilMs });
  if (key === 'grace' && stage?.name === 'grace') turn.stage({ ...stage, untilMs });
  if (key === 'stability' && stage?.name === 'recovering') turn.stage({ ...stage, untilMs });
  if (key === 'hold' && phase?.name === 'holding') turn.setRollout({ phase: { ...phase, untilMs } });
  if (key === 'watch' && phase?.name === 'watching') turn.setRollout({ phase: { ...phase, untilMs } });
}

function postponeSoaks(turn: Turn, untilMs: number): void {
  const phase = turn.rollout?.phase;
  if (phase?.name === 'advancing' || phase?.name === 'verifying')
    turn.setRollout({
      phase: {
        ...phase,
        soakUntilMs: Math.max(phase.soakUntilMs, untilMs),
        maxSoakUntilMs: Math.max(phase.maxSoakUntilMs, untilMs),
      },
    });
  if (phase?.name === 'rolling_back') {
    const { rollback } = phase;
    const soaks = {
      soakUntilMs: Math.max(rollback.soakUntilMs, untilMs),
      maxSoakUntilMs: Math.max(rollback.maxSoakUntilMs, untilMs),
    };
    turn.setRollout({ phase: { ...phase, rollback: { ...rollback, ...soaks } } });
  }
}
