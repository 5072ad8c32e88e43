import type { Application } from '../../application/api.ts';
import type { Command } from '../../domain/event.ts';
import { code, utcMoment } from '../cards/text.ts';
import { evidenceLine } from '../cards/way-back.ts';
import { underWay } from '../views/explain.ts';
import { defineCommand, Misunderstood, type ParseContext, reasonOf, takeService, told } from './define.ts';
import { pastMoment } from './moment.ts';
import type { Words } from './words.ts';

type RollbackCommand = Extract<Command, { name: 'rollback' }>;

export const rollback = defineCommand({
  name: 'rollback',
  usage: 'SERVICE [--to VERSION | --before WHEN] [--now] [--reason TEXT]',
  summary: 'Go back by phases, or with --now at once; to the last known good, or to the version you say',
  examples: [
    'rollback fraud-scorer --now --reason errors doubled',
    'rollback fraud-scorer --to v41',
    'rollback fraud-scorer --before "2 h ago"',
  ],
  flags: { reason: 'text', now: 'switch', to: 'value', before: 'text' },
  parse: (words, context) => {
    const { service } = takeService(words, context, { atLeast: 0, atMost: 0 });
    return { service, command: rollbackOf(words, context) };
  },
  run: async ({ service, command }, { application, actor, key }) => {
    const answer = await application.command({ service, command, actor, key, once: key });
    const reply = told(answer);
    if (!answer.ok) return reply;
    const when = command.beforeMs === undefined ? '' : `As it was on ${utcMoment(command.beforeMs)}.`;
    const lines = [reply.text, when, await evidenceOf(application, service)];
    return { text: lines.filter((line) => line !== '').join('\n') };
  },
});

function rollbackOf(words: Words, { nowMs }: ParseContext): RollbackCommand {
  const pace = words.flags.has('now') ? 'at-once' : 'phased';
  const to = words.flags.get('to') ?? null;
  const before = words.flags.get('before') ?? null;
  const reason = reasonOf(words);
  if (before === null) return { name: 'rollback', pace, to, reason };
  if (to !== null)
    throw new Misunderstood('`--to` names the version and `--before` asks for what served then: give one of them.');
  const found = pastMoment(before, nowMs);
  if ('problem' in found) throw new Misunderstood(`\`--before\` ${code(before)}: ${found.problem}`);
  return { name: 'rollback', pace, to: null, beforeMs: found.atMs, reason };
}

/** Which version it goes back to and why, where there was a choice. */
async function evidenceOf(application: Application, service: string): Promise<string> {
  const status = await application.status(service);
  const wayBack = status ? underWay(status.state)?.wayBack : null;
  return wayBack ? evidenceLine(wayBack) : '';
}
