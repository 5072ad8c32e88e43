import { pagerAnswers, slackAnswers } from './adapters.ts';
import type { Area } from './area.ts';
import { commands } from './commands.ts';
import { interactions, signatures } from './interactions.ts';
import { policies } from './policies.ts';
import { requests } from './requests.ts';
import { alertmanagerAnswers, prometheusAnswers, targetAnswers } from './vendors.ts';
import { alertCards, webhooks } from './webhooks.ts';

/** Every way in. The shares sum to a hundred; they go by what an input costs. */
export const areas: readonly Area[] = [
  webhooks,
  alertCards,
  commands,
  interactions,
  requests,
  signatures,
  policies,
  prometheusAnswers,
  targetAnswers,
  alertmanagerAnswers,
  slackAnswers,
  pagerAnswers,
];
