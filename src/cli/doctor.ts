import { type CliCommand, parse, UsageError } from './command.ts';
import { printSection, printSummary, problem, type Section } from './doctor/findings.ts';
import { examineInstance } from './doctor/instance.ts';
import { examineConfiguration, examinePolicies } from './doctor/local.ts';

export const doctor: CliCommand = {
  name: 'doctor',
  usage: '[--url URL]',
  summary: 'what is wrong with the configuration, the policies and the running instance, and what to do',
  run: async (args, io) => {
    const { values } = parse(args, { url: { type: 'string' } } as const, []);
    if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? ''))
      throw new UsageError('--url is the http:// or https:// address of an instance.');
    const sections: Section[] = [];
    const found = (section: Section) => {
      sections.push(section);
      printSection(section, io);
    };
    const local = examineConfiguration(io);
    found(local.section);
    const { client } = local;
    if (client !== null) {
      found(await examinePolicies(local));
      const url = values.url ?? (client.port === 0 ? null : `http://127.0.0.1:${client.port}`);
      if (url === null)
        found({
          title: 'Instance',
          findings: [problem('PORT is 0, so its address is not known', 'Give --url: its log says on what it listens.')],
        });
      else for (const section of await examineInstance(url, client.webhookTokens[0] ?? null)) found(section);
    }
    return printSummary(sections, io) ? 0 : 1;
  },
};
