import type { Status } from '../../application/api.ts';
import { serving } from '../../domain/served.ts';
import type { CardView } from '../../ports/chat.ts';
import { type Block, context, LIMIT, section } from '../cards/blocks.ts';
import { experiment } from '../cards/experiment.ts';
import { standing } from '../cards/footer.ts';
import { gateLine } from '../cards/gate.ts';
import { cannotTell, factsOf } from '../cards/held-against.ts';
import { impact } from '../cards/impact.ts';
import { objectiveWords } from '../cards/objective.ts';
import { phaseLine } from '../cards/phase.ts';
import { code, fitted, outside } from '../cards/text.ts';
import { servedLine, wayBackLine } from '../cards/way-back.ts';
import { openDegradation, underWay } from '../views/explain.ts';
import { counted, defineCommand, type Reply, takeService } from './define.ts';

const SERVICES_SHOWN = 40;
const LINE = 900;
/** What served before is for who has to think of the way back: the newest are enough. */
const VERSIONS = 4;

export const status = defineCommand({
  name: 'status',
  usage: '[SERVICE]',
  summary: 'What is under way, and what comes next',
  parse: (words, parseContext) => {
    if (words.positional.length === 0) return { service: null };
    const { service, others } = takeService(words, parseContext, { atLeast: 0, atMost: 0 });
    counted(others, { atLeast: 0, atMost: 0 });
    return { service };
  },
  run: async ({ service }, { application }): Promise<Reply> => {
    if (service === null) {
      const { active, quiet, activeCount, quietCount } = await application.overview(SERVICES_SHOWN);
      return overview([...active, ...quiet].slice(0, SERVICES_SHOWN), activeCount + quietCount);
    }
    const found = await application.status(service);
    return found ? overview([found]) : { text: `Nothing is known of ${code(service)} yet.` };
  },
});

/** One section a service, in this order; `count`: how many there are in all. */
export function overview(statuses: readonly Status[], count = statuses.length): Reply {
  if (statuses.length === 0) return { text: 'No policy is loaded, so there is no service yet.' };
  const texts = statuses.map((one) => fitted(statusText(one), LINE));
  const blocks: Block[] = [];
  let size = 0;
  for (const text of texts) {
    size += text.length + 100;
    if (size > LIMIT.message - 500) break;
    blocks.push(section(text));
  }
  const left = count - blocks.length;
  if (left > 0) blocks.push(...context([`…and ${left} more. Ask for one: \`/rollout status SERVICE\``]));
  return { text: fitted(texts.join('\n\n'), LIMIT.fallback), blocks };
}

/** What is going on with one service. Markdown, escaped. */
export function statusText({ policy, state, observed }: Status): string {
  const degradation = openDegradation(state);
  const rollout = underWay(state);
  const view = {
    card: { kind: 'degradation', id: '' },
    policy,
    state,
    rollout,
    degradation,
    current: true,
  } as const;
  const version = serving(state.served);
  const quiet = version ? `✅ ${code(version.id)} serves everything; nothing is under way` : '✅ Nothing is under way';
  const lines = [
    `*${outside(policy.service, 80)}*${policy.mode === 'observe' ? ' (observe)' : ''}`,
    rollout || degradation ? '' : quiet,
    degradation ? impact(view).split('\n')[0] : '',
    unclear(view),
    phaseLine(view),
    ...(rollout ? [gateLine(rollout, factsOf(view)), experiment(rollout), objectiveWords(rollout)] : []),
    rollout || degradation ? wayBackLine(view) : '',
    standing(view),
    servedLine(view, VERSIONS),
    observed?.exposurePercent === undefined || observed.exposurePercent === null || rollout
      ? ''
      : `The target says: ${observed.exposurePercent} % on ${code(observed.candidate ?? '-')}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** That it cannot be told whether stable is equally bad, as of the newest numbers. */
function unclear(view: CardView): string {
  const comparison = view.degradation?.comparison ?? view.rollout?.comparison ?? null;
  return comparison ? cannotTell(comparison, view) : '';
}
