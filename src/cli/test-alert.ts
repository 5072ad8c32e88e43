import { sampleWebhook, WebhookProblem } from '../alerts/index.ts';
import { loadClientConfig } from '../config.ts';
import type { Policy } from '../domain/policy.ts';
import { createHttp } from '../outbound/http.ts';
import { formatProblems, loadPolicies } from '../policies/index.ts';
import { PortError } from '../ports/failure.ts';
import { targetSchemas } from '../targets/index.ts';
import { type CliCommand, type ExitCode, type Io, parse, UsageError } from './command.ts';

const timeoutMs = 15_000;
const severities = ['warning', 'critical'] as const;

export const testAlert: CliCommand = {
  name: 'test-alert',
  usage: 'SERVICE [--url URL] [--severity warning|critical] [--resolve]',
  summary: "send a running instance the alert that the service's policy matches, as Alertmanager would",
  run: async (args, io) => {
    const options = {
      url: { type: 'string' },
      severity: { type: 'string' },
      resolve: { type: 'boolean' },
    } as const;
    const { values, positionals } = parse(args, options, ['SERVICE']);
    const severity = severities.find((known) => known === values.severity);
    if (values.severity !== undefined && !severity) throw new UsageError('--severity is warning or critical.');
    const config = loadClientConfig(io.env);
    const policy = await findPolicy(config, positionals[0] ?? '', io);
    if (!policy) return 1;
    const status = values.resolve ? 'resolved' : 'firing';
    const url = new URL('/webhooks/alertmanager', values.url ?? `http://127.0.0.1:${config.port}`).href;
    try {
      const body = sampleWebhook(policy, { now: Date.now(), status, ...(severity ? { severity } : {}) });
      return await send({ url, body, token: config.webhookTokens[0] ?? '' }, io);
    } catch (error) {
      if (!(error instanceof WebhookProblem || error instanceof PortError)) throw error;
      io.err(error.message);
      return 1;
    }
  },
};

async function findPolicy(
  config: { policyDir: string; policySecrets: Readonly<Record<string, string>> },
  service: string,
  io: Io,
): Promise<Policy | null> {
  const { policyDir: directory, policySecrets: secrets } = config;
  const { policies, problems } = await loadPolicies({ directory, targets: targetSchemas, secrets });
  const found = policies.find(({ policy }) => policy.service === service);
  if (found) return found.policy;
  io.err(`There is no policy for ${service} in ${directory} (POLICY_DIR) that could be read.`);
  const services = policies.map(({ policy }) => policy.service);
  if (services.length > 0) io.err(`There are policies for ${services.join(', ')}.`);
  if (problems.length > 0) io.err(formatProblems(problems));
  return null;
}

async function send(request: { url: string; body: unknown; token: string }, io: Io): Promise<ExitCode> {
  const http = createHttp();
  try {
    const answer = await http.request({
      method: 'POST',
      url: request.url,
      headers: { authorization: `Bearer ${request.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
      timeoutMs,
      intent: 'read',
      accept: () => true,
    });
    return report(answer, request.url, io);
  } finally {
    http.close();
  }
}

function report(answer: { status: number; body: string }, url: string, io: Io): ExitCode {
  const text = answer.body.trim();
  if (answer.status !== 200) {
    io.err(`${url} answered ${answer.status}: ${text || 'nothing'}`);
    return 1;
  }
  const receipt = JSON.parse(text) as { matched?: number; unmatched?: number; duplicates?: number };
  if (receipt.matched) {
    io.out('Taken in and stored: the policy matches. Look at its Slack channel.');
    return 0;
  }
  if (receipt.duplicates) {
    io.out('Taken in, and known already: this alert was sent before and has not changed.');
    return 0;
  }
  io.err('Taken in, but no policy of that instance matches: does it use the same POLICY_DIR?');
  return 1;
}
