import type { JournalEntry, JournalKind } from '../../domain/effect.ts';
import type { Actor, Degradation, HeldReason, Phase, Rollback, Rollout, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import { list, percent, sentence, who } from '../../domain/words.ts';

/** What happens at this moment, in words, and the moment something is decided next. */
export interface Now {
  readonly tone: 'calm' | 'moving' | 'alarm' | 'good';
  readonly title: string;
  readonly detail: string;
  /** What `untilMs` is: "Rolls back by itself at". */
  readonly until: string;
  readonly untilMs: number | null;
}

/** Works it out of the state, and of the journal who ended the rollout; pure. */
export function nowOf(state: ServiceState | null, nowMs: number, journal: readonly JournalEntry[]): Now {
  const rollout = state?.rollout ?? null;
  const question = openQuestion(state);
  if (question && (!rollout || hasFloor(rollout.phase))) return asked(question, rollout);
  return rollout ? ofPhase(rollout, nowMs, journal) : calm('All is well', 'No rollout is under way.');
}

export function openQuestion(state: ServiceState | null): Degradation | null {
  const { degradation } = state ?? {};
  return degradation && degradation.stage.name !== 'ended' ? degradation : null;
}

/** True: the rollout is over, another one may begin. */
export function isOver(rollout: Rollout | null): boolean {
  return rollout === null || isEnded(rollout.phase);
}

function hasFloor(phase: Phase): boolean {
  return phase.name === 'deciding' || isEnded(phase);
}

function calm(title: string, detail: string): Now {
  return { tone: 'calm', title, detail, until: '', untilMs: null };
}

function asked(question: Degradation, rollout: Rollout | null): Now {
  const { stage } = question;
  const signals = list([...new Set(question.signals.map((s) => (s.kind === 'alert' ? s.name : 'the gate')))]);
  const at = rollout ? ` ${rollout.candidate.id} stays at ${percent(rollout.exposurePercent)}.` : '';
  const alarm = (title: string, detail: string, until = '', untilMs: number | null = null): Now => ({
    tone: 'alarm',
    title,
    detail,
    until,
    untilMs,
  });
  switch (stage.name) {
    case 'grace':
      return alarm(
        'Something got worse',
        `${signals}: it has to last before people are asked.`,
        'Asks at',
        stage.untilMs,
      );
    case 'asking':
      return stage.measuring
        ? alarm('Nobody answered', 'Measuring once more, then deciding.')
        : alarm('People are asked', `${signals}.${at}`, whatComes(question), stage.deadlineMs);
    case 'recovering':
      return alarm('It looks well again', 'The clock stands still.', 'The question ends at', stage.untilMs);
    case 'held':
      return alarm('A person is needed', `Nothing moves by itself: ${held[stage.why]}.${at}`);
    default:
      return alarm('Decided', question.decision ? `${who(question.decision.by)}: ${question.decision.action}.` : at);
  }
}

/** As it is measured now; at the deadline it is measured once more. */
function whatComes({ comparison }: Degradation): string {
  const rollsBack = comparison === null || comparison.verdict === 'degraded' || comparison.verdict === 'inconclusive';
  return rollsBack && !comparison?.commonCause
    ? 'Nobody answers: rolls back by itself at'
    : 'Nobody answers: holds and pages at';
}

const held: Readonly<Record<HeldReason, string>> = {
  'no-data': 'there are no numbers to go by',
  healthy: 'the numbers look healthy although an alert fires',
  'common-cause': 'both versions are equally bad, so a rollback will not help',
  frozen: 'the service is frozen',
  inconclusive: 'the numbers do not say enough',
  'no-rollout': 'no rollout is under way',
  policy: 'the policy leaves it to people',
  observe: 'automation only observes',
  'stable-worse': 'stable got worse under the returning traffic',
  stuck: 'the way back is closed',
  restored: 'the database was put back from a backup',
  person: 'a person holds it',
};

function ofPhase(rollout: Rollout, nowMs: number, journal: readonly JournalEntry[]): Now {
  const { phase, candidate, stable, plan } = rollout;
  const share = percent(rollout.exposurePercent);
  const names = `${stable.id} → ${candidate.id}`;
  switch (phase.name) {
    case 'advancing': {
      const step = plan.steps[rollout.step];
      const title = `Rolling out ${candidate.id}`;
      if (phase.stage === 'shifting') {
        return moving(title, `Moving to ${percent(step?.exposurePercent ?? plan.steps[0]?.exposurePercent ?? 0)}.`);
      }
      return nowMs < phase.soakUntilMs
        ? moving(title, `${names} at ${share}: compared every second.`, 'The gate is asked at', phase.soakUntilMs)
        : moving(title, `${names} at ${share}: not sure yet.`, 'People are asked at', phase.maxSoakUntilMs);
    }
    case 'holding':
      return {
        tone: 'alarm',
        title: `Held at ${share}`,
        detail: `By ${who(phase.by)}. ${phase.reason}`.trim(),
        until: phase.untilMs === null ? '' : 'Asks again at',
        untilMs: phase.untilMs,
      };
    case 'watching':
      return moving(`${candidate.id} has all traffic`, 'It is watched for a while.', 'Succeeds at', phase.untilMs);
    case 'rolling_back':
      return rollingBack(rollout, phase.rollback);
    case 'verifying':
      return moving(
        `Back on ${stable.id}`,
        'All traffic is back. Is it really well again?',
        'Earliest answer at',
        phase.soakUntilMs,
      );
    case 'stuck':
      return { tone: 'alarm', title: 'Stuck: a person is needed', detail: phase.reason, until: '', untilMs: null };
    case 'deciding':
      return { tone: 'alarm', title: 'Deciding', detail: `${names} at ${share}.`, until: '', untilMs: null };
    default:
      return ended(rollout, phase.name, phase.reason, journal);
  }
}

function rollingBack({ stable, exposurePercent }: Rollout, { phases, phase, stage, soakUntilMs }: Rollback): Now {
  const to = phases[phase]?.exposurePercent ?? 0;
  const title = `Rolling back to ${stable.id}`;
  if (stage === 'shifting') return moving(title, `From ${percent(exposurePercent)} to ${percent(to)}.`);
  const next = phases[phase + 1]?.exposurePercent;
  return moving(
    title,
    `At ${percent(exposurePercent)}: does ${stable.id} carry the load?`,
    next === undefined ? '' : `To ${percent(next)} from`,
    soakUntilMs,
  );
}

type Ended = 'succeeded' | 'rolled_back' | 'cancelled';

/** How the journal calls the end of a rollout that somebody decided, and how it is said. */
const decisions: Readonly<Record<Ended, readonly [kind: JournalKind, words: string] | null>> = {
  succeeded: null,
  rolled_back: ['rolled-back', 'Rolled back'],
  cancelled: ['rollout-cancelled', 'Cancelled'],
};

function ended(rollout: Rollout, name: Ended, reason: string, journal: readonly JournalEntry[]): Now {
  const titles = {
    succeeded: `${rollout.candidate.id} is the new last good`,
    rolled_back: `Back on ${rollout.stable.id}, and well`,
    cancelled: 'Cancelled',
  };
  const why = reason === '' ? '' : sentence(`${reason.charAt(0).toUpperCase()}${reason.slice(1)}`);
  const [kind, words] = decisions[name] ?? [];
  const by = journal.findLast(({ what, rolloutId }) => what === kind && rolloutId === rollout.id)?.actor;
  const detail = by ? `${words} by ${whoShort(by)}${why === '' ? '.' : `: ${why}`}` : why;
  return { tone: name === 'cancelled' ? 'calm' : 'good', title: titles[name], detail, until: '', untilMs: null };
}

/** Which policy's automation is in the journal. */
function whoShort(actor: Actor): string {
  return actor.kind === 'policy' ? 'automation' : who(actor);
}

function moving(title: string, detail: string, until = '', untilMs: number | null = null): Now {
  return { tone: 'moving', title, detail, until, untilMs };
}
