import { code } from '../cards/text.ts';
import { defineCommand, Misunderstood, reasonOf, takeService, told } from './define.ts';

/** Registry tags, commits and digests; nothing that a shell, a URL or a PromQL selector would read as its own. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,127}$/;

export const start = defineCommand({
  name: 'start',
  usage: 'SERVICE VERSION [--reason TEXT] [--commit SHA] [--force]',
  summary: 'Begin a rollout of VERSION',
  examples: ['start fraud-scorer v42 --reason new features'],
  flags: { reason: 'text', commit: 'value', force: 'switch' },
  parse: (words, context) => {
    const { service, others } = takeService(words, context, { atLeast: 1, atMost: 1 });
    const version = others[0] ?? '';
    if (!VERSION.test(version)) {
      throw new Misunderstood(`${code(version)} is no version: letters, digits and \`._:@+/-\`, at most 128 of them.`);
    }
    const commit = words.flags.get('commit') ?? undefined;
    return {
      service,
      candidate: { id: version, ...(commit ? { commit } : {}) },
      force: words.flags.has('force'),
      reason: reasonOf(words),
    };
  },
  run: async (input, { application, actor, key, policies, slash }) => {
    const answer = await application.start({ ...input, actor, key, once: key });
    const reply = told(answer);
    const before = policies.find((one) => one.service === input.service)?.requires?.service;
    // Refused for what has to happen elsewhere first: said where to look.
    const isElsewhere = !answer.ok && before !== undefined && answer.refusal.text.includes(before);
    return isElsewhere ? { text: `${reply.text}\nHow it stands there: \`${slash} status ${before}\`` } : reply;
  },
});
