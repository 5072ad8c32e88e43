import { isIP } from 'node:net';
import { z } from 'zod';

/** The variables of the environment: what each is for, and what it may hold. */

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Alertmanager's token is the only thing between the internet and our alerts: shorter ones can be guessed. */
const minimumTokenLength = 16;
/** What is read back when a rollout or a degradation ends, and what people ask after: shorter would be no journal. */
const shortestRetentionDays = 30;
/** Variables that hold secrets: each may be given as NAME, or as NAME_FILE with the path of a file that holds it. */
export const secretVariables = [
  'SLACK_BOT_TOKEN',
  'SLACK_SIGNING_SECRET',
  'ALERTMANAGER_WEBHOOK_TOKEN',
  'PAGERDUTY_ROUTING_KEY',
  'DATABASE_URL',
] as const;

/** Every variable with what it is for; the order is the one of problems and of `lastgood help`. */
export const variables: readonly { readonly name: string; readonly need: string; readonly meaning: string }[] = [
  { name: 'SLACK_BOT_TOKEN', need: 'required', meaning: 'bot token of the Slack app, xoxb-…' },
  { name: 'SLACK_SIGNING_SECRET', need: 'required', meaning: 'signing secret of the Slack app' },
  {
    name: 'ALERTMANAGER_WEBHOOK_TOKEN',
    need: 'required',
    meaning: `bearer token Alertmanager sends, at least ${minimumTokenLength} characters, or sha256:HASH of it; several with commas between them`,
  },
  { name: 'PROMETHEUS_URL', need: 'for policies without their own', meaning: 'where metrics are read' },
  {
    name: 'ALERTMANAGER_URL',
    need: 'optional',
    meaning: 'Alertmanager itself: asked for what its webhook missed, and silenced where a policy says so',
  },
  { name: 'DEFAULT_CHANNEL', need: 'optional', meaning: 'Slack channel that is told of alerts no policy matches' },
  {
    name: 'PAGERDUTY_ROUTING_KEY',
    need: 'for policies that escalate without their own',
    meaning: 'Events API v2 integration key',
  },
  {
    name: 'PAGERDUTY_EVENTS_HOST',
    need: 'optional',
    meaning: 'host[:port] of the Events API, events.eu.pagerduty.com for the EU',
  },
  {
    name: 'OPERATIONS_CHANNEL',
    need: 'optional',
    meaning: "Slack channel that is told of Lastgood's own troubles, #name or id",
  },
  { name: 'POLICY_DIR', need: './policies', meaning: 'directory of policy files' },
  { name: 'DATA_DIR', need: './data', meaning: 'directory of the database, where there is no DATABASE_URL' },
  {
    name: 'DATABASE_URL',
    need: 'for several replicas',
    meaning: 'PostgreSQL: postgres://user:password@host:5432/database?sslmode=verify-full',
  },
  { name: 'HOST', need: '0.0.0.0', meaning: 'address to listen on' },
  { name: 'PORT', need: '3000', meaning: 'port to listen on, 0 for any free one' },
  { name: 'PUBLIC_URL', need: 'optional', meaning: 'where people reach this instance' },
  { name: 'SLACK_API_URL', need: 'https://slack.com/api/', meaning: 'another Slack API, for tests' },
  {
    name: 'JOURNAL_RETENTION_DAYS',
    need: 'for ever',
    meaning: `days after which journal entries are let go, at least ${shortestRetentionDays}`,
  },
  {
    name: 'OUTGOING_PRIVATE_ADDRESSES',
    need: 'allow',
    meaning:
      'whether policies may name private addresses: allow, refuse, or the networks allowed (10.1.0.0/16,127.0.0.1)',
  },
  { name: 'LOG_LEVEL', need: 'info', meaning: logLevels.join(', ') },
];

const httpUrl = (what: string) =>
  z.string().refine(isHttpUrl, `must be an http:// or https:// URL of ${what}, without a user name or password in it`);

export const environmentSchema = z.object({
  SLACK_BOT_TOKEN: z
    .string({
      error: 'is missing: set it to the bot token of your Slack app (OAuth & Permissions → Bot User OAuth Token)',
    })
    .regex(/^xoxb-/, 'is not a bot token: it must begin with xoxb- (OAuth & Permissions → Bot User OAuth Token)'),
  SLACK_SIGNING_SECRET: z
    .string({
      error: 'is missing: set it to the signing secret of your Slack app (Basic Information → App Credentials)',
    })
    .min(8, 'is too short to be a signing secret (Basic Information → App Credentials)'),
  ALERTMANAGER_WEBHOOK_TOKEN: z
    .string({
      error:
        'is missing: make one with `openssl rand -hex 32` and put the same into Alertmanager (http_config.authorization.credentials)',
    })
    .transform((value) => value.split(',').map((token) => token.trim()))
    .refine(
      (tokens) => tokens.every((token) => token.length >= minimumTokenLength),
      `has a token shorter than ${minimumTokenLength} characters: make one with \`openssl rand -hex 32\``,
    )
    .refine(
      (tokens) => tokens.every((token) => /^[\x21-\x7e]*$/.test(token)),
      'has a token with a space or a character that no HTTP header can carry',
    ),
  PROMETHEUS_URL: httpUrl('Prometheus').optional(),
  ALERTMANAGER_URL: httpUrl('Alertmanager').optional(),
  DEFAULT_CHANNEL: z
    .string()
    .regex(/^(#[^\s#]{1,80}|[CG][A-Z0-9]{2,})$/, 'must be a Slack channel: #name or its id, such as C024BE91L')
    .optional(),
  PAGERDUTY_ROUTING_KEY: z
    .string()
    .regex(
      /^[0-9A-Za-z]{32}$/,
      'is not an Events API v2 integration key: 32 letters and digits (Service → Integrations)',
    )
    .optional(),
  PAGERDUTY_EVENTS_HOST: z
    .string()
    .regex(
      /^([A-Za-z0-9.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d{1,5})?$/,
      'must be host or host:port, without https:// and without a path (http:// is taken on loopback only)',
    )
    .optional(),
  OPERATIONS_CHANNEL: z
    .string()
    .regex(/^(#[^\s#@]{1,80}|[CG][A-Z0-9]{2,})$/, 'must be a Slack channel: its name with # before it, or its id (C…)')
    .optional(),
  POLICY_DIR: z.string().default('./policies'),
  DATA_DIR: z.string().default('./data'),
  DATABASE_URL: z
    .string()
    .refine(
      (value) => /^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? ''),
      'must be a URL of PostgreSQL: postgres://user:password@host:5432/database?sslmode=verify-full',
    )
    .optional(),
  HOST: z.string().default('0.0.0.0'),
  PORT: z
    .string()
    .default('3000')
    .refine(
      (value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535,
      'must be a port number from 0 to 65535 (0: any free one)',
    )
    .transform(Number),
  PUBLIC_URL: httpUrl('this instance').optional(),
  SLACK_API_URL: httpUrl('a Slack API')
    .default('https://slack.com/api/')
    .transform((url) => (url.endsWith('/') ? url : `${url}/`)),
  JOURNAL_RETENTION_DAYS: z
    .string()
    .refine(
      (value) => /^\d{1,5}$/.test(value) && Number(value) >= shortestRetentionDays,
      `must be a whole number of days, at least ${shortestRetentionDays}; leave it out to keep the journal for ever`,
    )
    .transform(Number)
    .optional(),
  OUTGOING_PRIVATE_ADDRESSES: z
    .string()
    .default('allow')
    .transform((value) => (value === 'allow' || value === 'refuse' ? value : value.split(',').map((one) => one.trim())))
    .refine(
      (value) => typeof value === 'string' || value.every(isNetwork),
      'must be allow, refuse, or the networks that are allowed, such as 10.1.0.0/16,127.0.0.1',
    ),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
});

/** `10.1.0.0/16`, `fd00::/8`, or one address. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
