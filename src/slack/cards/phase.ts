import { wouldHold } from '../../domain/deadline.ts';
import type { Actor, Degradation, HeldReason, Rollback, Rollout } from '../../domain/state.ts';
import { duration, percent } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { named } from './people.ts';
import { keptWords, movingWords, rollbackWords, stepWords, warmingWords } from './strategy.ts';
import { code, moment, outside } from './text.ts';
import { wayBackOf } from './way-back.ts';

/** Where the rollout stands: exposure, step or phase, and what comes next and when. Markdown, escaped. */
export function phaseLine(view: CardView): string {
  const { rollout, degradation } = view;
  const lines = [
    rollout ? whereItStands(rollout, view.state.clockMs) : '',
    degradation ? whatComes(degradation, view) : '',
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** Exposure and the phase by its name, as of `nowMs`, and what the target shows instead. */
export function whereItStands(rollout: Rollout, nowMs: number): string {
  const { driftPercent } = rollout;
  const drift =
    driftPercent === undefined
      ? ''
      : `\n⚠️ The target gives it ${percent(driftPercent)} instead: it was moved by hand, or the target was reloaded`;
  return `${phaseWords(rollout, nowMs)}${drift}`;
}

function phaseWords(rollout: Rollout, nowMs: number): string {
  const { phase } = rollout;
  const exposure = `*${percent(rollout.exposurePercent)}* of traffic on ${code(rollout.candidate.id)}`;
  switch (phase.name) {
    case 'advancing':
      if (phase.stage === 'warming') return `🌡️ ${exposure} · ${warmingWords(rollout, phase, nowMs)}`;
      return phase.stage === 'shifting'
        ? `🔄 ${exposure} · ${movingWords(rollout)}`
        : `🔄 ${exposure} · ${stepWords(rollout)} · next gate ${moment(phase.soakUntilMs, 'seconds')}, at the latest ${moment(phase.maxSoakUntilMs, 'seconds')}`;
    case 'deciding':
      return `⏸️ ${exposure} · ${during(phase.during, rollout)} · stays there while people decide`;
    case 'holding':
      return `⏸️ ${exposure} · ${during(phase.during, rollout)} · held by ${holder(phase.by)} ${until(phase.untilMs)}${reason(phase.reason)}`;
    case 'watching':
      return [`👀 ${exposure} · watched until ${moment(phase.untilMs, 'day')}`, keptWords(rollout, nowMs)]
        .filter((s) => s !== '')
        .join(' · ');
    case 'rolling_back':
      return `⏪ ${exposure} · ${rollbackWords(phase.rollback, rollout)}`;
    case 'verifying':
      if (rollout.highestPercent === 0)
        return `🔎 ${exposure} · it never got traffic; what fires is waited for, at the latest ${moment(phase.maxSoakUntilMs, 'seconds')}`;
      return `🔎 ${exposure} · all traffic is back on ${code(rollout.stable.id)}, checked until ${moment(phase.soakUntilMs, 'seconds')}`;
    case 'stuck':
      return `🚨 ${exposure} · *stuck, a person is needed*: ${outside(phase.reason, 600)}`;
    case 'succeeded':
      return `✅ ${exposure} · succeeded ${moment(phase.atMs)}${reason(phase.reason)}`;
    case 'rolled_back':
      return `⏪ ${exposure} · rolled back to ${code(rollout.stable.id)} ${moment(phase.atMs)}${reason(phase.reason)}`;
    case 'cancelled':
      return `⏹️ ${exposure} · cancelled ${moment(phase.atMs)}${reason(phase.reason)}`;
  }
}

function during(what: 'advancing' | 'watching' | Rollback, rollout: Rollout): string {
  if (what === 'advancing') return stepWords(rollout);
  return what === 'watching' ? 'all steps done' : rollbackWords(what, rollout);
}

/** Where automation holds, the footer says by which policy. */
function holder(by: Actor): string {
  return by.kind === 'policy' ? 'automation' : named(by);
}

function until(ms: number | null): string {
  return ms === null ? 'until somebody resumes' : `until ${moment(ms, 'seconds')}, then it asks again`;
}

function reason(text: string): string {
  return text.trim() === '' ? '' : `: ${outside(text, 400)}`;
}

function whatComes(degradation: Degradation, view: CardView): string {
  const { stage } = degradation;
  switch (stage.name) {
    case 'grace':
      return `⏳ If it lasts until ${moment(stage.untilMs, 'seconds')}, people are asked what to do.`;
    case 'asking':
      return stage.measuring
        ? '⏱️ The time to answer is over: measured once more, then decided.'
        : atTheDeadline(stage.deadlineMs, view);
    case 'recovering':
      return `🟡 It looks well again. If it stays well until ${moment(stage.untilMs, 'seconds')} this ends; otherwise ${stage.held === null ? `the clock goes on with ${duration(stage.remainingMs)} left` : 'a person is needed again'}.`;
    case 'held':
      return `✋ *A person is needed*: ${HELD[stage.why]}`;
    case 'decided':
    case 'ended':
      return '';
  }
}

function atTheDeadline(deadlineMs: number, view: CardView): string {
  const at = moment(deadlineMs, 'seconds');
  const { policy, state, rollout } = view;
  if (policy.mode === 'observe') return `👁️ At ${at} Lastgood only says what it would have done: the policy observes.`;
  if (state.automationOff) return `⏻ At ${at} nothing is done by itself: automation is switched off.`;
  if (state.freeze) return `🧊 At ${at} Lastgood pages and moves nothing: the service is frozen.`;
  if (!rollout) return `⏰ At ${at} Lastgood pages unless someone acts. Without a rollout it moves nothing by itself.`;
  switch (policy.respond.defaultAction) {
    case 'rollback':
      return heldAtTheDeadline(at, view) ?? backAtTheDeadline(at, view);
    case 'hold':
      return `⏰ *Exposure is held at ${at}* and somebody paged, unless someone acts`;
    case 'page':
      return `⏰ *Somebody is paged at ${at}* unless someone acts`;
  }
}

/** As it is measured now it would not roll back: nobody is to be told that it will. */
function heldAtTheDeadline(at: string, { state, policy }: CardView): string | null {
  const why = wouldHold(state, policy);
  const words = why ? NOT_NOW[why] : undefined;
  return words ? `⏰ *At ${at} it is measured once more*. As it stands Lastgood then holds and pages: ${words}` : null;
}

const NOT_NOW: Readonly<Partial<Record<HeldReason, string>>> = {
  'no-data': 'there are no numbers to go by',
  healthy: 'the numbers look healthy',
  'common-cause': 'stable is as bad as the candidate, so a rollback would not help',
  inconclusive: 'no alert fires, and the numbers do not say enough',
};

/** After 100 % only what is known good is gone back to by itself. */
function backAtTheDeadline(at: string, view: CardView): string {
  const { rollout } = view;
  if (rollout?.highestPercent === 0)
    return `⏰ *The rollout ends at ${at}* unless someone acts: ${code(rollout.candidate.id)} never got traffic`;
  if (!rollout || rollout.exposurePercent < 100) return `⏰ *Automatic rollback at ${at}* unless someone acts`;
  const wayBack = wayBackOf({ ...view, rollout: { ...rollout, wayBack: null } });
  return wayBack
    ? `⏰ *Automatic rollback at ${at}* to ${code(wayBack.served.version.id)} unless someone acts`
    : `⏰ At ${at} Lastgood pages unless someone acts. No version is known good, so it moves nothing by itself.`;
}

/** Why automation stands still, in words for the people who are to act (rules 3–6 and 9). */
const HELD: Readonly<Record<HeldReason, string>> = {
  'no-data': 'there are no numbers to go by. Nothing is moved until somebody decides.',
  healthy: 'the alert still fires although the numbers look healthy. Nothing is moved until somebody decides.',
  'common-cause': 'stable is as bad as the candidate, so a rollback will not help. Look for what both depend on.',
  frozen: 'the service is frozen, so nothing is moved by itself.',
  inconclusive: 'the numbers do not say whether the rollout is to blame. Nothing is moved until somebody decides.',
  'no-rollout':
    'no rollout is under way, so nothing is moved by itself. Roll back goes to the last known good version.',
  policy: 'the policy leaves this to people.',
  observe: 'automation only observes here. Nothing is moved until somebody decides.',
  'stable-worse': 'stable got worse while traffic came back to it. The rollback stands still until somebody decides.',
  stuck: 'the rollback cannot go on by itself.',
  restored:
    'the database was put back from a backup. Look at what is in force; nothing is moved until somebody decides.',
  person: 'somebody asked for it to stay as it is.',
};
