import type { Reply } from './define.ts';
import { counted, defineCommand, Misunderstood, reasonOf, takeService, told } from './define.ts';

/** The emergency brake: for one service or for all. */
export const automation = defineCommand({
  name: 'automation',
  usage: 'on|off SERVICE|all [--reason TEXT]',
  summary: 'The emergency brake: off, it only says what it would have done',
  examples: ['automation off all --reason Prometheus is lying'],
  flags: { reason: 'text' },
  parse: (words, context) => {
    const [first = '', ...rest] = words.positional;
    const mode = first.toLowerCase();
    if (mode !== 'on' && mode !== 'off') throw new Misunderstood('Say `on` or `off` first.');
    const reason = reasonOf(words);
    if (rest[0]?.toLowerCase() === 'all') {
      counted(rest, { atLeast: 1, atMost: 1 });
      return { on: mode === 'on', services: context.policies.map((policy) => policy.service), reason };
    }
    const { service } = takeService({ ...words, positional: rest }, context, { atLeast: 0, atMost: 0 });
    return { on: mode === 'on', services: [service], reason };
  },
  run: async ({ on, services, reason }, { application, actor, key }) => {
    const lines: string[] = [];
    for (const service of services) {
      const command = { name: 'automation', on, reason } as const;
      const own = `${key}/${service}`;
      const reply: Reply = told(await application.command({ service, command, actor, key: own, once: own }));
      lines.push(reply.text);
    }
    return { text: lines.length === 0 ? 'No policy is loaded, so there is nothing to switch.' : lines.join('\n') };
  },
});
